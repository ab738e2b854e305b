import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { spreadOf } from "./stats.ts";
import type { Metric, Section } from "./table.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const KB = 1000;

/** What an application may import, as a module that does only that. */
const ENTRIES: readonly { readonly name: string; readonly source: string }[] = [
  { name: "client/index.ts, all of it", source: `export * from "./client/index.ts";` },
  {
    name: "SMP only (RelayConnection, smp)",
    source: `
      export { RelayConnection } from "./client/smp/relay-connection.ts";
      export * as smp from "./client/smp/api.ts";
    `,
  },
  { name: "agent only (Agent)", source: `export { Agent } from "./client/agent/agent.ts";` },
];

const AGENT = ENTRIES[2];

/** Parts of a bundle by where their modules lie; the first that fits counts. */
const PARTS: readonly { readonly name: string; readonly path: RegExp }[] = [
  { name: "sntrup761", path: /^src\/crypto\/sntrup761/ },
  { name: "cryptography, without noble", path: /^src\/crypto\// },
  { name: "protocol", path: /^src\/protocol\// },
  { name: "client/agent", path: /^client\/agent\// },
  { name: "client/ratchet", path: /^client\/ratchet\// },
  { name: "client, the rest", path: /^client\// },
  { name: "noble", path: /node_modules\/@noble\// },
  { name: "other packages", path: /node_modules\// },
];

interface Bundle {
  readonly code: Uint8Array;
  /** Bytes of each module that are in the output. */
  readonly modules: ReadonlyMap<string, number>;
}

/** In place of sntrup761, to see what the bundle is without it. */
const withoutKem: esbuild.Plugin = {
  name: "without sntrup761",
  setup(build) {
    build.onLoad({ filter: /\/src\/crypto\/sntrup761\.ts$/ }, () => {
      const names = ["generateKemKeyPair", "encapsulate", "decapsulate"];
      const lengths = ["PUBLIC_KEY", "SECRET_KEY", "CIPHERTEXT", "SECRET"];
      const contents = [
        ...names.map((name) => `export const ${name} = null;`),
        ...lengths.map((name) => `export const KEM_${name}_LENGTH = 0;`),
      ];
      return { contents: contents.join("\n") };
    });
  },
};

async function bundle(source: string, plugins: esbuild.Plugin[] = []): Promise<Bundle> {
  const { outputFiles, metafile } = await esbuild.build({
    stdin: { contents: source, resolveDir: ROOT, loader: "ts" },
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2024",
    logLevel: "warning",
    plugins,
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  const inputs = Object.values(metafile.outputs)[0]?.inputs ?? {};
  return { code, modules: new Map(Object.entries(inputs).map(([path, { bytesInOutput }]) => [path, bytesInOutput])) };
}

const kilobytes = (name: string, bytes: number): Metric => ({ name, unit: "kB", value: spreadOf([bytes / KB]) });
const zipped = ({ code }: Bundle): number => gzipSync(code, { level: 9 }).length;

function partsOf({ modules }: Bundle): Metric[] {
  const sums = new Map<string, number>();
  for (const [path, bytes] of modules) {
    const name = PARTS.find((part) => part.path.test(path))?.name;
    // The entry itself belongs nowhere and has no code.
    if (name !== undefined) sums.set(name, (sums.get(name) ?? 0) + bytes);
  }
  return [...sums].toSorted(([, a], [, b]) => b - a).map(([name, bytes]) => kilobytes(`  of it ${name}`, bytes));
}

/** What a browser has to load, by what of the client is used. */
export async function measureSizes(): Promise<Section[]> {
  const metrics: Metric[] = [];
  for (const { name, source } of ENTRIES) {
    const built = await bundle(source);
    metrics.push(kilobytes(name, built.code.length), kilobytes(`${name}, gzip`, zipped(built)));
  }
  const whole = await bundle(AGENT?.source ?? "");
  const without = await bundle(AGENT?.source ?? "", [withoutKem]);
  return [
    { title: "Size of the client's bundle for browsers, minified", metrics },
    {
      title: "Size: what the agent's bundle consists of, minified",
      metrics: [
        ...partsOf(whole),
        kilobytes("sntrup761: the bundle is smaller without it by", whole.code.length - without.code.length),
        kilobytes("the same, gzip", zipped(whole) - zipped(without)),
      ],
    },
  ];
}
