import { lookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { readHost } from "../../relay/proxy-policy.ts";
import { PostFailed } from "./post.ts";

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** All addresses of a name. */
export type Resolve = (name: string) => Promise<readonly ResolvedAddress[]>;

export const resolveName: Resolve = (name) => lookup(name, { all: true });

/**
 * Whether a host may be connected to. Addresses that lead nowhere (documentation, multicast, IPv4 inside of IPv6) never
 * may, those of one's own network and of this machine only where that is allowed.
 */
function mayReach(host: string, allowsPrivate: boolean): boolean {
  const { reach } = readHost(host);
  return reach === "public" || (reach === "private" && allowsPrivate);
}

/** @throws PostFailed; addresses in URLs are looked up by nobody, so they are judged here. */
export function checkHost(host: string, allowsPrivate: boolean): void {
  if (!mayReach(host, allowsPrivate)) throw new PostFailed(`${isIP(host) === 0 ? "a name" : "an address"} outside the Internet`);
}

/**
 * Looks a name up for `net.connect`, which then connects to nothing but what is answered: between the judgement and the
 * connection nobody can change what the name leads to. Forbidden addresses are left out.
 */
export function judgedLookup(allowsPrivate: boolean, resolve: Resolve): LookupFunction {
  return (name, options, callback) => {
    const answer = async (): Promise<void> => {
      const wanted = typeof options.family === "number" ? options.family : 0;
      try {
        const all = await resolve(name);
        const allowed = all.filter(({ address, family }) =>
          mayReach(address, allowsPrivate) && (wanted === 0 || wanted === family)
        );
        const [first] = allowed;
        if (!first) throw new PostFailed("the name leads to no address of the Internet");
        if (options.all) callback(null, allowed.map(({ address, family }) => ({ address, family })));
        else callback(null, first.address, first.family);
      } catch (error) {
        callback(error as Error, []);
      }
    };
    void answer();
  };
}
