// What others send is shown beside what this program says itself. It must not move the cursor of a terminal, turn the
// direction of what stands around it, hide a part of itself or go on for ever. What people write in any language,
// emoji made of several parts and marks of direction that only concern their own place stay as they are.

const REPLACEMENT = "\u{fffd}";

// Embeddings, overrides and isolates (Unicode Annex 9) reach beyond the text when they are not closed; the marks
// U+200E, U+200F and U+061C do not, and are left. Then old switches of shaping, anchors of annotations and of musical
// notation.
const REPLACED = /[\u202A-\u202E\u2066-\u206F\uFFF9-\uFFFB\u{1D173}-\u{1D17A}]/gu;
const LINE_BREAKS = /\r\n?|[\u2028\u2029\u0085\v\f]/gu;

/** More marks than any writing puts on one letter climb over the lines above. */
const MAX_MARKS = 8;
const MANY_MARKS = new RegExp(`(\\p{M}{${MAX_MARKS}})\\p{M}+`, "gu");

/** ESC becomes ␛, and so on: what was there can be seen. */
function pictureOf(control: string): string {
  const code = control.charCodeAt(0);
  if (code > 0x7f) return REPLACEMENT;
  return String.fromCharCode(code === 0x7f ? 0x2421 : 0x2400 + code);
}

/**
 * A text of several lines as it can be shown: control characters as pictures of themselves, controls of direction as
 * U+FFFD, every kind of new line as `\n`. Tabs stay.
 */
export function displayText(text: string): string {
  return text
    .toWellFormed()
    .replace(LINE_BREAKS, "\n")
    .replace(/(?![\n\t])\p{Cc}/gu, pictureOf)
    .replace(REPLACED, REPLACEMENT)
    .replace(MANY_MARKS, "$1");
}

/** As {@link displayText}, in one line: white space of any kind and length is one space, none at the ends. */
export function displayLine(text: string): string {
  return displayText(text).replace(/\s+/gu, " ").trim();
}

// Left of the characters without a shape are joiners, which emoji, Indic and Persian writing need, and selectors of
// variants. Tags are left in flags.
const KEPT =
  "\\u200C|\\u200D|[\\u180B-\\u180F]|[\\uFE00-\\uFE0F]|[\\u{E0020}-\\u{E007F}]|[\\u{E0100}-\\u{E01EF}]";
const INVISIBLE = new RegExp(`(?!${KEPT})\\p{Default_Ignorable_Code_Point}`, "gu");
const TAGS = /(?<!\u{1F3F4}[\u{E0020}-\u{E007E}]*)[\u{E0020}-\u{E007F}]+/gu;
const LOOSE_ENDS = /^(?:\u200C|\u200D|\u2800|\s)+|(?:\u200C|\u2800|\s)+$/gu;

/** UTF-16 units of a line that are looked at; the work for some lines grows with the square of it. */
const MAX_LINE = 1024;

/**
 * As {@link displayLine}, without characters that have no shape, by which two lines would look the same. Empty when
 * there are no others. Cut after 1,024 UTF-16 units.
 */
export function visibleLine(text: string): string {
  const shown = displayText(text.slice(0, MAX_LINE));
  return displayLine(shown.replace(INVISIBLE, "").replace(TAGS, "")).replace(LOOSE_ENDS, "");
}

/** Characters of a name that are shown. */
export const MAX_SHOWN_NAME = 64;
/** Shown for a name of which nothing can be seen. */
export const NO_NAME = "(no name)";

/** Somebody's name as it can be shown beside others: one line, nothing invisible, not longer than 64 characters. */
export function displayName(name: string): string {
  const line = visibleLine(name);
  const characters = [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(line)];
  const shown = characters
    .slice(0, MAX_SHOWN_NAME)
    .map(({ segment }) => segment)
    .join("");
  if (shown === "") return NO_NAME;
  return characters.length > MAX_SHOWN_NAME ? `${shown}…` : shown;
}
