import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const FOLDER = fileURLToPath(new URL("../src/http/link/", import.meta.url));
/** Where the bundled script lives: a module like any other, so every bundler and test takes it as it is. */
export const LINK_SCRIPT_FILE = `${FOLDER}script.ts`;

const HEADER = `// Made by scripts/link-script.ts from browser.ts; do not edit.

/** What a page with a link runs: see browser.ts. */
export const LINK_SCRIPT = \``;
const NOTICE = "/* With uqr, MIT licence, (c) Project Nayuki, (c) 2023 Anthony Fu */\n";

/** The module that holds browser.ts and all it imports as one text. */
export async function buildLinkScript(): Promise<string> {
  const { outputFiles: [bundle] } = await esbuild.build({
    entryPoints: [`${FOLDER}browser.ts`],
    write: false,
    bundle: true,
    format: "iife",
    target: "es2022",
    minify: true,
    lineLimit: 110,
    banner: { js: NOTICE },
  });
  if (!bundle || bundle.text.includes("</script")) throw new Error("this bundle cannot stand in a page");
  return `${HEADER}${bundle.text.replaceAll(/[\\`]|\$\{/g, "\\$&")}\`;\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(LINK_SCRIPT_FILE, await buildLinkScript());
  await esbuild.stop();
}
