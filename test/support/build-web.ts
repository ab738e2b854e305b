import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The files that `[assets]` of wrangler.toml names: the plug-in of the tests does not build them, as wrangler does. */
export function setup(): void {
  execFileSync(process.execPath, ["scripts/build.ts", "web"], { cwd: fileURLToPath(new URL("../..", import.meta.url)) });
}
