import { AddressError } from "#protocol/address";
import { AgentError, PeerError } from "../../agent/errors.ts";
import { LinkError } from "../../agent/wire/link-error.ts";
import { ChatError } from "../../chat/errors.ts";
import { MessageError, TooLargeError } from "../../chat/wire/errors.ts";
import {
  ConnectError,
  DisconnectedError,
  ProtocolError,
  ProxyError,
  TimeoutError,
  UnexpectedAnswerError,
  UsageError,
} from "../../errors.ts";
import { StoreError } from "../../store/store.ts";
import { SessionError } from "./api.ts";

/** An error as it goes from one thread to another, which keep neither classes nor fields of their own accord. */
export interface PlainError {
  readonly error: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: PlainError | null;
}

const CLASSES: Readonly<Record<string, { readonly prototype: Error }>> = {
  AddressError,
  AgentError,
  ChatError,
  ConnectError,
  DisconnectedError,
  LinkError,
  MessageError,
  PeerError,
  ProtocolError,
  ProxyError,
  RangeError,
  SessionError,
  StoreError,
  TimeoutError,
  TooLargeError,
  TypeError,
  UnexpectedAnswerError,
  UsageError,
};

const MAX_DEPTH = 4;

function plain(error: unknown, depth: number): PlainError {
  if (!(error instanceof Error)) return { error: "Error", message: String(error), fields: {}, cause: null };
  const { name, message, cause } = error;
  // `name` is a field of the own classes.
  const fields = Object.entries(error).filter(([key]) => key !== "name" && key !== "cause");
  return {
    error: name,
    message,
    fields: Object.fromEntries(fields.map(([key, value]) => [key, portable(value, depth + 1)])),
    cause: cause === undefined || depth >= MAX_DEPTH ? null : plain(cause, depth + 1),
  };
}

export function toPlain(error: unknown): PlainError {
  return plain(error, 0);
}

/** An error of the same class with the same fields. */
export function fromPlain({ error: name, message, fields, cause }: PlainError): Error {
  const options = cause === null ? undefined : { cause: fromPlain(cause) };
  const error = Object.assign(new Error(message, options), restored(fields));
  const known = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
  if (known) Object.setPrototypeOf(error, known.prototype);
  Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  return error;
}

const MARK = "plain error of smp-edge";

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** The value with all errors in it made plain, so that it can be sent to another thread. */
export function portable(value: unknown, depth = 0): unknown {
  if (value instanceof Error) return { [MARK]: depth > MAX_DEPTH ? plain(value.message, depth) : plain(value, depth) };
  if (Array.isArray(value)) return value.map((one) => portable(one, depth));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, portable(one, depth)]));
}

/** The reverse of {@link portable}. */
export function restored(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(restored);
  if (!isObject(value)) return value;
  if (MARK in value) return fromPlain(value[MARK] as PlainError);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, restored(one)]));
}
