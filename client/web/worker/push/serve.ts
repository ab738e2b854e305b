import { Locks } from "../../../agent/runtime/locks.ts";
import { type Arrival, PUSH_SCOPE } from "../../push/api.ts";
import { placeOf } from "../../push/notice.ts";
import { endpointOf, subscribeTo } from "../../push/subscription.ts";
import { SealedError } from "./leader.ts";
import { type PushKind, present } from "./present.ts";
import { Receiver } from "./receiver.ts";
import { showPlace } from "../show-place.ts";

// Runs when a push comes, with or without the page. It has a scope of its own: what makes the page start offline stays
// small, and is not fetched anew with every change of the chat.

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

async function pushed(worker: ServiceWorkerGlobalScope, receiver: Receiver, json: unknown): Promise<void> {
  let arrival: Arrival | null = null;
  let failure: unknown = null;
  try {
    arrival = await receiver.arrived(json);
  } catch (error) {
    failure = error;
  }
  const isSealed = failure instanceof SealedError;
  // One after the other: each looks at what is shown already.
  await presenting.run("present", () => present(worker, kindOf(json), arrival, isSealed));
  // The browser's console has it; the user was told that something came.
  if (failure !== null && !isSealed) reportError(failure);
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
  // There is nothing that a page of another version would miss.
  worker.addEventListener("install", () => void worker.skipWaiting());
  worker.addEventListener("push", (event) => event.waitUntil(pushed(worker, receiver, read(event.data))));
  worker.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(changed(worker, receiver, event)));
  worker.addEventListener("notificationclick", (event) => {
    event.notification.close();
    event.waitUntil(showPlace(worker, placeOf(event.notification)));
  });
}
