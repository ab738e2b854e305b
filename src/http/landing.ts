import type { Context as Call } from "hono";
import { html, raw } from "hono/html";
import { renderSVG } from "uqr";
import type { Config } from "../config.ts";
import { configOf } from "../objects/context.ts";
import type { Env } from "../objects/env.ts";
import { MARK, type Markup, showPage, showTrouble } from "./page.ts";
import { describeRelay, PRIVATE_MINUTE, type RelayInfo } from "./relay-info.ts";
import { troubleOf } from "./trouble.ts";

const DAY = 86_400;
/** Light modules around the code without which cameras do not find it (ISO 18004). */
const QUIET_ZONE = 4;

function qrCode(address: string): Markup {
  const svg = renderSVG(address, { ecc: "M", border: QUIET_ZONE, pixelSize: 1 });
  // Squares drawn next to each other show seams where a screen smooths their edges.
  const attributes = "role=\"img\" aria-label=\"QR code of the relay's address\" shape-rendering=\"crispEdges\"";
  return html`${raw(svg.replace("<svg ", `<svg ${attributes} `))}`;
}

const NEW_QUEUES: Readonly<Record<RelayInfo["newQueues"], string>> = {
  open: "Open to everyone",
  password: "Only with the password",
  off: "Not taken now",
};

function steps(newQueues: RelayInfo["newQueues"]): Markup {
  if (newQueues === "off") {
    return html`<p>This relay takes no new conversations now. Those that already use it go on as before, so there is
nothing to set up in your app.</p>`;
  }
  const password = newQueues === "password"
    ? html`<li><span>Ask the operator for the password and put it after the fingerprint:
<code>smp://<wbr>fingerprint<b>:password</b>@<wbr>host</code></span></li>`
    : "";
  return html`<ol>
<li><span>Open <b>Settings</b> → <b>Network &amp; servers</b> → <b>Your servers</b>.</span></li>
<li><span>Choose <b>Add server</b>, then scan the code or paste the address.</span></li>
${password}
<li><span>Tap <b>Test server</b>, turn on <b>Use for new connections</b> and save.</span></li>
</ol>`;
}

function addressField({ address, fingerprint }: RelayInfo): Markup {
  const host = address.slice(address.indexOf("@") + 1);
  return html`<span class="label" id="label">Address</span>
<div class="field"><code id="address" aria-labelledby="label" role="group"><span>smp://${fingerprint}@</span><wbr
><b>${host}</b></code><button id="copy" type="button" aria-describedby="label" hidden>Copy</button></div>
<p class="unseen" id="told" role="status"></p>`;
}

function content(info: RelayInfo, { limits, push }: Config): Markup {
  const { versions, address } = info;
  const days = Math.round(limits.messageTtl / DAY);
  return html`<header class="card">
<div>
<p class="place">${MARK} ${address.slice(address.indexOf("@") + 1)}</p>
<h1>A relay for private messages</h1>
<p class="lead">This SimpleX relay passes end-to-end encrypted messages between people without knowing who they are.
It cannot read a message, and it forgets each one as soon as it is delivered.</p>
<p class="ways"><a class="open" href="/app/">Chat in this browser</a></p>
${addressField(info)}
</div>
<figure class="qr">${qrCode(address)}<figcaption>Scan with a SimpleX app</figcaption></figure>
</header>
<div class="more">
<section aria-labelledby="use"><h2 id="use">Use it in SimpleX apps</h2>
${steps(info.newQueues)}
</section>
<section aria-labelledby="facts"><h2 id="facts">Good to know</h2>
<dl>
<dt>New queues</dt><dd>${NEW_QUEUES[info.newQueues]}</dd>
<dt>Undelivered</dt><dd>Dropped after ${days} ${days === 1 ? "day" : "days"}</dd>
<dt>Accounts</dt><dd>None</dd>
<dt>Notifications</dt><dd>${push.isOn ? "Pushed, also when the chat is closed" : "Only while the chat is open"}</dd>
<dt>Protocol</dt><dd>SMP v${versions.min}–v${versions.max} over WebSocket</dd>
</dl>
<p class="hint">Apps that speak only TLS need a gateway to it. Where its operator runs one, the address names it.</p>
</section>
</div>
<footer>
<a href="/health">Health</a>
<a href="/relay.json">For programs</a>
<span>smp-edge, free software under the <a href="https://opensource.org/license/mit">MIT licence</a></span>
</footer>`;
}

/** GET /: what this relay is, its address and how to use it. */
export async function landing(c: Call<{ Bindings: Env }>): Promise<Response> {
  try {
    const info = await describeRelay(c);
    const body = content(info, configOf(c.env));
    const title = `SimpleX relay ${info.address.slice(info.address.indexOf("@") + 1)}`;
    return await showPage(c, { title, body }, 200, PRIVATE_MINUTE);
  } catch (error) {
    return showTrouble(c, troubleOf(error));
  }
}
