import { equal } from "#crypto/bytes";
import { RatchetError } from "../../ratchet/errors.ts";
import { encodeRecord } from "../../store/record.ts";
import { AgentError } from "../errors.ts";
import type { Connection, Task } from "../records.ts";
import { nextDelay, TASK_RETRY } from "../rules/retry.ts";
import { isTemporary } from "../rules/send-failure.ts";
import { taskFailed } from "../rules/task-failed.ts";
import type { Step } from "../step.ts";
import { readConnection } from "../tables.ts";
import type { Core } from "./core.ts";
import { isStoreTrouble } from "./core.ts";

/** What a task that was done with the relay means for the connection. `isWanted` false: it was taken back meanwhile. */
export type Conclusion = (step: Step, isWanted: boolean) => void | Promise<void>;

/** Does with the relay what a task says. Null: it is too early. */
export type Perform = (connection: Connection, task: Task) => Promise<Conclusion | null>;

function sameTask(a: Task, b: Task | undefined): boolean {
  return b !== undefined && equal(encodeRecord(a), encodeRecord(b));
}

interface Running {
  isWanted: boolean;
  /** Woken while a task was attempted: there is no wait after it. */
  isHurried: boolean;
  /** Ends the wait for the next attempt. */
  skipWait: (() => void) | null;
}

/** Does the tasks of connections, each connection's in order, each until it is done or cannot be. */
export class Tasks {
  readonly #core: Core;
  readonly #perform: Perform;
  readonly #running = new Map<string, Running>();

  constructor(core: Core, perform: Perform) {
    this.#core = core;
    this.#perform = perform;
  }

  /** `now`: the first task waits no longer. */
  wake(connection: string, now: boolean): void {
    const running = this.#running.get(connection);
    if (running) {
      running.isWanted = true;
      if (now) running.isHurried = true;
      if (now) running.skipWait?.();
      return;
    }
    const fresh: Running = { isWanted: false, isHurried: false, skipWait: null };
    this.#running.set(connection, fresh);
    this.#run(connection, fresh).catch((error: unknown) => {
      if (!this.#core.isClosed) this.#core.tellError(connection, error);
    });
  }

  /** A relay can be reached again: nothing waits any longer. */
  retry(): void {
    for (const { skipWait } of this.#running.values()) skipWait?.();
  }

  close(): void {
    this.retry();
  }

  async #run(id: string, running: Running): Promise<void> {
    let since: number | null = null;
    let delay: number | null = null;
    try {
      while (!this.#core.isClosed) {
        running.isWanted = false;
        running.isHurried = false;
        const next = await this.#next(id);
        if (next === null) {
          if (running.isWanted) continue;
          return;
        }
        if (next !== "later" && await this.#attempt(next.connection, next.task)) {
          since = null;
          delay = null;
          continue;
        }
        const now = this.#core.clock.now();
        since ??= now;
        delay = nextDelay(TASK_RETRY, delay, now - since);
        if (!running.isHurried) await this.#wait(running, delay);
      }
    } finally {
      this.#running.delete(id);
    }
  }

  /** What to do next; null: nothing. `later`: the store does not tell now. */
  async #next(id: string): Promise<{ connection: Connection; task: Task } | "later" | null> {
    try {
      const connection = await readConnection(this.#core.store, id);
      const task = connection?.todo[0];
      return connection && task ? { connection, task } : null;
    } catch (error) {
      if (!isStoreTrouble(error)) throw error;
      this.#core.tellError(id, error);
      return "later";
    }
  }

  /** False: to be tried again. */
  async #attempt(connection: Connection, task: Task): Promise<boolean> {
    let conclude: Conclusion | null;
    try {
      conclude = await this.#perform(connection, task);
      if (conclude === null) return false;
    } catch (error) {
      if (this.#core.isClosed) return false;
      if (isTemporary(error)) {
        const known = error instanceof Error ? error : new Error(String(error));
        this.#core.tellError(connection.id, known);
        return false;
      }
      conclude = (step) => taskFailed(step, task, error);
    }
    try {
      await this.#conclude(connection.id, task, conclude);
    } catch (error) {
      if (error instanceof AgentError && error.refusal === "NOT_FOUND") return true;
      if (error instanceof AgentError && error.refusal === "LARGE") {
        await this.#conclude(connection.id, task, (step) => taskFailed(step, task, error));
        return true;
      }
      if (!isStoreTrouble(error)) throw error;
      this.#core.tellError(connection.id, error);
      return false;
    }
    return true;
  }

  async #conclude(id: string, task: Task, conclude: Conclusion): Promise<void> {
    const finish = (run: Conclusion): Promise<void> => this.#core.step(id, async (step) => {
      // The application may have changed its mind while the relay was asked.
      const isWanted = sameTask(task, step.connection.todo[0]);
      if (isWanted) step.finishTask();
      else if (task.type !== "rotate") return;
      await run(step, isWanted);
    });
    try {
      await finish(conclude);
    } catch (error) {
      const isRefused = (error instanceof AgentError && error.refusal !== "NOT_FOUND") || error instanceof RatchetError;
      if (!isRefused) throw error;
      // What is to be sent for it does not fit, or cannot be encrypted: trying again would not help.
      await finish((step, isWanted) => (isWanted ? taskFailed(step, task, error) : undefined));
    }
  }

  #wait(running: Running, delay: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#core.clock.after(delay, () => running.skipWait?.());
      running.skipWait = () => {
        cancel();
        running.skipWait = null;
        resolve();
      };
    });
  }
}
