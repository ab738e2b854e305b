import { type JsonCodec, object, oneOf, taggedOrUnknown, type Unknown } from "./json.ts";

/** Emoji that official clients know as reactions. The heart is U+2764 without U+FE0F. */
export const REACTION_EMOJI = ["👍", "👎", "😀", "😂", "😢", "❤", "🚀", "✅"] as const;
export type ReactionEmoji = (typeof REACTION_EMOJI)[number];

/** Different reactions of one sender to one message. */
export const MAX_REACTIONS = 3;

export interface EmojiReaction {
  readonly type: "emoji";
  readonly emoji: ReactionEmoji;
}

/** The emoji without a variation selector; null when official clients do not know it. */
export function knownEmoji(text: string): ReactionEmoji | null {
  const plain = text.replace("\u{fe0f}", "");
  return REACTION_EMOJI.find((emoji) => emoji === plain) ?? null;
}

/** A reaction; of others than the known emoji all of it is kept, and it is shown as a question mark. */
export type Reaction = EmojiReaction | Unknown;

export const reaction: JsonCodec<Reaction> = taggedOrUnknown<EmojiReaction>({
  emoji: object({ emoji: oneOf(...REACTION_EMOJI) }),
});
