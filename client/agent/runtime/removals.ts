import { isStoreTrouble, type Core } from "./core.ts";
import { listRecords, recordChange } from "../../store/record.ts";
import { checkRemoval, type Removal } from "../records.ts";
import { eraseConnection, removeLater } from "../rules/leave.ts";
import { nextDelay, REMOVAL_ATTEMPTS, TASK_RETRY } from "../rules/retry.ts";
import { isTemporary } from "../rules/send-failure.ts";
import { TABLE } from "../tables.ts";
import { removeQueue } from "./perform.ts";

/** Deletes queues whose connection is gone: each up to ten times, then it is left to its relay. */
export class Removals {
  readonly #core: Core;
  #isRunning = false;
  #isWanted = false;
  #skipWait: (() => void) | null = null;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Its queues go at once, the connection too unless messages are still to be sent. */
  async deleteConnection(id: string, wait: boolean): Promise<void> {
    const { journal } = this.#core;
    const waiting = journal.waiting(id);
    await this.#core.step(id, async (step) => {
      for (const item of waiting) step.changes.push(...journal.acknowledged(id, item));
      for (const queue of step.connection.receive) removeLater(step, queue);
      step.update({ receive: [], todo: [], status: "leaving" });
      const outbox = wait ? await step.store.list(TABLE.outbox, { prefix: `${id}/`, limit: 1 }) : [];
      if (outbox.length === 0) await eraseConnection(step);
    });
    for (const item of waiting) journal.forget(id, item);
  }

  wake(): void {
    this.#isWanted = true;
    if (this.#isRunning || this.#core.isClosed) return;
    this.#isRunning = true;
    this.#run().then(
      () => (this.#isRunning = false),
      (error: unknown) => {
        this.#isRunning = false;
        if (!this.#core.isClosed) this.#core.tellError(null, error);
      },
    );
  }

  retry(): void {
    this.#skipWait?.();
  }

  close(): void {
    this.#skipWait?.();
  }

  async #run(): Promise<void> {
    let delay: number | null = null;
    const since = this.#core.clock.now();
    while (!this.#core.isClosed) {
      this.#isWanted = false;
      const all = await this.#list();
      if (all?.length === 0) {
        if (this.#isWanted) continue;
        return;
      }
      const left = await Promise.all((all ?? []).map(({ key, value }) => this.#attempt(key, value)));
      if (all && !left.some(Boolean)) continue;
      delay = nextDelay(TASK_RETRY, delay, this.#core.clock.now() - since);
      await new Promise<void>((resolve) => {
        const cancel = this.#core.clock.after(delay ?? 0, () => this.#skipWait?.());
        this.#skipWait = () => {
          cancel();
          this.#skipWait = null;
          resolve();
        };
      });
    }
  }

  /** Null: the store does not tell now. */
  async #list(): Promise<{ key: string; value: Removal }[] | null> {
    try {
      return await listRecords(this.#core.store, TABLE.removals, checkRemoval);
    } catch (error) {
      if (!isStoreTrouble(error)) throw error;
      this.#core.tellError(null, error);
      return null;
    }
  }

  /** True: to be tried again. */
  async #attempt(key: string, removal: Removal): Promise<boolean> {
    const relay = this.#core.relayOf(removal, removal);
    let change = { table: TABLE.removals as string, key, value: null as Uint8Array | null };
    try {
      await removeQueue(relay.connection, removal);
    } catch (error) {
      if (this.#core.isClosed) return false;
      const attempts = removal.attempts + 1;
      if (isTemporary(error) && attempts < REMOVAL_ATTEMPTS) {
        change = recordChange(TABLE.removals, key, { ...removal, attempts }) as typeof change;
      } else this.#core.tellError(null, error);
    }
    try {
      await this.#core.store.write([change]);
    } catch (error) {
      if (!isStoreTrouble(error)) throw error;
      this.#core.tellError(null, error);
      return true;
    }
    return change.value !== null;
  }
}
