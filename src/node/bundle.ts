import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ENTRY = fileURLToPath(new URL("../index.ts", import.meta.url));
/** Beside the built command line stands the built Worker. */
const BUILT = fileURLToPath(new URL("worker.js", import.meta.url));

/** The relay's Worker as one ES module. */
export async function bundleWorker(): Promise<string> {
  return existsSync(BUILT) ? readFileSync(BUILT, "utf8") : await bundleForWorkerd(ENTRY);
}

/** A Worker as one ES module, built as wrangler builds it. */
export async function bundleForWorkerd(entry: string): Promise<string> {
  const esbuild = await import("esbuild");
  const result = await esbuild.build({
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
  });
  await esbuild.stop();
  const [output] = result.outputFiles;
  if (!output) throw new Error("esbuild built nothing");
  return output.text;
}
