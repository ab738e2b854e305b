import { prefixOf, seenPeriod, TABLE } from "../tables.ts";
import { periodOf } from "../rules/group/seen.ts";
import type { Core } from "./core.ts";

/** Marks that one write erases. */
const AT_ONCE = 200;

/** Forgets which messages came to groups once no second one can be expected any more. */
export class Forgetting {
  readonly #core: Core;
  #period = -1;

  constructor(core: Core) {
    this.#core = core;
  }

  /** To be called at any time: it does something when a period is over. */
  look(): void {
    const period = periodOf(this.#core.clock.now());
    if (period === this.#period) return;
    this.#period = period;
    this.#core.background(null, () => this.#sweep(period));
  }

  async #sweep(period: number): Promise<void> {
    for (const group of await this.#core.store.keys(TABLE.groups.name)) {
      let isMore = true;
      while (isMore && !this.#core.isClosed) isMore = await this.#forget(group, period);
    }
  }

  async #forget(group: string, period: number): Promise<boolean> {
    const keys = await this.#core.store.keys(TABLE.seen.name, { prefix: prefixOf(group), limit: AT_ONCE });
    const old = keys.filter((key) => seenPeriod(key) < period - 1);
    if (old.length > 0) await this.#core.step((step) => old.forEach((key) => step.erase(TABLE.seen, key)));
    return old.length === AT_ONCE;
  }
}
