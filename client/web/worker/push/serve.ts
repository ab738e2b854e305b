import { Locks } from "../../../agent/runtime/locks.ts";
import { PUSH_SCOPE } from "../../push/api.ts";
import { placeOf } from "../../push/notice.ts";
import type { PushKind, Situation } from "../../push/what-to-show.ts";
import { endpointOf, subscribeTo } from "../../push/subscription.ts";
import { SealedError } from "./leader.ts";
import { present } from "./present.ts";
import { Receiver } from "./receiver.ts";
import { showPlace } from "../show-place.ts";

// Runs when a push comes, with or without the page. It has a scope of its own: what makes the page start offline stays
// small, and is not fetched anew with every change of the chat.

/** For so long messages are received for a push. Milliseconds. */
const RECEIVING = 18_000;
/** Then something is shown, whatever is still under way: WebKit ends its worker after 30 seconds. Milliseconds. */
const LONGEST = 20_000;

const presenting = new Locks();

function read(data: PushMessageData | null): unknown {
  try {
    return data?.json() ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function kindOf(json: unknown): PushKind {
  const { verification, message } = (json ?? {}) as { readonly verification?: unknown; readonly message?: unknown };
  if (verification !== undefined) return "verification";
  return message === undefined ? "check" : "messages";
}

type Outcome = Pick<Situation, "arrival" | "isSealed">;

const UNKNOWN: Outcome = { arrival: null, isSealed: false };

async function receive(receiver: Receiver, json: unknown): Promise<Outcome> {
  try {
    return { arrival: await receiver.arrived(json, Date.now() + RECEIVING), isSealed: false };
  } catch (error) {
    const isSealed = error instanceof SealedError;
    // The browser's console has it; the user is told that something came.
    if (!isSealed) reportError(error);
    return { arrival: null, isSealed };
  }
}

async function tell(worker: ServiceWorkerGlobalScope, receiver: Receiver, kind: PushKind, told: Outcome): Promise<void> {
  // One after the other: each looks at what is shown already.
  await presenting.run("present", () => present(worker, { ...told, kind }));
  const marks = told.arrival?.news.map(({ tag, mark }) => ({ tag, mark })) ?? [];
  // Only now: what the browser did not let be shown is news the next time.
  if (marks.length > 0) await receiver.seen(marks);
}

function pushed(worker: ServiceWorkerGlobalScope, receiver: Receiver, json: unknown): Promise<void> {
  const kind = kindOf(json);
  return receiver.keep(async () => {
    const receiving = receive(receiver, json);
    const late = new Promise<Outcome>((resolve) => setTimeout(() => resolve(UNKNOWN), LONGEST));
    const first = await Promise.race([receiving, late]);
    await tell(worker, receiver, kind, first);
    if (first !== UNKNOWN) return;
    const last = await receiving;
    if (last.arrival) await tell(worker, receiver, kind, last);
  });
}

async function changed(
  { registration }: ServiceWorkerGlobalScope,
  receiver: Receiver,
  { newSubscription: fresh, oldSubscription: old }: PushSubscriptionChangeEvent,
): Promise<void> {
  const key = old?.options.applicationServerKey;
  const subscription = fresh ?? (key ? await subscribeTo(registration, new Uint8Array(key)) : null);
  if (!subscription) return;
  const isWanted = await receiver.renew(endpointOf(subscription));
  if (!isWanted) await subscription.unsubscribe();
}

/** Answers for the push worker's scope. */
export function servePushes(worker: ServiceWorkerGlobalScope): void {
  if (new URL(worker.registration.scope).pathname !== PUSH_SCOPE) throw new Error(`this belongs below ${PUSH_SCOPE}`);
  const receiver = new Receiver();
  // It is that of the page which has just been opened.
  worker.addEventListener("install", () => void worker.skipWaiting());
  worker.addEventListener("push", (event) => event.waitUntil(pushed(worker, receiver, read(event.data))));
  worker.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(changed(worker, receiver, event)));
  worker.addEventListener("notificationclick", (event) => {
    event.notification.close();
    event.waitUntil(showPlace(worker, placeOf(event.notification)));
  });
}
