import { type ChildProcess, fork } from "node:child_process";

/** One call that goes to a process and its answer: what IPC carries. */
interface Job {
  readonly id: number;
  readonly task: string;
  readonly args: readonly unknown[];
}

interface Done {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

type Task = (...args: never) => unknown;

/** A process of its own for tasks: its work takes no time from who measures. `script` ends in {@link serve}. */
export class TaskProcess<Tasks extends { readonly [K in keyof Tasks]: Task }> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #ids = 0;

  constructor(name: string, script: string) {
    // node:sqlite is experimental in Node 22, which says so each time.
    this.#child = fork(script, { execArgv: [...process.execArgv, "--disable-warning=ExperimentalWarning"] });
    this.#child.on("message", ({ id, value, error }: Done) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(`${name} failed: ${error}`));
    });
    this.#child.on("exit", (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${name} ended with ${String(code)}`));
    });
  }

  call<T extends keyof Tasks & string>(
    task: T,
    ...args: Parameters<Tasks[T]>
  ): Promise<Awaited<ReturnType<Tasks[T]>>> {
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

/** Does in this process what its parent asks for; arguments and answers go through IPC. */
export function serve(tasks: Readonly<Record<string, Task>>): void {
  const work = async ({ id, task, args }: Job): Promise<Done> => {
    try {
      const run = tasks[task] as (...args: readonly unknown[]) => unknown;
      return { id, value: await run(...args) };
    } catch (error) {
      return { id, error: error instanceof Error ? error.stack ?? error.message : String(error) };
    }
  };
  process.on("message", async (job: Job) => process.send?.(await work(job)));
  process.on("disconnect", () => process.exit(0));
}
