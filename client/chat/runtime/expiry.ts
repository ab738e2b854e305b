import { tellFilesGone } from "../rules/file-loss.ts";
import { removeItem } from "../rules/items.ts";
import { expiringItem, expiryTime, prefixOf, TABLE } from "../tables.ts";
import { type Core, isStoreTrouble } from "./core.ts";

const HOUR = 3_600_000;
const STORE_RETRY = 1000;
/** Items that one write removes. */
const AT_ONCE = 100;

/** Removes what disappears when its time has come, also what came while the program was not running. */
export class Expiry {
  readonly #core: Core;
  #cancel: (() => void) | null = null;
  #isRunning = false;
  #isWanted = false;

  constructor(core: Core) {
    this.#core = core;
  }

  wake(): void {
    this.#isWanted = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#core.background(null, () => this.#run());
  }

  close(): void {
    this.#cancel?.();
  }

  async #run(): Promise<void> {
    try {
      while (this.#isWanted && !this.#core.isClosed) {
        this.#isWanted = false;
        this.#cancel?.();
        const delay = await this.#sweep();
        // Timers of platforms are short of breath, and clocks are set.
        if (delay !== null) this.#cancel = this.#core.clock.after(Math.min(delay, HOUR), () => this.wake());
      }
    } catch (error) {
      if (!isStoreTrouble(error)) throw error;
      this.#core.tellError(null, error);
      this.#cancel = this.#core.clock.after(STORE_RETRY, () => this.wake());
    } finally {
      this.#isRunning = false;
    }
  }

  /** Milliseconds until the next one disappears; null when none does. */
  async #sweep(): Promise<number | null> {
    for (;;) {
      const keys = await this.#core.store.keys(TABLE.expiry.name, { limit: AT_ONCE });
      const now = this.#core.clock.now();
      const due = keys.filter((key) => expiryTime(key) <= now);
      const [first] = keys;
      if (due.length === 0) return first === undefined ? null : expiryTime(first) - now;
      await this.#core.step(async (step) => {
        for (const key of due) {
          step.erase(TABLE.expiry, key);
          await tellFilesGone(step, prefixOf(expiringItem(key)));
          await removeItem(step, expiringItem(key));
        }
      });
    }
  }
}
