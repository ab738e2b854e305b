import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Done, Job, Tasks } from "./generator.ts";

const GENERATOR = fileURLToPath(new URL("generator.ts", import.meta.url));

/** The clients, in a process of their own so that their crypto takes no time from who measures. */
export class GeneratorProcess {
  readonly #child: ChildProcess = fork(GENERATOR);
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #ids = 0;

  constructor() {
    this.#child.on("message", ({ id, value, error }: Done) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(`the generator failed: ${error}`));
    });
    this.#child.on("exit", (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the generator ended with ${String(code)}`));
    });
  }

  call<T extends keyof Tasks>(task: T, ...args: Parameters<Tasks[T]>): Promise<Awaited<ReturnType<Tasks[T]>>> {
    const id = this.#ids++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#child.send({ id, task, args } satisfies Job);
    });
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }
}
