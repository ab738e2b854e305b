import { createDurable } from "itty-durable/itty-durable.js";
import { proxyDurable } from "itty-durable/proxy-durable.js";
import { makeVapidKeys, type VapidKeys } from "../push/vapid.ts";
import { type IdentityFile, fromIdentityFile, makeIdentity, type RelayIdentity, toIdentityFile } from "../relay/identity.ts";

/**
 * The one object of a deployment that keeps who the relay is. Its base class turns every method into an HTTP route, so
 * nothing that comes from outside is ever forwarded to it: only the functions below call it.
 */
export class Relay extends createDurable() {
  /** Persisted by the base class as JSON. */
  file: IdentityFile | null = null;
  vapidKeys: VapidKeys | null = null;

  /** The identity of this relay, made at the first call. */
  async identity(host: string): Promise<IdentityFile> {
    if (!this.file) {
      this.file = toIdentityFile(makeIdentity(host, Date.now()));
      await this.persist();
    }
    return this.file;
  }

  /** Takes over an identity that has been verified. */
  async replaceIdentity(file: IdentityFile): Promise<{ readonly fingerprint: string }> {
    this.file = file;
    await this.persist();
    return { fingerprint: file.fingerprint };
  }

  /** The keys under which push services know this relay, made at the first call: clients subscribe with them. */
  async vapid(): Promise<VapidKeys> {
    if (!this.vapidKeys) {
      const made = await makeVapidKeys();
      // Another call may have come first meanwhile.
      this.vapidKeys ??= made;
      await this.persist();
    }
    return this.vapidKeys;
  }
}

interface RelayCalls {
  vapid(): Promise<VapidKeys>;
  identity(host: string): Promise<IdentityFile>;
  replaceIdentity(file: IdentityFile): Promise<{ readonly fingerprint: string }>;
}

const NAME = "relay";

function calls(namespace: DurableObjectNamespace): RelayCalls {
  return proxyDurable(namespace, { name: "RELAY", parse: true }).get(NAME) as RelayCalls;
}

/** @throws IdentityError when what is stored does not hold (any more) */
export async function storedIdentity(namespace: DurableObjectNamespace, host: string): Promise<RelayIdentity> {
  const file = await calls(namespace).identity(host);
  return fromIdentityFile(file, Date.now());
}

export async function storeIdentity(namespace: DurableObjectNamespace, identity: RelayIdentity): Promise<void> {
  await calls(namespace).replaceIdentity(toIdentityFile(identity));
}

export async function storedVapidKeys(namespace: DurableObjectNamespace): Promise<VapidKeys> {
  return await calls(namespace).vapid();
}
