import { ChatError } from "../errors.ts";
import type { Item } from "../records.ts";
import type { Step } from "../step.ts";
import type { MsgContent } from "../wire/content.ts";
import * as direct from "./compose.ts";
import * as group from "./group/compose.ts";
import { conversationOf, itemOf } from "./records.ts";

// What is said, in a conversation of two and in a group.

async function isGroup(step: Step, chat: string): Promise<boolean> {
  return (await conversationOf(step, chat)).kind === "group";
}

export interface EditOptions {
  /** It is still being typed. */
  readonly isLive?: boolean;
  /** In a group: ids of members whom the text names; those whom it named before unless given. */
  readonly mentions?: readonly string[];
}

/** @throws ChatError */
export async function say(step: Step, chat: string, ...what: Tail<typeof direct.compose>): Promise<Item> {
  if (await isGroup(step, chat)) return group.composeInGroup(step, chat, ...what);
  const [, options] = what;
  if (options?.mentions?.length) throw new ChatError("CONTENT", "only in a group somebody can be mentioned");
  return direct.compose(step, chat, ...what);
}

type Tail<F> = F extends (step: Step, chat: string, ...rest: infer R) => unknown ? R : never;

/** Changes an own message, within 24 hours. @throws ChatError */
export async function change(step: Step, id: string, content: MsgContent, options: EditOptions): Promise<Item> {
  const item = await itemOf(step, id);
  if (await isGroup(step, item.chat)) return group.editInGroup(step, item, content, options);
  return direct.edit(step, id, content, options.isLive);
}

/** Deletes a message for everybody. @throws ChatError */
export async function takeBack(step: Step, id: string): Promise<void> {
  const item = await itemOf(step, id);
  return await isGroup(step, item.chat) ? group.deleteInGroup(step, item) : direct.deleteForAll(step, id);
}

/** @throws ChatError */
export async function reactTo(step: Step, id: string, emoji: string, add: boolean): Promise<Item> {
  const item = await itemOf(step, id);
  return await isGroup(step, item.chat) ? group.reactInGroup(step, item, emoji, add) : direct.react(step, id, emoji, add);
}
