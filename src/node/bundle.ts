import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type * as Esbuild from "esbuild";

const ENTRY = fileURLToPath(new URL("../index.ts", import.meta.url));
/** Beside the built command line stands the built Worker. */
const BUILT = fileURLToPath(new URL("worker.js", import.meta.url));

let builds = 0;

/** Builds something. The builder's process ends with the last build that is under way, for it keeps much memory. */
export async function building<T>(build: (esbuild: typeof Esbuild) => Promise<T>): Promise<T> {
  const esbuild = await import("esbuild");
  builds++;
  try {
    return await build(esbuild);
  } finally {
    builds--;
    if (builds === 0) await esbuild.stop();
  }
}

/** The relay's Worker as one ES module. */
export async function bundleWorker(): Promise<string> {
  return existsSync(BUILT) ? readFileSync(BUILT, "utf8") : await bundleForWorkerd(ENTRY);
}

/** A Worker as one ES module, built as wrangler builds it. */
export async function bundleForWorkerd(entry: string): Promise<string> {
  const result = await building((esbuild) => esbuild.build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "es2024",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "import"],
    external: ["node:*", "cloudflare:*"],
    logLevel: "silent",
  }));
  const [output] = result.outputFiles;
  if (!output) throw new Error("esbuild built nothing");
  return output.text;
}
