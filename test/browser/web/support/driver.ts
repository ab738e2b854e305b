import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Page, Route } from "playwright-core";
import type { Person } from "./web-browser.ts";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));

let bundled: Promise<string> | null = null;

/** What stands in place of the views. */
export function driverScript(): Promise<string> {
  bundled ??= bundle();
  return bundled;
}

async function bundle(): Promise<string> {
  const { outputFiles: [output] } = await build({
    absWorkingDir: ROOT,
    stdin: {
      contents: `import * as driver from "./test/browser/web/page/driver.ts"; globalThis.driver = driver;`,
      resolveDir: ROOT,
    },
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2024",
  });
  if (!output) throw new Error("esbuild built nothing");
  return output.text;
}

/**
 * Puts a driver in place of the views in all pages of a person: page, worker and headers are those of the relay, and the
 * session is told from outside what to do.
 */
export async function withoutViews(person: Person): Promise<void> {
  const body = await driverScript();
  await person.context.route(/\/app\/main-\w+\.js$/, (route: Route) => route.fulfill({ contentType: "text/javascript", body }));
}

/** Calls an exported function of the driver. Arguments and answer go as JSON. @throws what the function throws */
export async function drive<T>(page: Page, name: string, ...args: readonly unknown[]): Promise<T> {
  return await page.evaluate(`driver.${name}(...${JSON.stringify(args)})`) as T;
}
