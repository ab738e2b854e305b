import type { Context as Call } from "hono";
import { html, raw } from "hono/html";
import { base64, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { STYLE } from "./style.ts";
import type { Trouble } from "./trouble.ts";

/** Markup whose inserted texts are escaped. */
export type Markup = ReturnType<typeof html>;

export interface Page {
  readonly title: string;
  /** The content of `main`. */
  readonly body: Markup;
  /** Whether it is a short note in place of the page that was asked for. */
  readonly isNote?: boolean;
  /** What it runs besides the script of every page. */
  readonly script?: string;
}

// The text stays selectable where scripts do not run, so the button shows itself only here.
const SCRIPT = `
const address = document.getElementById("address");
const button = document.getElementById("copy");
const told = document.getElementById("told");
let timer;
function tell(label, text) {
  button.textContent = label;
  told.textContent = text;
  clearTimeout(timer);
  timer = setTimeout(() => { button.textContent = "Copy"; told.textContent = ""; }, 2500);
}
if (button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(address.textContent);
      tell("Copied", "It is copied.");
    } catch {
      getSelection().selectAllChildren(address);
      tell("Selected", "It is selected. Copy it with your keyboard or menu.");
    }
  });
}
`;

const hashOf = (text: string): string => `'sha256-${base64(sha256(utf8(text)))}'`;

const STYLE_HASH = hashOf(STYLE);
const SCRIPT_HASH = hashOf(SCRIPT);

const policy = (script: string | undefined): string => [
  "default-src 'none'",
  `style-src ${STYLE_HASH}`,
  `script-src ${SCRIPT_HASH}${script === undefined ? "" : ` ${hashOf(script)}`}`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  // No text can become markup, not even by mistake.
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const MARK_SVG = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 28 28' aria-hidden='true'>"
  + "<rect width='28' height='28' rx='8' fill='#0a5dc2'/>"
  + "<path d='M6 10.5h13m0 0-3.5-3.5M19 10.5 15.5 14M22 17.5H9m0 0 3.5-3.5M9 17.5l3.5 3.5' fill='none'"
  + " stroke='#fff' stroke-width='2' stroke-linecap='round' stroke-linejoin='round'/></svg>";
const ICON = `data:image/svg+xml,${encodeURIComponent(MARK_SVG)}`;

/** The relay's mark, for the top of a page. */
export const MARK: Markup = html`${raw(MARK_SVG)}`;

/** A whole page that needs nothing from anywhere and lets nothing in. */
export async function showPage(c: Call, page: Page, status: 200 | 400 | 503, cache: string): Promise<Response> {
  const markup = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title}</title>
<link rel="icon" href="${ICON}">
<style>${raw(STYLE)}</style>
</head>
<body>
<main${raw(page.isNote ? " class=\"note\"" : "")}>
${page.body}
</main>
<script>${raw(SCRIPT)}</script>${page.script === undefined ? "" : html`
<script>${raw(page.script)}</script>`}
</body>
</html>
`;
  return c.html(markup, status, {
    "Content-Security-Policy": policy(page.script),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": cache,
  });
}

const inCode = (text: string): Markup[] =>
  text.split("`").map((part, i) => i % 2 === 0 ? html`${part}` : html`<code>${part}</code>`);

/** Says in plain words what is wrong, and to the operator what to do. */
export function showTrouble(c: Call, { title, text, remedy, status }: Trouble): Promise<Response> {
  const hint = remedy ? html`<p class="hint"><strong>If you run it:</strong> ${inCode(remedy)}</p>` : "";
  const body = html`<div class="card"><div>
<p class="place">${MARK} SimpleX relay</p>
<h1>${title}</h1>
<p class="lead">${text}</p>
${hint}
</div></div>`;
  return showPage(c, { title, body, isNote: true }, status, "no-store");
}
