import { AddressError, formatServerAddress, parseServerAddress, type Server } from "../address.ts";

const SCHEME = "ntf://";
const SMP_SCHEME = "smp://";

/** `ntf://<fingerprint>@host[,host...][:port]`: a notification server. @throws AddressError */
export function parseNtfServer(text: string): Server {
  if (!text.startsWith(SCHEME)) {
    throw new AddressError("the address of a notification server looks like ntf://<fingerprint>@host[:port]");
  }
  const { password, ...server } = parseServerAddress(SMP_SCHEME + text.slice(SCHEME.length));
  if (password !== null) throw new AddressError("the address of a notification server has no password");
  return server;
}

export function formatNtfServer({ hosts, port, keyHash }: Server): string {
  return SCHEME + formatServerAddress({ hosts, port, keyHash }).slice(SMP_SCHEME.length);
}
