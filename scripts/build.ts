import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { bundleWorker } from "../src/node/bundle.ts";

// What `npm run build` leaves in dist/: the Worker, the command line and the client library, each one file.
const DIST = "dist";
rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST);

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
  entryPoints: ["client/index.ts"],
  outfile: `${DIST}/client.js`,
  bundle: true,
  format: "esm",
  platform: "browser",
  target: "es2024",
  minify: true,
});
await esbuild.stop();

for (const name of ["worker.js", "smp-edge.js", "client.js"]) {
  const content = readFileSync(`${DIST}/${name}`);
  const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;
  console.log(`${DIST}/${name}  ${kilobytes(content.length)}  (gzip ${kilobytes(gzipSync(content).length)})`);
}
