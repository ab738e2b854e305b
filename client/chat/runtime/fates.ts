import type { ConnectionEvent } from "../../agent/events.ts";
import type { ItemStatus } from "../records.ts";
import { fateOf } from "../rules/outbox.ts";
import type { Core } from "./core.ts";

/** What the agent tells of a message that it was given. */
export type FateEvent = Extract<ConnectionEvent, { readonly type: "sent" | "unsent" | "receipt" }>;

function statusOf(event: FateEvent): ItemStatus {
  switch (event.type) {
    case "sent":
      return { type: "sent", isProxied: event.isProxied ?? false };
    case "unsent":
      return { type: "error", reason: event.reason, detail: event.detail.toWellFormed() };
    case "receipt":
      return { type: "delivered", isIntact: event.status === "ok" };
  }
}

/** Notes what became of a message to a contact or a member. After `sent` a receipt may still come. */
export function noteFate(core: Core, owner: string, event: FateEvent): Promise<void> {
  return core.step((step) => fateOf(step, owner, event.item, statusOf(event), event.type !== "sent"));
}
