import type { AgentEvent } from "../agent/events.ts";
import type { Group, Member } from "./group-records.ts";
import type { Contact, Conversation, Item, Request, User } from "./records.ts";
import type { ChatMessage } from "./wire/message.ts";

/**
 * What changed. All of it is on disk already, so that a program that starts reads how things are and needs no event
 * from before; only `call` and `signal` are told once and kept nowhere.
 */
export type ChatHappening =
  | { readonly type: "user"; readonly user: User }
  | { readonly type: "userDeleted"; readonly user: string }
  | { readonly type: "contact"; readonly contact: Contact }
  | { readonly type: "contactDeleted"; readonly contact: string }
  /** The contact can be written to. */
  | { readonly type: "connected"; readonly contact: Contact }
  /** Somebody asks to become a contact, or asks again with something changed. */
  | { readonly type: "request"; readonly request: Request }
  | { readonly type: "requestGone"; readonly request: string }
  | { readonly type: "group"; readonly group: Group }
  | { readonly type: "groupDeleted"; readonly group: string }
  | { readonly type: "member"; readonly member: Member }
  | { readonly type: "memberGone"; readonly group: string; readonly member: string }
  /** A conversation has other numbers, another last item or another draft. */
  | { readonly type: "conversation"; readonly conversation: Conversation }
  /** A new item. `isLoud`: received, of a contact or group that is not muted. */
  | { readonly type: "item"; readonly item: Item; readonly isLoud: boolean }
  /** Edited, deleted by mark, reacted to, sent, delivered, read... */
  | { readonly type: "itemChanged"; readonly item: Item }
  | { readonly type: "itemGone"; readonly item: string; readonly chat: string }
  /** Of a call: for the layer that makes calls. */
  | { readonly type: "call"; readonly contact: string; readonly message: ChatMessage; readonly sentAt: number }
  /** Any other known event that is not of the conversation of two: for the layer that makes groups. */
  | { readonly type: "signal"; readonly contact: string; readonly message: ChatMessage; readonly sentAt: number }
  /** Something that came could not be used, or could not be done. The conversation lives on. */
  | { readonly type: "error"; readonly contact: string | null; readonly error: Error }
  /** Of the agent, as it came: connections up and down, delays, moves; and all of connections that are not ours. */
  | { readonly type: "agent"; readonly contact: string | null; readonly event: AgentEvent };
