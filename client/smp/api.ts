/** The commands of SMP as functions, each taking the connection first. */
export {
  acknowledge,
  disableNotifications,
  enableNotifications,
  get,
  getLink,
  ping,
  queueInfo,
  remove,
  removeLink,
  replaceRecipientKeys,
  secureAsSender,
  secureLink,
  secureQueue,
  send,
  setLink,
  subscribe,
  subscribeMany,
  subscribeNotifications,
  subscribeService,
  suspend,
} from "./calls.ts";
export type { EntityKey, LinkedQueue, Notifier, SubscribeResult } from "./calls.ts";
export { createQueue, openMessage, openNotification, senderIdOf } from "./queue.ts";
export type { NewLink, NewQueue, RcvQueue } from "./queue.ts";
