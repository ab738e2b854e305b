#!/usr/bin/env node
// A clone runs its sources; a package has only what was built of them.
import { existsSync } from "node:fs";

const source = new URL("../src/node/main.ts", import.meta.url);
const built = new URL("../dist/smp-edge.js", import.meta.url);
await import((existsSync(source) ? source : built).href);
