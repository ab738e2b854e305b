import { encode } from "uqr";
import { LinkError, type Place, readLink, type SharedLink } from "./read.ts";

// What a page with a link does in the browser; scripts/link-script.ts puts it with all it imports into script.ts.

/** The little of the DOM that is used here. Its own types and those of Workers exclude each other. */
interface Element {
  textContent: string;
  readonly checked: boolean;
  toggleAttribute(name: string, isOn: boolean): void;
  setAttribute(name: string, value: string): void;
  addEventListener(type: "change", listener: () => void): void;
}
declare const document: { getElementById(id: string): Element | null };
declare const location: Place;
declare const window: { addEventListener(type: "hashchange", listener: () => void): void };

/** Light modules around the code without which cameras do not find it (ISO 18004). */
const QUIET_ZONE = 4;
/** Bytes that fit into version 25: beyond it, a module is less than 2 pixels wide and cameras miss it. */
const LONGEST_QR = 1273;

function element(id: string): Element {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element '${id}'`);
  return found;
}

function show(id: string, isShown: boolean): void {
  element(id).toggleAttribute("hidden", !isShown);
}

/** The dark modules as an SVG path, each run of a row as one rectangle. */
function outline(rows: readonly (readonly boolean[])[]): string {
  return rows.flatMap((row, y) => row.map((isDark, x) => {
    if (!isDark || row[x - 1]) return "";
    const end = row.indexOf(false, x);
    const length = (end < 0 ? row.length : end) - x;
    return `M${x} ${y}h${length}v1h-${length}z`;
  })).join("");
}

function drawCode(text: string): void {
  const fits = text.length <= LONGEST_QR;
  show("modules", fits);
  show("scan", fits);
  show("too-long", !fits);
  if (!fits) {
    element("length").textContent = String(text.length);
    return;
  }
  const { data, size } = encode(text, { ecc: "L", boostEcc: true, border: QUIET_ZONE });
  element("modules").setAttribute("viewBox", `0 0 ${size} ${size}`);
  element("dark").setAttribute("d", outline(data));
}

function showForm({ web, app }: SharedLink): void {
  const text = element("as-app").checked ? app : web;
  element("address").textContent = text;
  drawCode(text);
}

function whereabouts(hosts: readonly string[]): string {
  const isHere = hosts.includes(location.hostname.replace(/^\[|\]$/g, ""));
  return `${hosts.join(", ")} (${isHere ? "this relay" : "another relay than this one"})`;
}

function showLink(link: SharedLink): void {
  showForm(link);
  element("open").setAttribute("href", link.app);
  // Behind the `#` it stays in the browser there too.
  element("here").setAttribute("href", `/app/#${link.app}`);
  element("relay").textContent = whereabouts(link.hosts);
  // Only the page of contact addresses has words for both.
  if (document.getElementById("group")) {
    show("group", link.isGroup);
    show("contact", !link.isGroup);
  }
}

let link: SharedLink | null = null;

function read(): void {
  let fault = "";
  try {
    link = readLink(location);
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    link = null;
    fault = error.message;
  }
  if (link) showLink(link);
  for (const id of ["link", "code", "where", "relay"]) show(id, link !== null);
  show("damaged", fault !== "");
  show("incomplete", link === null && fault === "");
  element("fault").textContent = fault;
}

function change(): void {
  if (link) showForm(link);
}

element("as-web").addEventListener("change", change);
element("as-app").addEventListener("change", change);
// Somebody who puts the right link into the address bar stays on the same page.
window.addEventListener("hashchange", read);
read();
