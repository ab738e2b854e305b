import { sameServer, type Server } from "#protocol/address";
import { listRecords } from "../../store/record.ts";
import { AgentError } from "../errors.ts";
import type { ConnectionEvent } from "../events.ts";
import { checkConnection } from "../records.ts";
import { isMoving, startRotation } from "../rules/rotate.ts";
import { TABLE } from "../tables.ts";
import type { Core } from "./core.ts";

/** Moves many connections to another relay. Each goes at the pace of its other side, which has to come online. */
export class Moves {
  readonly #core: Core;
  readonly #waiting = new Set<string>();
  #total = 0;
  #failed = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Those that are moving already are counted and go on. Answers how many there are. */
  async start(from: Server, to: Server | null): Promise<number> {
    const all = await listRecords(this.#core.store, TABLE.connections, checkConnection);
    const concerned = all.map(({ value }) => value).filter(({ role, status, receive }) => {
      return role !== "contact" && status === "connected" && receive.some((queue) => sameServer(queue.server, from) && queue.rotation !== "received_message");
    });
    this.#total = concerned.length;
    this.#failed = 0;
    this.#waiting.clear();
    for (const { id } of concerned) this.#waiting.add(id);
    for (const { id, receive } of concerned) {
      if (receive.some(isMoving)) continue;
      try {
        await this.#core.step(id, (step) => startRotation(step, to));
      } catch (error) {
        if (!(error instanceof AgentError)) throw error;
        this.#core.tellError(id, error);
        this.#settle(id, true);
      }
    }
    return this.#total;
  }

  /** Hears every event of every connection. */
  watch(connection: string, event: ConnectionEvent): void {
    if (event.type !== "rotation" || event.direction !== "receive") return;
    if (event.phase === "completed") this.#settle(connection, false);
    else if (event.phase === "failed" || event.phase === "aborted") this.#settle(connection, true);
  }

  #settle(connection: string, isFailure: boolean): void {
    if (!this.#waiting.delete(connection)) return;
    if (isFailure) this.#failed++;
    const done = this.#total - this.#waiting.size - this.#failed;
    this.#core.journal.pass({ type: "moving", done, failed: this.#failed, total: this.#total });
  }
}
