import type { Mention } from "../container.ts";

/** Members that one message may mention. */
export const MAX_SENT_MENTIONS = 3;
/** Mentions of a received message that count. */
export const MAX_RECEIVED_MENTIONS = 5;

/** `@name` or `@'name with spaces'` at the beginning or after white space. */
const MENTION = /(?<=^|\s)@(?:'([^'\n]+)'|([^\s']+))/gu;
const TRAILING_PUNCTUATION = /[.,;:!?)\]]+$/u;

/** Names that a text mentions, each once, in order. */
export function mentionedNames(text: string): string[] {
  const names = [...text.matchAll(MENTION)].map(
    ([, quoted, plain = ""]) => quoted ?? plain.replace(TRAILING_PUNCTUATION, ""),
  );
  return [...new Set(names)].filter((name) => name !== "");
}

/** How a name stands in a text that mentions it. */
export function mentionText(name: string): string {
  const isPlain = !/[\s']/u.test(name) && !TRAILING_PUNCTUATION.test(name);
  return isPlain ? `@${name}` : `@'${name}'`;
}

/** What is wrong with the mentions of a message that is to be sent; null when nothing is. */
export function mentionsProblem(text: string, mentions: readonly Mention[]): string | null {
  if (mentions.length > MAX_SENT_MENTIONS) return `a message can mention ${MAX_SENT_MENTIONS} members at most`;
  const names = new Set(mentionedNames(text));
  const missing = mentions.find(({ name }) => !names.has(name));
  if (missing) return `the text does not mention ${missing.name}`;
  const members = new Set(mentions.map(({ memberId }) => memberId));
  return members.size < mentions.length ? "two mentions are of the same member" : null;
}

/** The mentions of a received message that count. */
export function receivedMentions(mentions: readonly Mention[] = []): readonly Mention[] {
  return mentions.slice(0, MAX_RECEIVED_MENTIONS);
}
