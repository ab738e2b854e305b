import { displayText } from "../../chat/wire/rules/display.ts";
import { bold, cyan, dim, type Line, plain, type Span, styledAs } from "./styled.ts";

/** `*bold*`, `_italic_`, `~struck~` and `` `code` `` as official apps have them, and what can be opened or followed. */
const MARKED =
  /(?<![\p{L}\p{N}])(?:(?<sign>[*_~`])(?=\S)[^\n]{0,400}?(?<=\S)\k<sign>(?![\p{L}\p{N}])|(?<link>(?:https?|simplex|smp):\/?\/?[^\s<>"]+))/gu;

const italic = styledAs("underline");

function spanOf(text: string, sign: string | undefined): Span {
  switch (sign) {
    case "*":
      return bold(text);
    case "_":
      return italic(text);
    case "~":
    case "`":
      return dim(text);
    default:
      return cyan(text);
  }
}

/** The signs stay: without colours they are all there is. */
export function marked(text: string): Span[] {
  const spans: Span[] = [];
  let at = 0;
  for (const match of text.matchAll(MARKED)) {
    const [whole] = match;
    if (whole.length < 3) continue;
    spans.push(plain(text.slice(at, match.index)), spanOf(whole, match.groups?.["sign"]));
    at = match.index + whole.length;
  }
  return [...spans, plain(text.slice(at))].filter((one) => one.text !== "");
}

/** A text of several lines as lines, the first of them after what stands before it. */
export function block(before: readonly Span[], text: string, indent = ""): Line[] {
  const [first = "", ...others] = displayText(text).split("\n");
  return [[...before, ...marked(first)], ...others.map((one) => [plain(indent), ...marked(one)])];
}
