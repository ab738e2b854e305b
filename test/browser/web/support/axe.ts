import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults, RunOptions } from "axe-core";
import type { Page } from "playwright-core";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const OPTIONS: RunOptions = {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  resultTypes: ["violations"],
};

/** What keeps people from using the page as it is now, each as one line. */
export async function barriers(page: Page): Promise<string[]> {
  // Not through a script element: the page lets nothing in.
  if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(SOURCE);
  const { violations } = (await page.evaluate(`axe.run(document, ${JSON.stringify(OPTIONS)})`)) as AxeResults;
  return violations.flatMap(({ id, impact, nodes }) => nodes.map(({ html, failureSummary = "" }) => {
    const why = failureSummary.replace(/\s+/g, " ");
    return `${id} (${impact}): ${html.slice(0, 200)} ${why}`;
  }));
}
