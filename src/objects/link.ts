import { DurableObject } from "cloudflare:workers";
import { equal } from "#crypto/bytes";
import type { LinkApi } from "./api.ts";
import type { Env } from "./env.ts";
import { queueAt } from "./locate.ts";

interface Target {
  readonly senderId: Uint8Array;
  /** Milliseconds since 1970. */
  readonly claimedAt: number;
}

const KEY = "target";
/** Milliseconds that a queue has to take a link it has claimed; after that a claim that came to nothing is void. */
const CLAIM_TIME = 60_000;

/** One short link, named by its id: which queue it leads to, and nothing else. */
export class Link extends DurableObject<Env> implements LinkApi {
  #target(): Target | undefined {
    return this.ctx.storage.kv.get<Target>(KEY);
  }

  async claim(linkId: Uint8Array, senderId: Uint8Array): Promise<boolean> {
    const target = this.#target();
    if (target && !equal(target.senderId, senderId)) {
      const isFresh = Date.now() - target.claimedAt < CLAIM_TIME;
      if (isFresh || await queueAt(this.env, target.senderId).holdsLink(linkId)) return false;
      // Nothing but another claim can have changed it meanwhile, and that one is as good as this.
      if (this.#target()?.claimedAt !== target.claimedAt) return false;
    }
    this.ctx.storage.kv.put<Target>(KEY, { senderId, claimedAt: Date.now() });
    return true;
  }

  async release(senderId: Uint8Array): Promise<void> {
    const target = this.#target();
    if (target && equal(target.senderId, senderId)) await this.ctx.storage.deleteAll();
  }

  async resolve(): Promise<Uint8Array | null> {
    return this.#target()?.senderId ?? null;
  }
}
