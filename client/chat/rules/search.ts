import type { Item } from "../records.ts";

const MARKS = /\p{M}+/gu;

/** A text as it is compared in searching: without marks on letters, in lower case, with simple spaces. */
export function folded(text: string): string {
  return text.normalize("NFKD").replace(MARKS, "").toLowerCase().replace(/\s+/gu, " ").trim();
}

/** The words that can be found in an item. */
export function wordsOf({ body }: Item): string {
  if (body.type !== "message") return "";
  const { content, file } = body.container;
  const link = content.type === "link" ? ` ${content.preview.title} ${content.preview.uri}` : "";
  return `${content.text}${link} ${file?.fileName ?? ""}`;
}

/** Whether an item holds what is looked for, given as {@link folded} text. */
export function matches(item: Item, wanted: string): boolean {
  return item.deletedAt === null && folded(wordsOf(item)).includes(wanted);
}
