import type { Context as Call } from "hono";
import { html } from "hono/html";
import { MARK, type Markup, showPage } from "../page.ts";
import { LINK_SCRIPT } from "./script.ts";
import { type LinkPath, WORDS, type Words } from "./words.ts";

// Says nothing of the relay or of who asks, so it may be kept by any cache.
const FIVE_MINUTES = "public, max-age=300";

/** The elements that the script fills and shows. Until it runs, and where it does not, they stay hidden. */
const LINK: Markup = html`<div id="link" hidden>
<p class="ways"><a class="open" id="open">Open in the SimpleX app</a>
<a class="open also" id="here">Open in this browser</a></p>
<fieldset class="forms label"><legend class="unseen">Form of the link</legend>
<label><input type="radio" name="form" id="as-web" checked> Web link</label>
<label><input type="radio" name="form" id="as-app"> App link</label>
</fieldset>
<div class="field"><code class="long" id="address" tabindex="0" role="group" aria-label="The link"></code
><button id="copy" type="button" hidden>Copy</button></div>
<p class="unseen" id="told" role="status"></p>
<p class="hint">Both lead to the same. The web link opens a page like this one; the app link opens the app and needs
no web site.</p>
</div>`;

const FAULTS: Markup = html`<div role="alert">
<p class="care fault" id="incomplete" hidden><strong>The link is incomplete.</strong> What stands after <code>#</code>
in it is missing: some apps cut it off when they pass a link on. Ask for the whole link, best as copied text or as a
QR code.</p>
<p class="care fault" id="damaged" hidden><strong>The link is damaged.</strong> <span id="fault"></span> Part of it
was lost or changed on its way. Ask for it again, best as copied text or as a QR code.</p>
</div>`;

const NO_SCRIPT: Markup = html`<noscript><p class="care"><strong>Without JavaScript</strong> there is no QR code:
the secret part of the link never reaches this site, so only your browser could draw it. Copy the whole address of this
page from the address bar and paste it in the SimpleX app.</p></noscript>`;

const CODE: Markup = html`<figure class="qr" id="code" hidden>
<svg id="modules" role="img" aria-label="QR code of the link" shape-rendering="crispEdges"><rect width="100%"
height="100%" fill="#fff"/><path id="dark" d=""/></svg>
<figcaption id="scan">Scan with the SimpleX app on another device</figcaption>
<p class="too-long" id="too-long">Too long for a QR code that cameras can read: <span id="length"></span> characters.
Copy the link instead, or open it on this device.</p>
</figure>`;

function intro(words: Words): Markup {
  const [point, rest] = words.care;
  return html`<h1>${words.heading}</h1>
<p class="lead">${words.lead}</p>
<p class="care"><strong>${point}</strong> ${rest}</p>`;
}

/** A long contact address tells only in its secret part whether it is one of a group. */
function intros(path: LinkPath): Markup {
  if (path !== "contact") return intro(WORDS[path]);
  return html`<div id="contact">${intro(WORDS.contact)}</div><div id="group" hidden>${intro(WORDS.g)}</div>`;
}

function content(path: LinkPath): Markup {
  return html`<header class="card">
<div>
<p class="place">${MARK} SimpleX link</p>
${FAULTS}
${intros(path)}
${NO_SCRIPT}
${LINK}
</div>
${CODE}
</header>
<div class="more">
<section aria-labelledby="use"><h2 id="use">How to use it</h2>
<ol>
<li><span>Get the app, if you do not have it: <a href="https://apps.apple.com/app/simplex-chat/id1605771084">iPhone
and iPad</a>, <a href="https://play.google.com/store/apps/details?id=chat.simplex.app">Google Play</a>,
<a href="https://simplex.chat/fdroid">F-Droid</a>, <a href="https://simplex.chat/downloads">computer and
terminal</a>.</span></li>
<li><span>On a device with the app, choose <b>Open in the SimpleX app</b>. On another one, scan the code from inside
the app or paste the link there, where a new chat begins.</span></li>
<li><span>Without an app, choose <b>Open in this browser</b>: this relay brings a chat of its own, which keeps everything
in this browser.</span></li>
<li><span>In a terminal client, type <code>/connect</code>, a space, and paste the link.</span></li>
</ol>
</section>
<section aria-labelledby="facts"><h2 id="facts">Good to know</h2>
<dl>
<dt>Can be used</dt><dd>${WORDS[path].uses}</dd>
<dt id="where" hidden>Leads to</dt><dd id="relay" hidden></dd>
<dt>This site sees</dt><dd>Not the link: what stands after <code>#</code> stays in your browser</dd>
</dl>
<p class="hint">If the app cannot connect, the link may be used up or withdrawn, or the app does not reach the relay:
some relays need a gateway for apps that speak only TLS. Ask whoever gave you the link.</p>
</section>
</div>
<footer>
<a href="/">About this relay</a>
<span>smp-edge, free software under the <a href="https://opensource.org/license/mit">MIT licence</a></span>
</footer>`;
}

/** Paths of the pages of links, each with and without a slash at its end. */
export const LINK_PATHS: readonly string[] = Object.keys(WORDS).flatMap((path) => [`/${path}`, `/${path}/`]);

/** GET of a link: says what it is and how to use it. What it holds, only the browser knows. */
export function linkPage(c: Call): Promise<Response> {
  const path = c.req.path.replaceAll("/", "") as LinkPath;
  const page = { title: `${WORDS[path].title} · SimpleX`, body: content(path), script: LINK_SCRIPT };
  return showPage(c, page, 200, FIVE_MINUTES);
}

/** Any other method: a link is only looked at. */
export function onlyLook(c: Call): Response {
  return c.text("A link can only be looked at.", 405, { Allow: "GET, HEAD" });
}
