import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { bundleWorker } from "../src/node/bundle.ts";
import { bundleWeb } from "../src/node/web-bundle.ts";

// What `npm run build` leaves in dist/: the Worker, the command line and the client library, each one file, and the
// files of the web client. With `web` only those, which is what wrangler asks for (wrangler.toml).
const DIST = "dist";
const WEB = join(DIST, "web");

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;

async function buildWeb(): Promise<void> {
  const files = await bundleWeb();
  rmSync(WEB, { recursive: true, force: true });
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(WEB, name)), { recursive: true });
    writeFileSync(join(WEB, name), bytes);
  }
  const all = [...files.values()];
  const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
  const zipped = sum(all.map((bytes) => gzipSync(bytes).length));
  console.log(`${WEB}  ${files.size} files, ${kilobytes(sum(all.map((bytes) => bytes.length)))}  (gzip ${kilobytes(zipped)})`);
}

if (process.argv[2] === "web") {
  await buildWeb();
  process.exit();
}

rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST);

await buildWeb();
writeFileSync(`${DIST}/worker.js`, await bundleWorker());

await esbuild.build({
  entryPoints: ["src/node/main.ts"],
  outfile: `${DIST}/smp-edge.js`,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node22",
  packages: "external",
  banner: { js: "#!/usr/bin/env node" },
});
chmodSync(`${DIST}/smp-edge.js`, 0o755);
copyFileSync("src/node/workerd.sh", `${DIST}/workerd.sh`);
chmodSync(`${DIST}/workerd.sh`, 0o755);

await esbuild.build({
  entryPoints: ["client/terminal/main.ts"],
  outfile: `${DIST}/chat.js`,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node22",
  packages: "external",
});

await esbuild.build({
  entryPoints: ["client/index.ts"],
  outfile: `${DIST}/client.js`,
  bundle: true,
  format: "esm",
  platform: "browser",
  target: "es2024",
  minify: true,
});
await esbuild.stop();

for (const name of ["worker.js", "smp-edge.js", "chat.js", "client.js"]) {
  const content = readFileSync(`${DIST}/${name}`);
  console.log(`${DIST}/${name}  ${kilobytes(content.length)}  (gzip ${kilobytes(gzipSync(content).length)})`);
}
