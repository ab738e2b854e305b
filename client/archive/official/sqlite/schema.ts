import { fromHex } from "#crypto/bytes";
import type { SqlValue } from "./record.ts";

// As much of CREATE TABLE as is needed to tell which column of a row is which.

export interface Column {
  readonly name: string;
  /** Of rows that are older than the column. */
  readonly fallback: SqlValue;
}

export interface TableShape {
  /** In the order in which rows hold them. */
  readonly columns: readonly Column[];
  /** The one that is the row id itself and null in rows. */
  readonly rowid: string | null;
  readonly hasRowid: boolean;
}

interface Token {
  readonly kind: "word" | "name" | "string" | "blob" | "number" | "mark";
  readonly text: string;
}

const TOKEN = new RegExp(
  [
    String.raw`(?<space>\s+|--[^\n]*|/\*[^]*?\*/)`,
    String.raw`(?<blob>[xX]'[0-9a-fA-F]*')`,
    String.raw`(?<string>'(?:[^']|'')*')`,
    String.raw`(?<name>"(?:[^"]|"")*"|\[[^\]]*\]|${"`"}[^${"`"}]*${"`"})`,
    String.raw`(?<number>[+-]?\d+(?:\.\d+)?)`,
    String.raw`(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)`,
    String.raw`(?<mark>[^])`,
  ].join("|"),
  "gy",
);

function tokens(sql: string): Token[] {
  const out: Token[] = [];
  for (const { groups = {} } of sql.matchAll(TOKEN)) {
    for (const kind of ["word", "name", "string", "blob", "number", "mark"] as const) {
      const text = groups[kind];
      if (text !== undefined) out.push({ kind, text });
    }
  }
  return out;
}

const unquoted = ({ kind, text }: Token): string => (kind === "word" ? text : text.slice(1, -1).replaceAll('""', '"'));

const isWord = (token: Token | undefined, word: string): boolean =>
  token?.kind === "word" && token.text.toUpperCase() === word;

/** What stands in the outer parentheses, by its commas, and what follows them. */
function split(all: readonly Token[]): { readonly items: Token[][]; readonly options: Token[] } {
  const items: Token[][] = [];
  let item: Token[] = [];
  let depth = 0;
  for (const [index, token] of all.entries()) {
    const mark = token.kind === "mark" ? token.text : "";
    if (mark === ")" && depth === 1) return { items: [...items, item], options: all.slice(index + 1) };
    if (depth > 0 && !(mark === "," && depth === 1)) item.push(token);
    if (mark === "(") depth++;
    if (mark === ")") depth--;
    if (mark === "," && depth === 1) {
      items.push(item);
      item = [];
    }
  }
  return { items: [], options: [] };
}

function literal(token: Token | undefined): SqlValue {
  switch (token?.kind) {
    case "number":
      return Number(token.text);
    case "string":
      return token.text.slice(1, -1).replaceAll("''", "'");
    case "name":
      return unquoted(token);
    case "blob":
      return token.text.length % 2 === 1 ? fromHex(token.text.slice(2, -1)) : null;
    default:
      // An expression such as (datetime('now')), with which no column can be added to rows that are there.
      return null;
  }
}

const CONSTRAINTS = new Set(["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"]);

const follows = (item: readonly Token[], first: string, second: string): number =>
  item.findIndex((token, index) => isWord(token, first) && isWord(item[index + 1], second));

function columnOf(item: readonly Token[]): Column | null {
  const [first] = item;
  if (first === undefined || (first.kind !== "word" && first.kind !== "name")) return null;
  if (first.kind === "word" && CONSTRAINTS.has(first.text.toUpperCase())) return null;
  const at = item.findIndex((token) => isWord(token, "DEFAULT"));
  return { name: unquoted(first), fallback: at < 0 ? null : literal(item[at + 1]) };
}

/** Names in PRIMARY KEY (...) of the table, or the column that is said to be it. */
function primaryKey(items: readonly (readonly Token[])[]): string[] {
  for (const item of items) {
    const at = follows(item, "PRIMARY", "KEY");
    if (at < 0) continue;
    const column = columnOf(item);
    if (column !== null) return [column.name];
    const names = item.slice(at + 2).filter(({ kind }) => kind === "word" || kind === "name");
    return names.map(unquoted).filter((name) => !["ASC", "DESC", "ON", "CONFLICT", "FAIL"].includes(name.toUpperCase()));
  }
  return [];
}

/** Null when it is no CREATE TABLE that is understood. */
export function readTableShape(sql: string): TableShape | null {
  const { items, options } = split(tokens(sql));
  const columns = items.flatMap((item) => columnOf(item) ?? []);
  if (columns.length === 0) return null;
  const key = primaryKey(items);
  const named = (name: string): Column | undefined => columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
  if (follows(options, "WITHOUT", "ROWID") >= 0) {
    // The key comes first in such rows, then the others in their order.
    const first = key.flatMap((name) => named(name) ?? []);
    return { columns: [...first, ...columns.filter((column) => !first.includes(column))], rowid: null, hasRowid: false };
  }
  const [only] = key;
  const item = items.find((candidate) => columnOf(candidate)?.name === only);
  const isAlias = key.length === 1 && isWord(item?.[1], "INTEGER");
  return { columns, rowid: isAlias ? (only ?? null) : null, hasRowid: true };
}
