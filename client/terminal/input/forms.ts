import { Scanner, TypedError } from "./scanner.ts";

/** A conversation as it is typed: `@name`, `#name` or `*`. */
export type Target =
  | { readonly type: "contact" | "group"; readonly name: string }
  /** With oneself. */
  | { readonly type: "notes" };

/** A line that was typed. Messages are named by how they begin; null: the last one. */
export type Typing =
  | { readonly type: "nothing" }
  /** `words`: everything after the slash. */
  | { readonly type: "command"; readonly words: string }
  | { readonly type: "send"; readonly to: Target; readonly text: string }
  | {
    readonly type: "reply";
    readonly to: Target;
    /** Whether an own message is answered. */
    readonly isOwn: boolean;
    /** Who wrote it, in a group; null: anybody. */
    readonly member: string | null;
    readonly start: string | null;
    readonly text: string;
  }
  | { readonly type: "edit"; readonly to: Target; readonly start: string | null; readonly text: string }
  | { readonly type: "delete"; readonly to: Target; readonly member: string | null; readonly start: string | null }
  | { readonly type: "react"; readonly to: Target; readonly emoji: string; readonly add: boolean; readonly start: string | null }
  /** To a member of a group alone, who becomes a contact. */
  | { readonly type: "direct"; readonly group: string; readonly member: string; readonly text: string }
  | { readonly type: "forward"; readonly from: Target; readonly to: Target; readonly member: string | null; readonly start: string | null };

/** @throws TypedError */
export function readTarget(scanner: Scanner): Target {
  scanner.skip();
  if (scanner.take(/^\*(?=\s|$)/u)) return { type: "notes" };
  if (scanner.take(/^#/u)) return { type: "group", name: scanner.name("a group") };
  if (scanner.take(/^@/u)) return { type: "contact", name: scanner.name("a contact") };
  throw new TypedError("say whom you mean: @name, #group or * (notes to yourself)");
}

/** `(how it begins)`, which may hold brackets in pairs. */
function readStart(scanner: Scanner): string | null {
  scanner.skip();
  if (!scanner.rest.startsWith("(")) return null;
  let [depth, end] = [0, 0];
  for (const character of scanner.rest) {
    end += character.length;
    if (character === "(") depth++;
    if (character === ")" && --depth === 0) break;
  }
  if (depth > 0) throw new TypedError("the bracket after the name is not closed: (how the message begins)");
  const start = scanner.rest.slice(1, end - 1);
  scanner.take(new RegExp(`^[\\s\\S]{${end}}`, "u"));
  return start;
}

function readText(scanner: Scanner): string {
  const text = scanner.text();
  if (text === "") throw new TypedError("there is nothing to send");
  return text;
}

const orNull = (text: string): string | null => (text === "" ? null : text);

/** `@name` after a group. */
function readMember(scanner: Scanner, to: Target): string | null {
  scanner.skip();
  return to.type === "group" && scanner.take(/^@/u) ? scanner.name("a member") : null;
}

function reply(scanner: Scanner): Typing {
  const isOwn = scanner.take(/^>>/u) !== null;
  if (!isOwn) scanner.take(/^>/u);
  const to = readTarget(scanner);
  const member = readMember(scanner, to);
  return { type: "reply", to, isOwn, member, start: readStart(scanner), text: readText(scanner) };
}

function edit(scanner: Scanner): Typing {
  scanner.take(/^!/u);
  const to = readTarget(scanner);
  return { type: "edit", to, start: readStart(scanner), text: readText(scanner) };
}

function remove(scanner: Scanner): Typing {
  const isOthers = scanner.take(/^\\\\/u) !== null;
  if (!isOthers) scanner.take(/^\\/u);
  const to = readTarget(scanner);
  const member = isOthers ? readMember(scanner, to) : null;
  if (isOthers && member === null) throw new TypedError("say whose message it is: \\\\ #group @name how it begins");
  return { type: "delete", to, member, start: orNull(readStart(scanner) ?? scanner.text()) };
}

/** Signs for reactions that are easy to type. */
const EMOJI: Readonly<Record<string, string>> = {
  "1": "👍",
  "+": "👍",
  "-": "👎",
  ")": "😀",
  D: "😂",
  ",": "😢",
  "*": "❤",
  "^": "🚀",
  v: "✅",
};

function react(scanner: Scanner): Typing {
  const add = scanner.take(/^[+-]/u)?.[0] === "+";
  const sign = scanner.take(/^\S+/u)?.[0] ?? "";
  if (sign === "") throw new TypedError("say which reaction: +1 -- +) +D +, +* +^ +v, or an emoji after + (add) or - (take back)");
  scanner.skip();
  const to: Target = /^[@#*]/u.test(scanner.rest) ? readTarget(scanner) : { type: "contact", name: scanner.name("a contact") };
  return { type: "react", to, emoji: EMOJI[sign] ?? sign, add, start: orNull(readStart(scanner) ?? scanner.text()) };
}

function message(scanner: Scanner): Typing {
  const to = readTarget(scanner);
  if (!scanner.take(/^\s+<-\s+(?=[@#*])/u)) return { type: "send", to, text: readText(scanner) };
  const from = readTarget(scanner);
  const member = readMember(scanner, from);
  return { type: "forward", from, to, member, start: orNull(scanner.text()) };
}

function direct(scanner: Scanner): Typing {
  scanner.take(/^@#/u);
  const group = scanner.name("a group");
  scanner.skip();
  scanner.take(/^@/u);
  return { type: "direct", group, member: scanner.name("a member"), text: readText(scanner) };
}

/** What a line asks for. @throws TypedError */
export function readTyping(text: string): Typing {
  const typed = text.trim();
  const scanner = new Scanner(typed);
  switch (typed.charAt(0)) {
    case "":
      return { type: "nothing" };
    case "/":
      if (!/^\/\*\s/u.test(typed)) return { type: "command", words: typed.slice(1) };
      scanner.take(/^\//u);
      return message(scanner);
    case "@":
      return typed.startsWith("@#") ? direct(scanner) : message(scanner);
    case "#":
    case "*":
      return message(scanner);
    case ">":
      return reply(scanner);
    case "!":
      return edit(scanner);
    case "\\":
      return remove(scanner);
    case "+":
    case "-":
      return react(scanner);
    default:
      throw new TypedError("say to whom: @name text, or #group text; /help shows what else there is");
  }
}
