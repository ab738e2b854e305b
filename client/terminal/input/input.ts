import { edited, EMPTY_TEXT, insert, type Key, keyName, type Text, textAtEnd, typed } from "./editor.ts";

/** Everything that is being typed, and what was typed before. */
export interface Input extends Text {
  /** Lines of before, the oldest first. */
  readonly history: readonly string[];
  /** Which of them is shown; null: what is typed now. */
  readonly place: number | null;
  /** What was typed when going back began. */
  readonly kept: string;
  readonly cut: string;
  /** Inside of a bracketed paste, and whether its last character was a carriage return. */
  readonly paste: "none" | "on" | "afterReturn";
  /** The conversation that what is typed goes to unless it says another: `@bob `. */
  readonly prefix: string;
  /** The key before has put the conversation of before behind a sign: `> @bob `. */
  readonly isOffered: boolean;
  /** What is looked for in the history (^R); null: nothing. */
  readonly search: string | null;
}

export const EMPTY_INPUT: Input = {
  ...EMPTY_TEXT,
  history: [],
  place: null,
  kept: "",
  cut: "",
  paste: "none",
  prefix: "",
  isOffered: false,
  search: null,
};

/** What the program is to do about a key. */
export type Act =
  | { readonly type: "none" }
  | { readonly type: "submit"; readonly text: string }
  | { readonly type: "complete" }
  /** ^C with nothing typed. */
  | { readonly type: "interrupt" }
  /** ^D with nothing typed. */
  | { readonly type: "end" }
  | { readonly type: "clear" }
  | { readonly type: "suspend" }
  /** The last message is to be edited. */
  | { readonly type: "editLast" }
  | { readonly type: "bell" };

export interface Pressed {
  readonly input: Input;
  readonly act: Act;
}

const NONE: Act = { type: "none" };

const stay = (input: Input, act: Act = NONE): Pressed => ({ input, act });

const withText = (input: Input, { text, at }: Text): Input => ({ ...input, text, at, isOffered: false });

/** Lines of the history that are kept. */
export const HISTORY_LIMIT = 1000;

/** Commands that hold a passphrase are kept nowhere. */
export function isSecret(text: string): boolean {
  return /^\s*\/db\s+\S+\s+\S/u.test(text);
}

/** The history with one line more; the same line twice in a row is one. */
export function remembered(history: readonly string[], text: string): readonly string[] {
  if (text.trim() === "" || isSecret(text) || history.at(-1) === text) return history;
  return [...history, text].slice(-HISTORY_LIMIT);
}

function show(input: Input, place: number | null, kept: string): Pressed {
  const text = place === null ? kept : input.history[place] ?? "";
  return stay(withText({ ...input, place, kept }, textAtEnd(text)));
}

function earlier(input: Input): Pressed {
  const place = input.place === null ? input.history.length - 1 : input.place - 1;
  if (place < 0) return stay(input, { type: "bell" });
  return show(input, place, input.place === null ? input.text : input.kept);
}

function later(input: Input): Pressed {
  if (input.place === null) return stay(input, { type: "bell" });
  const place = input.place + 1;
  return show(input, place < input.history.length ? place : null, input.kept);
}

/** Up and down go through the lines of a text first. */
function vertical(input: Input, isUp: boolean): Pressed {
  const rows = input.text.split("\n");
  const head = input.text.slice(0, input.at).split("\n");
  const [row, column] = [head.length - 1, head.at(-1)?.length ?? 0];
  const target = rows[isUp ? row - 1 : row + 1];
  if (target === undefined) return isUp ? earlier(input) : later(input);
  const start = rows.slice(0, isUp ? row - 1 : row + 1).reduce((sum, one) => sum + one.length + 1, 0);
  return stay({ ...input, at: start + Math.min(column, target.length) });
}

/** Characters that begin something else than a message to the conversation of before. */
const BEGINNINGS = /^[@#/>\\!+*-]/u;

const isTarget = (text: string): boolean => /^(?:>>?|!|\\)$/u.test(text);

/** The text with something typed; it goes to the conversation of before unless it says another. */
function put(input: Input, piece: string): Input {
  const { text, at, prefix } = input;
  const isAtEnd = at === text.length;
  if (text === "" && piece.trim() !== "" && !BEGINNINGS.test(piece)) return withText(input, insert(input, prefix + piece));
  if (piece === " " && isAtEnd && isTarget(text)) {
    return { ...withText(input, insert(input, piece + prefix)), isOffered: prefix !== "" };
  }
  // Whoever says another one after all means that one.
  if (input.isOffered && /^[@#*]/u.test(piece)) {
    return withText(input, textAtEnd(text.slice(0, text.length - prefix.length) + piece));
  }
  return withText(input, insert(input, piece));
}

function pasted(input: Input, key: Key): Pressed {
  if (key.name === "paste-end") return stay({ ...input, paste: "none" });
  // CR LF is one new line.
  if (key.sequence === "\n" && input.paste === "afterReturn") return stay({ ...input, paste: "on" });
  const piece = key.sequence === "\r" ? "\n" : key.sequence;
  return stay({ ...put(input, piece), paste: key.sequence === "\r" ? "afterReturn" : "on" });
}

/** The latest line of the history that holds what is looked for, at `from` or before. */
export function found(input: Input, from = input.history.length - 1): number | null {
  const wanted = (input.search ?? "").toLowerCase();
  for (let place = Math.min(from, input.history.length - 1); place >= 0; place--) {
    if (input.history[place]?.toLowerCase().includes(wanted)) return place;
  }
  return null;
}

function looked(input: Input, search: string, from?: number): Pressed {
  const next = { ...input, search };
  const place = found(next, from);
  if (place === null) return stay(next, { type: "bell" });
  return stay(withText({ ...next, place }, textAtEnd(input.history[place] ?? "")));
}

function searching(input: Input, key: Key): Pressed {
  const name = keyName(key);
  const search = input.search ?? "";
  if (name === "^r") return looked(input, search, (input.place ?? input.history.length) - 1);
  if (name === "backspace" || name === "^h") return looked(input, [...search].slice(0, -1).join(""));
  if (name === "^c" || name === "^g") return show({ ...input, search: null }, null, input.kept);
  const letter = typed(key);
  if (letter !== null) return looked(input, search + letter);
  // Any other key goes on with what was found.
  return name === "escape" || name === "~escape" ? stay({ ...input, search: null }) : press({ ...input, search: null }, key);
}

function submitted(input: Input): Pressed {
  const history = remembered(input.history, input.text);
  const { cut, prefix } = input;
  return { input: { ...EMPTY_INPUT, cut, prefix, history }, act: { type: "submit", text: input.text } };
}

const ACTS: Readonly<Record<string, (input: Input) => Pressed>> = {
  return: submitted,
  "~return": (input) => stay(withText(input, insert(input, "\n"))),
  "~enter": (input) => stay(withText(input, insert(input, "\n"))),
  enter: (input) => stay(withText(input, insert(input, "\n"))),
  "^j": (input) => stay(withText(input, insert(input, "\n"))),
  tab: (input) => stay(input, { type: "complete" }),
  up: (input) => vertical(input, true),
  down: (input) => vertical(input, false),
  "^p": (input) => vertical(input, true),
  "^n": (input) => vertical(input, false),
  "~up": (input) => stay(input, { type: "editLast" }),
  "^r": (input) => stay({ ...input, search: "", kept: input.place === null ? input.text : input.kept }),
  "^y": (input) => stay(withText(input, insert(input, input.cut))),
  "^l": (input) => stay(input, { type: "clear" }),
  "^z": (input) => stay(input, { type: "suspend" }),
  "^c": (input) => {
    if (input.text === "") return stay(input, { type: "interrupt" });
    return stay({ ...EMPTY_INPUT, history: input.history, prefix: input.prefix, cut: input.text });
  },
  "paste-start": (input) => stay({ ...input, paste: "on" }),
};

/** What a key does. State in, state out. */
export function press(before: Input, key: Key): Pressed {
  const isLetter = before.paste !== "none" || typed(key) !== null;
  const input = isLetter ? before : { ...before, isOffered: false };
  if (input.paste !== "none") return pasted(input, key);
  if (input.search !== null) return searching(input, key);
  const name = keyName(key);
  if (name === "^d") {
    if (input.text === "") return stay(input, { type: "end" });
    return stay(withText(input, edited(input, { ...key, name: "delete", ctrl: false })?.text ?? input));
  }
  const act = Object.hasOwn(ACTS, name) ? ACTS[name] : undefined;
  if (act) return act(input);
  const change = edited(input, key);
  if (change) return stay(withText({ ...input, cut: change.cut || input.cut }, change.text));
  const letter = typed(key);
  return letter === null ? stay(input) : stay(put(input, letter));
}
