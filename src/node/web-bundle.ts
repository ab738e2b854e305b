import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuildOptions, Metafile, OutputFile } from "esbuild";
import { building } from "./bundle.ts";

/** Files of the web client by their path below /app/. */
export type WebFiles = ReadonlyMap<string, Uint8Array>;

const SOURCE = fileURLToPath(new URL("../../client/web/", import.meta.url));
const PAGE = "main.tsx";
const WORKER = "worker/main.ts";
const SERVICE_WORKER = "worker/service-worker.ts";

const COMMON: BuildOptions = {
  absWorkingDir: SOURCE,
  bundle: true,
  write: false,
  minify: true,
  format: "esm",
  platform: "browser",
  target: "es2024",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "silent",
};

/** Where an entry went, and everything that it loads before it runs. */
interface Entry {
  readonly file: string;
  readonly style: string | null;
  readonly chunks: readonly string[];
}

function entryOf({ outputs }: Metafile, source: string): Entry {
  const found = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === source);
  if (!found) throw new Error(`esbuild built no ${source}`);
  const [file, output] = found;
  const chunks = new Set<string>();
  const follow = (path: string): void => {
    for (const { path: next, kind } of outputs[path]?.imports ?? []) {
      if (kind !== "import-statement" || chunks.has(basename(next))) continue;
      chunks.add(basename(next));
      follow(next);
    }
  };
  follow(file);
  return { file: basename(file), style: output.cssBundle ? basename(output.cssBundle) : null, chunks: [...chunks] };
}

function staticFiles(): [string, Uint8Array][] {
  const icons = readdirSync(join(SOURCE, "icons")).map((name) => `icons/${name}`);
  return [...icons, "manifest.webmanifest"].map((name) => [name, readFileSync(join(SOURCE, name))]);
}

function shell(page: Entry, worker: Entry, version: string): string {
  const links = [
    ...(page.style === null ? [] : [`<link rel="stylesheet" href="/app/${page.style}">`]),
    ...page.chunks.map((chunk) => `<link rel="modulepreload" href="/app/${chunk}">`),
    `<meta name="version" content="${version}">`,
    `<meta name="chat-worker" content="/app/${worker.file}">`,
    `<script type="module" src="/app/${page.file}"></script>`,
  ];
  const html = readFileSync(join(SOURCE, "index.html"), "utf8");
  if (!html.includes("<!-- bundle -->")) throw new Error("index.html has no place for the bundle");
  return html.replace("<!-- bundle -->", links.join("\n"));
}

function versionOf(files: readonly (readonly [string, Uint8Array])[]): string {
  const hash = createHash("sha256");
  for (const [name, bytes] of files) hash.update(`${name} ${bytes.length}\n`).update(bytes);
  return hash.digest("hex").slice(0, 16);
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

/**
 * Builds the web client from its sources: the page, the worker with the chat in it, what wakes that for a push, and what
 * lets the page start offline.
 */
export function bundleWeb(): Promise<WebFiles> {
  return building(async (esbuild) => {
    const { outputFiles, metafile } = await esbuild.build({
      ...COMMON,
      entryPoints: { main: PAGE, chat: WORKER },
      outdir: "/app",
      entryNames: "[name]-[hash]",
      chunkNames: "[name]-[hash]",
      assetNames: "[name]-[hash]",
      splitting: true,
      metafile: true,
    });
    const built = (outputFiles as OutputFile[]).map(({ path, contents }) => [basename(path), contents] as const);
    const files = [...built, ...staticFiles()].toSorted(byName);
    const template = readFileSync(join(SOURCE, "index.html"));
    const version = versionOf([...files, ["index.html", template]]);
    const worker = entryOf(metafile as Metafile, WORKER);
    const index = shell(entryOf(metafile as Metafile, PAGE), worker, version);
    const { outputFiles: [service] = [] } = await esbuild.build({
      ...COMMON,
      entryPoints: [SERVICE_WORKER],
      format: "iife",
      define: { VERSION: JSON.stringify(version), FILES: JSON.stringify(files.map(([name]) => name)) },
    });
    if (!service) throw new Error("esbuild built no service worker");
    // Its name stays, for browsers look for new versions under it. What pushes wake is the worker with the chat.
    return new Map([
      ...files,
      ["index.html", Buffer.from(index)],
      ["service-worker.js", service.contents],
    ]);
  });
}
