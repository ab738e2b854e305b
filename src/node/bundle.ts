import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const ENTRY = fileURLToPath(new URL("../index.ts", import.meta.url));

/** The Worker as one ES module, built as wrangler builds it. */
export async function bundleWorker(): Promise<string> {
  const result = await esbuild.build({
    entryPoints: [ENTRY],
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
