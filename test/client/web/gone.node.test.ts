import { expect, test } from "vitest";
import type { ChatHappening } from "../../../client/chat/events.ts";
import { requestTag } from "../../../client/web/push/api.ts";
import { goneIn } from "../../../client/web/state/gone.ts";

const rows: readonly (readonly [object, string | null])[] = [
  [{ type: "conversation", conversation: { id: "bob", unread: 0 } }, "bob"],
  [{ type: "conversation", conversation: { id: "bob", unread: 1 } }, null],
  [{ type: "itemGone", item: "bob 1", chat: "bob" }, "bob 1"],
  [{ type: "itemChanged", item: { id: "bob 1", deletedAt: 5 } }, "bob 1"],
  [{ type: "itemChanged", item: { id: "bob 1", deletedAt: null } }, null],
  [{ type: "contactDeleted", contact: "bob" }, "bob"],
  [{ type: "groupDeleted", group: "friends" }, "friends"],
  [{ type: "requestGone", request: "r" }, requestTag("r")],
  [{ type: "item", item: { id: "bob 1" }, isLoud: true }, null],
];

test.each(rows)("after %j the system does not show %s any more", (happening, gone) => {
  expect(goneIn(happening as ChatHappening)).toBe(gone);
});
