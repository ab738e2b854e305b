// How many columns a text takes on a terminal. Terminals do not agree on all of it, so nothing may break when they
// see a few characters otherwise.

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** What a person takes for characters. */
export function graphemes(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** East Asian Wide and Fullwidth (Unicode Annex 11), by blocks. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{17000}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f251}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
/** Marks and characters of no shape; vowels and finals that join a Hangul syllable. */
const ZERO = /[\p{Mn}\p{Me}\p{Cf}\p{Cc}\u1160-\u11ff]/u;
/** Emoji of several parts, flags, and signs that are asked to be emoji: wide for some, narrow for others. */
const DOUBTFUL = /\ufe0f|\u200d|\u20e3|\p{Regional_Indicator}|\p{Emoji_Modifier}/u;

function widthOfPoint(point: string): number {
  if (ZERO.test(point)) return 0;
  return WIDE.test(point) ? 2 : 1;
}

/** Columns of one grapheme. */
export function graphemeWidth(grapheme: string): number {
  if (grapheme.length === 1) return widthOfPoint(grapheme);
  if (DOUBTFUL.test(grapheme)) return 2;
  let width = 0;
  for (const point of grapheme) width += widthOfPoint(point);
  return width;
}

const ASCII = /^[\x20-\x7e]*$/;

/** Columns of a text in one line. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  return graphemes(text).reduce((sum, one) => sum + graphemeWidth(one), 0);
}

function wrapped(text: string, columns: number, widthOfOne: (grapheme: string) => number): number {
  let [rows, column] = [1, 0];
  for (const one of graphemes(text)) {
    const width = widthOfOne(one);
    if (column + width > columns) [rows, column] = [rows + 1, 0];
    column += width;
  }
  return rows;
}

/** The widest that a terminal may take a grapheme for: each of its parts by itself. */
function widest(grapheme: string): number {
  let width = 0;
  for (const point of grapheme) width += DOUBTFUL.test(point) && point.length === 1 ? 0 : widthOfPoint(point);
  return Math.max(2, width);
}

/** Rows that a line takes on a terminal of so many columns, as it wraps by itself; null when terminals may differ. */
export function rowsOf(text: string, columns: number): number | null {
  if (ASCII.test(text)) return Math.max(1, Math.ceil(text.length / columns));
  const most = wrapped(text, columns, (one) => (DOUBTFUL.test(one) ? widest(one) : graphemeWidth(one)));
  const least = wrapped(text, columns, (one) => (DOUBTFUL.test(one) ? 1 : graphemeWidth(one)));
  return most === least ? most : null;
}

/** The beginning of a text that fits, with "…" when something was left out. */
export function shortened(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let [cut, width] = ["", 1];
  for (const one of graphemes(text)) {
    width += graphemeWidth(one);
    if (width > columns) break;
    cut += one;
  }
  return `${cut}…`;
}
