import { decodeRecord, listRecords } from "../../store/record.ts";
import type { Change } from "../../store/store.ts";
import { checkConnection, checkReceivedHash, checkSentMessage } from "../records.ts";
import { leaveIfOverdue } from "../rules/leave.ts";
import { CLEANUP_INTERVAL, MEMORY_TTL } from "../rules/retry.ts";
import { TABLE } from "../tables.ts";
import type { Core } from "./core.ts";

/** Rows looked at in one go, so that nothing else waits for long. */
const SLICE = 500;

const AGED = [
  { table: TABLE.hashes, check: checkReceivedHash },
  { table: TABLE.sent, check: checkSentMessage },
] as const;

/** Forgets what nobody will ask for any more. */
export class Cleanup {
  readonly #core: Core;
  #cancel: (() => void) | null = null;

  constructor(core: Core) {
    this.#core = core;
  }

  start(): Promise<void> {
    this.#cancel = this.#core.clock.after(CLEANUP_INTERVAL, () => {
      this.#run().catch((error: unknown) => {
        if (!this.#core.isClosed) this.#core.tellError(null, error);
      });
      void this.start();
    });
    return Promise.resolve();
  }

  close(): void {
    this.#cancel?.();
  }

  async #run(): Promise<void> {
    for (const { table, check } of AGED) await this.#forget(table, check);
    const connections = await listRecords(this.#core.store, TABLE.connections, checkConnection);
    for (const { value } of connections) {
      if (value.status === "leaving") await this.#core.step(value.id, leaveIfOverdue);
    }
  }

  async #forget(table: string, check: (value: unknown) => { readonly at: number }): Promise<void> {
    const { store, clock } = this.#core;
    let after: string | undefined;
    while (!this.#core.isClosed) {
      const entries = await store.list(table, { limit: SLICE, ...(after === undefined ? {} : { after }) });
      const old: Change[] = entries
        .filter(({ key, value }) => decodeRecord(value, check, { table, key }).at < clock.now() - MEMORY_TTL)
        .map(({ key }) => ({ table, key, value: null }));
      if (old.length > 0) await store.write(old);
      after = entries.at(-1)?.key;
      if (entries.length < SLICE) return;
    }
  }
}
