import type { ChatEvent, EventName } from "./event.ts";

const NOTIFYING: ReadonlySet<string> = new Set<EventName>([
  "x.msg.new",
  "x.file",
  "x.contact",
  "x.grp.inv",
  "x.grp.mem.fwd",
  "x.grp.del",
  "x.call.inv",
]);

const RECEIPTED: ReadonlySet<string> = new Set<EventName>(["x.msg.new", "x.grp.inv", "x.call.inv"]);

const FORWARDABLE: ReadonlySet<string> = new Set<EventName>([
  "x.msg.new",
  "x.msg.file.descr",
  "x.msg.update",
  "x.msg.del",
  "x.msg.react",
  "x.file.cancel",
  "x.info",
  "x.grp.mem.new",
  "x.grp.mem.role",
  "x.grp.mem.restrict",
  "x.grp.mem.del",
  "x.grp.leave",
  "x.grp.del",
  "x.grp.info",
  "x.grp.prefs",
]);

/** Whether the relay is told to wake the recipient; of several events in one body one is enough. */
export function hasNotification(event: ChatEvent): boolean {
  return NOTIFYING.has(event.type);
}

/** Whether a recipient who gives receipts acknowledges the body; of several events in it one is enough. */
export function hasDeliveryReceipt(event: ChatEvent): boolean {
  return RECEIPTED.has(event.type);
}

/** Whether who let a member into a group passes the event on to members without a connection to its sender. */
export function isForwardable(event: ChatEvent): boolean {
  const isInline = event.type === "x.msg.new" && event.params.file?.fileInline !== undefined;
  return FORWARDABLE.has(event.type) && !isInline;
}
