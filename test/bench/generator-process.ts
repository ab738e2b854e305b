import { fileURLToPath } from "node:url";
import type { Tasks } from "./generator.ts";
import { TaskProcess } from "./task-process.ts";

const GENERATOR = fileURLToPath(new URL("generator.ts", import.meta.url));

/** The clients, in a process of their own so that their crypto takes no time from who measures. */
export class GeneratorProcess extends TaskProcess<Tasks> {
  constructor() {
    super("the generator", GENERATOR);
  }
}
