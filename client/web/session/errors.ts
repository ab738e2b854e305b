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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** What of a field can be sent to another thread: undefined in place of functions and everything else that cannot. */
function data(value: unknown, depth: number): unknown {
  if (value === null || ["string", "number", "boolean", "bigint"].includes(typeof value)) return value;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (depth >= MAX_DEPTH) return undefined;
  if (Array.isArray(value)) return value.map((one) => data(one, depth + 1));
  return isObject(value) ? fieldsOf(Object.entries(value), depth + 1) : undefined;
}

function fieldsOf(entries: readonly (readonly [string, unknown])[], depth: number): Record<string, unknown> {
  return Object.fromEntries(entries.map(([key, value]) => [key, data(value, depth)]));
}

function plain(error: unknown, depth: number): PlainError {
  if (!(error instanceof Error)) return { error: "Error", message: String(error), fields: {}, cause: null };
  const { name, message, cause } = error;
  // `name` is a field of the own classes.
  const fields = Object.entries(error).filter(([key]) => key !== "name" && key !== "cause");
  return {
    error: name,
    message,
    fields: fieldsOf(fields, 0),
    cause: cause === undefined || depth >= MAX_DEPTH ? null : plain(cause, depth + 1),
  };
}

export function toPlain(error: unknown): PlainError {
  return plain(error, 0);
}

function isPlain(value: unknown): value is PlainError {
  if (!isObject(value)) return false;
  return typeof value["error"] === "string" && typeof value["message"] === "string" && isObject(value["fields"]);
}

function restored(plainError: unknown, depth: number): Error {
  if (!isPlain(plainError)) return new Error("another tab told of an error in a form that this one does not know");
  const { error: name, message, fields, cause } = plainError;
  const hasCause = cause !== null && cause !== undefined && depth < MAX_DEPTH;
  const error = new Error(message, hasCause ? { cause: restored(cause, depth + 1) } : undefined);
  Object.assign(error, fields);
  const known = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
  if (known) Object.setPrototypeOf(error, known.prototype);
  Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  return error;
}

/** An error of the same class with the same fields; one that says so when it is no {@link PlainError}. */
export function fromPlain(plainError: unknown): Error {
  return restored(plainError, 0);
}
