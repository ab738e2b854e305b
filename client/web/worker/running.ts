import type { Agent } from "../../agent/agent.ts";
import type { Chat } from "../../chat/chat.ts";
import type { BaseStore } from "../../store/store.ts";
import type { Settings } from "../session/api.ts";

/** What is there while the profile is open. */
export interface Running {
  readonly store: BaseStore;
  readonly agent: Agent;
  readonly chat: Chat;
  settings: Settings;
}
