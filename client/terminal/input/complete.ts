import { quoteName } from "./scanner.ts";

/** What can stand in a place of a command. */
export type Kind = "contact" | "group" | "chat" | "member" | "request" | "user" | "file" | "topic" | "onOff" | "allow" | "role" | "text";

export interface Completable {
  /** Without the slash. */
  readonly name: string;
  readonly takes: readonly Kind[];
}

/** Where names come from. */
export interface Names {
  contacts(): Promise<readonly string[]>;
  groups(): Promise<readonly string[]>;
  members(group: string): Promise<readonly string[]>;
  requests(): Promise<readonly string[]>;
  users(): Promise<readonly string[]>;
  /** Paths that begin so. */
  files(path: string): Promise<readonly string[]>;
  topics(): readonly string[];
}

export interface Completion {
  /** Where the completed part begins. */
  readonly from: number;
  /** What all choices have in common; a space follows when there is one only. */
  readonly common: string;
  readonly choices: readonly string[];
}

function commonStart(choices: readonly string[]): string {
  const [first = "", ...others] = choices;
  let length = first.length;
  for (const one of others) {
    while (!one.startsWith(first.slice(0, length))) length--;
  }
  return first.slice(0, length).toWellFormed() === first.slice(0, length) ? first.slice(0, length) : first.slice(0, length - 1);
}

/** Something that can be typed: as it is, and as it is compared with what was typed. */
interface Choice {
  readonly form: string;
  readonly bare: string;
}

const asIs = (form: string): Choice => ({ form, bare: form });

const isQuoted = (typed: string): boolean => /^[@#]?'/u.test(typed);
const withoutQuotes = (typed: string): string => typed.replace(/^([@#]?)'/u, "$1").replace(/'$/u, "").replaceAll("''", "'");

function completion(from: number, typed: string, all: readonly Choice[], end = " "): Completion | null {
  const start = withoutQuotes(typed);
  const exact = all.filter(({ bare }) => bare.startsWith(start));
  const fitting = exact.length > 0 ? exact : all.filter(({ bare }) => bare.toLowerCase().startsWith(start.toLowerCase()));
  const found = [...new Map(fitting.map((one) => [one.form, one])).values()].toSorted((a, b) => (a.form < b.form ? -1 : 1));
  const [first, ...others] = found;
  if (!first) return null;
  const choices = found.map(({ form }) => form);
  if (others.length === 0) return { from, common: first.form + end, choices };
  const common = commonStart(found.map(({ bare }) => bare));
  // Names that differ from what was typed by case only may have less in common than that.
  if (common.length <= start.length) return { from, common: typed, choices };
  const needsQuotes = isQuoted(typed) || found.some(({ form, bare }) => form !== bare);
  const [sign = ""] = /^[@#]?/u.exec(common) ?? [];
  const quoted = `${sign}'${common.slice(sign.length).replaceAll("'", "''")}`;
  return { from, common: needsQuotes ? quoted : common, choices };
}

const WORDS: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  onOff: ["on", "off"],
  allow: ["always", "yes", "no"],
  role: ["observer", "member", "moderator", "admin", "owner"],
};

async function namesOf(kind: Kind, typed: string, group: string, names: Names): Promise<Choice[]> {
  const choices = (all: readonly string[], sign: string): Choice[] => {
    return all.map((name) => ({ form: sign + quoteName(name), bare: sign + name }));
  };
  const given = (all: readonly string[], sign: string): Choice[] => choices(all, typed.startsWith(sign) ? sign : "");
  switch (kind) {
    case "contact":
      return given(await names.contacts(), "@");
    case "group":
      return given(await names.groups(), "#");
    case "member":
      return given(await names.members(group), "@");
    case "request":
      return given(await names.requests(), "@");
    case "user":
      return choices(await names.users(), "");
    case "chat":
      return [...choices(await names.contacts(), "@"), ...choices(await names.groups(), "#"), asIs("*")];
    default:
      return [];
  }
}

/** The part that is being typed, and the finished ones before it. */
function parts(text: string): { readonly done: string[]; readonly last: string } {
  const all = [...text.matchAll(/[@#]?'(?:[^']|'')*(?:'|$)|\S+/gu)].map(([part]) => part);
  const isOpen = text === "" || /\s$/u.test(text) && !/'[^']*$/u.test(all.at(-1)?.replace(/'[^']*'/gu, "") ?? "");
  return isOpen ? { done: all, last: "" } : { done: all.slice(0, -1), last: all.at(-1) ?? "" };
}

const bare = (name: string): string => name.replace(/^[@#]/u, "").replace(/^'(.*)'$/u, "$1").replaceAll("''", "'");

async function ofCommand(text: string, commands: readonly Completable[], names: Names): Promise<Completion | null> {
  const typed = text.slice(1);
  // The longest one counts: "set" is the beginning of "set voice".
  const command = commands
    .filter(({ name }) => typed.startsWith(`${name} `))
    .toSorted((a, b) => b.name.length - a.name.length)[0];
  const started = commands.filter(({ name }) => name.startsWith(typed)).map(({ name }) => `/${name}`);
  if (started.length > 0) return completion(0, text, started.map(asIs));
  if (!command) return null;
  const { done, last } = parts(typed.slice(command.name.length + 1));
  const kind = command.takes[Math.min(done.length, command.takes.length - 1)];
  if (kind === undefined || (done.length >= command.takes.length && kind !== "file")) return null;
  const from = text.length - last.length;
  if (kind === "file") return completion(from, last, (await names.files(last)).map(asIs), "");
  if (kind === "topic") return completion(from, last, names.topics().map(asIs));
  const words = WORDS[kind];
  return completion(from, last, words?.map(asIs) ?? await namesOf(kind, last, bare(done[0] ?? ""), names));
}

/** What may follow the text before the cursor; null when nothing is known. */
export async function complete(text: string, commands: readonly Completable[], names: Names): Promise<Completion | null> {
  if (text.startsWith("/") && !text.startsWith("/*")) return ofCommand(text, commands, names);
  const head = /^(?:>>?|!|\\{1,2}|[+-]\S+)?\s*(?<typed>[@#](?:'(?:[^']|'')*|[^\s']*))$/u.exec(text)?.groups?.["typed"];
  if (head !== undefined) {
    const all = await namesOf(head.startsWith("@") ? "contact" : "group", head, "", names);
    return completion(text.length - head.length, head, all);
  }
  // A member in a message to a group.
  const inGroup = /^(?:>>?|!|\\{1,2}|[+-]\S+)?\s*#(?<group>'(?:[^']|'')*'|\S+)\s(?:[\s\S]*\s)?(?<typed>@\S*)$/u.exec(text)?.groups;
  const { group, typed } = inGroup ?? {};
  if (group === undefined || typed === undefined) return null;
  return completion(text.length - typed.length, typed, await namesOf("member", typed, bare(group), names));
}
