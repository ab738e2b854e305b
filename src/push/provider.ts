import { randomBytes } from "#crypto/random";
import { NONCE_LENGTH } from "#crypto/box";
import { CHECK_MESSAGES, type NotificationData, sealMessages, sealVerification } from "#protocol/ntf/notification";
import type { DeviceToken } from "#protocol/ntf/token";
import type { DeliveryResult, Push } from "../relay/notification/ports.ts";

/** A POST. Whoever sends it follows no redirects, waits a limited time and reads a limited answer. */
export interface PushRequest {
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

export interface PushAnswer {
  readonly status: number;
  /** Null when there is none. */
  header(name: string): string | null;
  /** At most the first kilobytes. */
  readonly body: string;
}

/** What must be done for a push: a request, one that comes before it, or nothing as its result is known. */
export type Prepared =
  | { readonly type: "request"; readonly request: PushRequest }
  /** `accept` answers what went wrong, or null: then the push is prepared again. */
  | {
    readonly type: "first";
    readonly request: PushRequest;
    readonly accept: (answer: PushAnswer, now: number) => DeliveryResult | null;
  }
  | { readonly type: "result"; readonly result: DeliveryResult };

/** Somebody who brings pushes to devices. Times are milliseconds since 1970. */
export interface Provider {
  /** Whether a token is of this provider and may be used. */
  allows(token: DeviceToken): boolean;
  prepare(push: Push, now: number): Promise<Prepared>;
  /** What the answer to the request means for the token. */
  read(answer: PushAnswer, push: Push, now: number): DeliveryResult;
}

/** No answer came: no connection, or none in time. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

export const SENT: DeliveryResult = { type: "sent" };

export function gone(reason: Extract<DeliveryResult, { type: "gone" }>["reason"]): DeliveryResult {
  return { type: "gone", reason };
}

export function retry(why: string, after: number | null = null): DeliveryResult {
  return { type: "retry", after, why };
}

export function fixConfiguration(why: string): DeliveryResult {
  return { type: "fix-configuration", why };
}

/** What reaches the device: the provider sees only its size, which is the same for verification and messages. */
export function notificationData(push: Push): NotificationData {
  switch (push.kind) {
    case "verification":
      return sealVerification(push.dhSecret, randomBytes(NONCE_LENGTH), push.code);
    case "messages":
      return sealMessages(push.dhSecret, randomBytes(NONCE_LENGTH), push.messages);
    case "check":
      return CHECK_MESSAGES;
  }
}

/** Retry-After: seconds or a date (RFC 9110 section 10.2.3), as milliseconds from now; null: not said. */
export function retryAfter(answer: PushAnswer, now: number): number | null {
  const value = answer.header("retry-after")?.trim() ?? "";
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = /[a-z]/i.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/** An answer's JSON; null when it is none. */
export function readJson(answer: PushAnswer): unknown {
  try {
    return JSON.parse(answer.body);
  } catch {
    return null;
  }
}

/** A field of a JSON object, undefined of anything else. */
export function fieldOf(json: unknown, name: string): unknown {
  return typeof json === "object" && json !== null && Object.hasOwn(json, name)
    ? (json as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

export type SendRequest = (request: PushRequest) => Promise<PushAnswer>;

/** A credential that was refused right after it was made is not made a third time. */
const STEPS = 3;

/** Brings one push to its device. `send` throws {@link Unreachable} when there is no answer. */
export async function deliver(
  provider: Provider,
  push: Push,
  send: SendRequest,
  clock: () => number,
): Promise<DeliveryResult> {
  try {
    for (let step = 0; step < STEPS; step++) {
      const prepared = await provider.prepare(push, clock());
      if (prepared.type === "result") return prepared.result;
      const answer = await send(prepared.request);
      if (prepared.type === "request") return provider.read(answer, push, clock());
      const failure = prepared.accept(answer, clock());
      if (failure) return failure;
    }
    return fixConfiguration("the provider gives credentials that it does not take");
  } catch (error) {
    if (error instanceof Unreachable) return retry(error.message);
    throw error;
  }
}
