import { translating } from "../errors.ts";
import type { Address } from "../records.ts";
import { changeAddress } from "../rules/profile.ts";
import { TABLE } from "../tables.ts";
import type { MsgContent } from "../wire/content.ts";
import { type Profile, profile as profileCodec } from "../wire/profile.ts";
import type { Compression } from "../wire/compression.ts";
import { fullPreferences } from "../wire/rules/preferences.ts";
import { encodeShortLinkData } from "../wire/short-link-data.ts";
import type { Core } from "./core.ts";

/** What stands behind the short link of an address. @throws ChatError "LARGE" */
export function addressData(profile: Profile, message: MsgContent | null, compression: Compression): Uint8Array {
  const full = { ...profile, preferences: fullPreferences(profile.preferences) };
  const data = { profile: full, business: false, ...(message && { message }) };
  return translating(() => encodeShortLinkData(data, compression));
}

interface Wanted {
  readonly address: Address;
  readonly data: Uint8Array;
  /** By which it is seen whether something else is wanted meanwhile. */
  readonly mark: string;
}

/** Puts what changed behind the short links of addresses: now, and again whenever a relay can be reached. */
export class Publisher {
  readonly #core: Core;
  readonly #wanted = new Map<string, boolean>();

  constructor(core: Core) {
    this.#core = core;
  }

  wake(user: string): void {
    const isRunning = this.#wanted.has(user);
    this.#wanted.set(user, true);
    if (!isRunning) this.#core.background(null, () => this.#run(user));
  }

  /** A relay can be reached again, or the program has started. */
  async wakeAll(): Promise<void> {
    for (const { user, isStale } of await this.#core.listSound(TABLE.addresses)) if (isStale) this.wake(user);
  }

  async #run(user: string): Promise<void> {
    try {
      while (this.#wanted.get(user) === true && !this.#core.isClosed) {
        this.#wanted.set(user, false);
        await this.#publish(user);
      }
    } finally {
      this.#wanted.delete(user);
    }
  }

  async #publish(user: string): Promise<void> {
    const wanted = await this.#look(user);
    if (!wanted) return;
    try {
      await this.#core.agent.setLinkData(wanted.address.connection, wanted.data);
    } catch (error) {
      // It was deleted meanwhile, or the program ends.
      if (this.#core.isClosed || (await this.#core.read(TABLE.addresses, user)) === null) return;
      throw error;
    }
    await this.#core.step(async (step) => {
      const address = await step.read(TABLE.addresses, user);
      const now = await this.#look(user);
      if (address && now?.mark === wanted.mark) changeAddress(step, address, { isStale: false });
      else if (address) this.#wanted.set(user, true);
    });
  }

  async #look(user: string): Promise<Wanted | null> {
    const [address, owner] = [await this.#core.read(TABLE.addresses, user), await this.#core.read(TABLE.users, user)];
    if (!address?.isStale || !owner) return null;
    const { welcome, connection } = address;
    const mark = JSON.stringify([connection, profileCodec.write(owner.profile), welcome]);
    return { address, mark, data: addressData(owner.profile, welcome, this.#core.compression) };
  }
}
