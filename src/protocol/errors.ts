import { fromUtf8, utf8 } from "#crypto/bytes";
import { type Codec, encode, latin1, str, tail, text, transform } from "./codec.ts";
import { VERSION } from "./version.ts";

// The shapes below are the JSON forms of the official clients, so that upper layers can pass them on unchanged.

export type CommandErrorType = "UNKNOWN" | "SYNTAX" | "PROHIBITED" | "NO_AUTH" | "HAS_AUTH" | "NO_ENTITY";
export interface CommandError {
  readonly type: CommandErrorType;
}

export interface HandshakeError {
  readonly type: "PARSE" | "IDENTITY" | "BAD_AUTH" | "BAD_SERVICE";
}

export type TransportError =
  | { readonly type: "badBlock" | "version" | "largeMsg" | "badSession" | "noServerAuth" }
  | { readonly type: "handshake"; readonly handshakeErr: HandshakeError };

export type NetworkError =
  | { readonly type: "connectError"; readonly connectError: string }
  | { readonly type: "tLSError"; readonly tlsError: string }
  | { readonly type: "subscribeError"; readonly subscribeError: string }
  | { readonly type: "unknownCAError" | "failedError" | "timeoutError" };

export type BrokerError =
  | { readonly type: "RESPONSE" | "UNEXPECTED"; readonly respErr: string }
  | { readonly type: "TRANSPORT"; readonly transportErr: TransportError }
  | { readonly type: "NETWORK"; readonly networkError: NetworkError }
  | { readonly type: "TIMEOUT" | "HOST" | "NO_SERVICE" };

export type ProxyError =
  | { readonly type: "PROTOCOL"; readonly protocolErr: ErrorType }
  | { readonly type: "BROKER"; readonly brokerErr: BrokerError }
  | { readonly type: "BASIC_AUTH" | "NO_SESSION" };

export type NameError =
  | { readonly type: "NO_RESOLVER" | "NOT_FOUND" }
  | { readonly type: "RESOLVER"; readonly resolverErr: string };

/** Why an operator blocked a queue. `notice.ttl` is in seconds; no ttl means for ever. */
export interface BlockingInfo {
  readonly reason: "spam" | "content";
  readonly notice?: { readonly ttl?: number };
}

/** Everything that ERR can say (SMP commands, errors). */
export type ErrorType =
  | {
    readonly type:
      | "BLOCK"
      | "SESSION"
      | "AUTH"
      | "SERVICE"
      | "CRYPTO"
      | "QUOTA"
      | "EXPIRED"
      | "NO_MSG"
      | "LARGE_MSG"
      | "INTERNAL"
      | "DUPLICATE_";
  }
  | { readonly type: "CMD"; readonly cmdErr: CommandError }
  | { readonly type: "PROXY"; readonly proxyErr: ProxyError }
  | { readonly type: "BLOCKED"; readonly blockInfo: BlockingInfo }
  | { readonly type: "STORE"; readonly storeErr: string }
  | { readonly type: "NAME"; readonly nameErr: NameError };

const SPACE = 0x20;

/** A variant of a textual sum: its `type`, and where a parameter follows the word, that field and its codec. */
interface Variant {
  readonly type: string;
  readonly field?: string;
  /** The parameter after a space; `optional` gives the value to use when the word stands alone. */
  readonly codec?: Codec<never>;
  readonly optional?: unknown;
  /** Written without the parameter. */
  readonly bare?: boolean;
}

/** `WORD` or `WORD SP parameter`. */
function words<T extends { readonly type: string }>(variants: Readonly<Record<string, Variant>>): Codec<T> {
  const entries = Object.entries(variants);
  return {
    write(writer, value, version) {
      const entry = entries.find(([, variant]) => variant.type === value.type);
      if (!entry) throw new TypeError(`no such error: ${value.type}`);
      const [word, { field, codec, bare }] = entry;
      writer.bytes(utf8(word));
      if (field === undefined || codec === undefined || bare === true) return;
      writer.byte(SPACE);
      codec.write(writer, (value as unknown as Readonly<Record<string, never>>)[field] as never, version);
    },
    read(reader, version) {
      const word = String.fromCharCode(...reader.takeUntil(SPACE));
      const variant = Object.hasOwn(variants, word) ? variants[word] : undefined;
      if (!variant) return reader.fail(`unknown error '${word}'`);
      const { type, field, codec, optional } = variant;
      if (field === undefined || codec === undefined) return { type } as T;
      if (optional !== undefined && reader.peek() !== SPACE) return { type, [field]: optional } as unknown as T;
      if (reader.byte() !== SPACE) reader.fail("a space must follow");
      return { type, [field]: codec.read(reader, version) } as unknown as T;
    },
  };
}

function plain<T extends string>(...names: readonly T[]): Record<T, { readonly type: T }> {
  return Object.fromEntries(names.map((name) => [name, { type: name }])) as Record<T, { readonly type: T }>;
}

const shortText = latin1(str) as Codec<never>;
const restOfText = text(tail) as Codec<never>;

const commandError = words<CommandError>({
  ...plain("UNKNOWN", "SYNTAX", "PROHIBITED", "NO_AUTH", "HAS_AUTH", "NO_ENTITY"),
  NO_QUEUE: { type: "NO_ENTITY" }, // the name of NO_ENTITY in old routers; read, never written
});

/** `TransportError` as handshake answers and proxy errors carry it. */
export const transportError = words<TransportError>({
  BLOCK: { type: "badBlock" },
  VERSION: { type: "version" },
  LARGE_MSG: { type: "largeMsg" },
  SESSION: { type: "badSession" },
  NO_AUTH: { type: "noServerAuth" },
  HANDSHAKE: {
    type: "handshake",
    field: "handshakeErr",
    codec: words<HandshakeError>(plain("PARSE", "IDENTITY", "BAD_AUTH", "BAD_SERVICE")) as Codec<never>,
  },
});

const networkError = words<NetworkError>({
  CONNECT: { type: "connectError", field: "connectError", codec: shortText },
  TLS: { type: "tLSError", field: "tlsError", codec: shortText },
  SUBSCRIBE: { type: "subscribeError", field: "subscribeError", codec: shortText },
  UNKNOWNCA: { type: "unknownCAError" },
  FAILED: { type: "failedError" },
  TIMEOUT: { type: "timeoutError" },
});

const brokerError = words<BrokerError>({
  RESPONSE: { type: "RESPONSE", field: "respErr", codec: shortText },
  UNEXPECTED: { type: "UNEXPECTED", field: "respErr", codec: shortText },
  TRANSPORT: { type: "TRANSPORT", field: "transportErr", codec: transportError as Codec<never> },
  // Peers of today write the word alone; the detail is read where one day it is sent.
  NETWORK: {
    type: "NETWORK",
    field: "networkError",
    codec: networkError as Codec<never>,
    optional: { type: "failedError" },
    bare: true,
  },
  ...plain("TIMEOUT", "HOST", "NO_SERVICE"),
});

const nameError = words<NameError>({
  ...plain("NO_RESOLVER", "NOT_FOUND"),
  RESOLVER: { type: "RESOLVER", field: "resolverErr", codec: restOfText },
});

/** `reason=<word>[,notice=<JSON>]`. */
const blockingInfo: Codec<BlockingInfo> = transform(text(tail), parseBlockingInfo, (info) =>
  `reason=${info.reason}${info.notice ? `,notice=${JSON.stringify(info.notice)}` : ""}`);

function parseBlockingInfo(info: string): BlockingInfo {
  const match = /^reason=(spam|content)(?:,notice=(.*))?$/s.exec(info);
  if (!match) throw new RangeError("blocking information must name a reason");
  const reason = match[1] as BlockingInfo["reason"];
  if (match[2] === undefined) return { reason };
  const notice: unknown = JSON.parse(match[2]);
  if (typeof notice !== "object" || notice === null || Array.isArray(notice)) {
    throw new RangeError("blocking notice must be an object");
  }
  const ttl = "ttl" in notice ? notice.ttl : null;
  if (ttl === null) return { reason, notice: {} };
  if (typeof ttl !== "number" || !Number.isSafeInteger(ttl)) throw new RangeError("ttl of a notice must be whole seconds");
  return { reason, notice: { ttl } };
}

/** What ERR carries where no version of SMP reduces it, as in the protocol of notification servers. */
export const everyError: Codec<ErrorType> = words<ErrorType>({
  ...plain("BLOCK", "SESSION", "AUTH", "SERVICE", "CRYPTO", "QUOTA", "EXPIRED", "NO_MSG", "LARGE_MSG", "INTERNAL", "DUPLICATE_"),
  CMD: { type: "CMD", field: "cmdErr", codec: commandError as Codec<never> },
  PROXY: {
    type: "PROXY",
    field: "proxyErr",
    codec: words<ProxyError>({
      PROTOCOL: {
        type: "PROTOCOL",
        field: "protocolErr",
        codec: {
          write: (writer, value, version) => everyError.write(writer, value, version),
          read: (reader, version) => everyError.read(reader, version),
        } as Codec<ErrorType> as Codec<never>,
      },
      BROKER: { type: "BROKER", field: "brokerErr", codec: brokerError as Codec<never> },
      ...plain("BASIC_AUTH", "NO_SESSION"),
    }) as Codec<never>,
  },
  BLOCKED: { type: "BLOCKED", field: "blockInfo", codec: blockingInfo as Codec<never> },
  STORE: { type: "STORE", field: "storeErr", codec: restOfText },
  NAME: { type: "NAME", field: "nameErr", codec: nameError as Codec<never> },
});

/** What a session of this version can be told. */
function forVersion(error: ErrorType, version: number): ErrorType {
  if (error.type !== "BLOCKED") return error;
  if (version < VERSION.blockedEntity) return { type: "AUTH" };
  return version < VERSION.clientNotices ? { type: "BLOCKED", blockInfo: { reason: error.blockInfo.reason } } : error;
}

/** ERR's parameter. An outer BLOCKED is reduced to what the session's version knows. */
export const errorType: Codec<ErrorType> = {
  write: (writer, value, version) => everyError.write(writer, forVersion(value, version), version),
  read: (reader, version) => everyError.read(reader, version),
};

export function commandErr(type: CommandErrorType): ErrorType {
  return { type: "CMD", cmdErr: { type } };
}

/** The error as the protocol writes it, e.g. `CMD SYNTAX`; for logs and messages to people. */
export function describeError(error: ErrorType): string {
  return fromUtf8(encode(everyError, error));
}
