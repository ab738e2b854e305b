import { translating } from "../errors.ts";
import type { GroupLink } from "../group-records.ts";
import { TABLE } from "../tables.ts";
import type { Compression } from "../wire/compression.ts";
import { type GroupProfile, groupProfile as profileCodec } from "../wire/profile.ts";
import { encodeShortLinkData } from "../wire/short-link-data.ts";
import type { Core } from "./core.ts";

/** What stands behind the short link of a group. @throws ChatError "LARGE" */
export function groupLinkData(groupProfile: GroupProfile, compression: Compression): Uint8Array {
  return translating(() => encodeShortLinkData({ groupProfile }, compression));
}

const markOf = (profile: GroupProfile): string => JSON.stringify(profileCodec.write(profile));

/** Puts what changed of groups behind their links: now, and again whenever a relay can be reached. */
export class GroupPublisher {
  readonly #core: Core;
  readonly #wanted = new Map<string, boolean>();

  constructor(core: Core) {
    this.#core = core;
  }

  wake(group: string): void {
    const isRunning = this.#wanted.has(group);
    this.#wanted.set(group, true);
    if (!isRunning) this.#core.background(null, () => this.#run(group));
  }

  async wakeAll(): Promise<void> {
    for (const { group, isStale } of await this.#core.listSound(TABLE.groupLinks)) if (isStale) this.wake(group);
  }

  async #run(group: string): Promise<void> {
    try {
      while (this.#wanted.get(group) === true && !this.#core.isClosed) {
        this.#wanted.set(group, false);
        const link = await this.#core.read(TABLE.groupLinks, group);
        if (link?.isStale) await this.#publish(link);
      }
    } finally {
      this.#wanted.delete(group);
    }
  }

  async #publish({ group: id, connection }: GroupLink): Promise<void> {
    const group = await this.#core.read(TABLE.groups, id);
    if (!group) return;
    try {
      await this.#core.agent.setLinkData(connection, groupLinkData(group.profile, this.#core.compression));
    } catch (error) {
      // It was deleted meanwhile, or the program ends.
      if (this.#core.isClosed || (await this.#core.read(TABLE.groupLinks, id)) === null) return;
      throw error;
    }
    await this.#core.step(async (step) => {
      const [link, now] = [await step.read(TABLE.groupLinks, id), await step.read(TABLE.groups, id)];
      if (!link || !now) return;
      if (markOf(now.profile) === markOf(group.profile)) step.put(TABLE.groupLinks, id, { ...link, isStale: false });
      else this.#wanted.set(id, true);
    });
  }
}
