import { displayText } from "../../chat/wire/rules/display.ts";
import { pictureHeader } from "../media/picture-size.ts";

/** A piece of a message with one look. */
export interface Piece {
  readonly look: "plain" | "bold" | "italic" | "struck" | "code" | "secret" | "mention" | "coloured";
  readonly text: string;
}
/** A piece that leads somewhere. */
export interface Anchor {
  readonly look: "web" | "simplex";
  readonly text: string;
  readonly href: string;
}

const WEB = /(?:https?:\/\/|simplex:\/)[^\s<>"]+/giu;
/** What follows a link and does not belong to it. */
const TRAILING: ReadonlySet<string> = new Set(".,;:!?'\"»”’…*_~`");
// As official clients read it: a mark, no space inside of it, and nothing of a word around.
const STYLED = /(?<![\p{L}\p{N}])([*_~`#])(?=\S)([^\n]{0,500}?\S)\1(?![\p{L}\p{N}])/u;
const COLOURED = /(?<![\p{L}\p{N}])!([1-6]) (\S[^\n!]{0,500})!/u;
const MENTION = /(?<=^|\s)@(?:'[^'\n]{1,200}'|[^\s@']{1,200})/u;
const MARKED = new RegExp([STYLED, COLOURED, MENTION].map(({ source }) => source).join("|"), "gu");
const LOOKS: Readonly<Record<string, Piece["look"]>> = {
  "*": "bold", _: "italic", "~": "struck", "`": "code", "#": "secret",
};
const SIMPLEX = /^(?:simplex:\/|https:\/\/[^/#?]+\/(?:[icgar]|contact|invitation)\/?[#?])/iu;

/** A longer text is shown without looks and links. */
const MAX_RICH = 16_000;

function marked(text: string, hasMentions: boolean): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(MARKED)) {
    const [all, mark, inner, colour, coloured] = match;
    if (mark === undefined && colour === undefined && !hasMentions) continue;
    if (match.index > at) pieces.push({ look: "plain", text: text.slice(at, match.index) });
    const look = mark === undefined ? (colour === undefined ? "mention" : "coloured") : (LOOKS[mark] ?? "plain");
    pieces.push({ look, text: inner ?? coloured ?? all });
    at = match.index + all.length;
  }
  if (at < text.length) pieces.push({ look: "plain", text: text.slice(at) });
  return pieces;
}

const MAX_LINK = 4096;

const OPENING: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };

/** A closing bracket belongs to the link only when the opening one does. */
function trimmed(link: string): string {
  const counts = new Map<string, number>();
  for (const character of link) counts.set(character, (counts.get(character) ?? 0) + 1);
  let end = link.length;
  for (; end > 0; end--) {
    const last = link.charAt(end - 1);
    const open = OPENING[last];
    if (open !== undefined) {
      const closed = counts.get(last) ?? 0;
      if (closed <= (counts.get(open) ?? 0)) break;
      counts.set(last, closed - 1);
    } else if (!TRAILING.has(last)) break;
  }
  return link.slice(0, end);
}

/** Only of http and https, with a host that can be seen as it is. */
function webAnchor(link: string): Anchor | null {
  const url = URL.parse(link);
  if (!url || !["https:", "http:"].includes(url.protocol) || url.username !== "" || url.hostname === "") return null;
  // A host of other letters may look like another one: its encoded name cannot.
  const host = /^https?:\/\/([^/?#]*)/iu.exec(link)?.[1] ?? "";
  const isPlain = /^[\x21-\x7e]*$/u.test(host);
  return { look: "web", text: isPlain ? link : link.replace(host, url.host), href: url.href };
}

export function isSimplexLink(text: string): boolean {
  return SIMPLEX.test(text);
}

function anchorOf(link: string): Anchor | null {
  return isSimplexLink(link) ? { look: "simplex", text: link, href: link } : webAnchor(link);
}

/** What a message says, neutralised, in pieces. */
export function richText(source: string, hasMentions = false): readonly (Piece | Anchor)[] {
  const text = displayText(source);
  if (text.length > MAX_RICH) return [{ look: "plain", text }];
  const pieces: (Piece | Anchor)[] = [];
  let at = 0;
  for (const match of text.matchAll(WEB)) {
    if (match[0].length > MAX_LINK) continue;
    const link = trimmed(match[0]);
    const anchor = anchorOf(link);
    if (!anchor) continue;
    pieces.push(...marked(text.slice(at, match.index), hasMentions), anchor);
    at = match.index + link.length;
  }
  return [...pieces, ...marked(text.slice(at), hasMentions)];
}

// Skin tones, joiners and selectors belong to emoji.
const ONLY_EMOJI = /^(?:\p{RGI_Emoji}\s*){1,3}$/v;

/** Up to three emoji and nothing else are shown large. */
export function isOnlyEmoji(text: string): boolean {
  return text.length < 64 && ONLY_EMOJI.test(text.trim());
}

const RASTER = /^data:image\/(?:png|jpe?g|gif|webp);base64,([A-Za-z0-9+/=\s]+)$/u;
/** More than any honest preview has, and still a small part of what a phone can hold. */
const MAX_PREVIEW_PIXELS = 4_000_000;

function bytesOf(base64: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

/** A picture that somebody sent, if it is one of a kind that runs nothing and not too large to show; else null. */
export function safeImage(uri: string | null | undefined): string | null {
  const bytes = bytesOf(RASTER.exec(uri ?? "")?.[1] ?? "");
  const header = bytes && pictureHeader(bytes);
  if (!uri || !header || header.pixels > MAX_PREVIEW_PIXELS) return null;
  // Official clients name both kinds.
  return uri.replace(/^data:image\/jpg;/u, "data:image/jpeg;");
}
