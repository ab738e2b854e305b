import { type AuthAlgorithm, decodeSecretKey, encodeSecretKey, type PublicKey } from "#crypto/keys";
import type { AuthSecretKey } from "../authorize.ts";
import { type Codec, str, transform, word16 } from "../codec.ts";
import { struct } from "../combine.ts";
import { type ErrorType, everyError } from "../errors.ts";
import { authKey, dhKey } from "../key.ts";
import { none, type OfTag, spaced, tagged, type TaggedCodec, type TagTable } from "../tagged.ts";
import { ntfQueue, type NtfQueue } from "./queue.ts";
import { subscriptionStatus, type SubscriptionStatus, tokenStatus, type TokenStatus } from "./status.ts";
import { deviceToken, type DeviceToken } from "./token.ts";

export interface TNEW {
  readonly tag: "TNEW";
  readonly token: DeviceToken;
  /** Authorizes this and every later command on the token and its subscriptions. */
  readonly verifyKey: PublicKey<AuthAlgorithm>;
  readonly dhKey: PublicKey<"X25519">;
}

export interface SNEW {
  readonly tag: "SNEW";
  readonly tokenId: Uint8Array;
  readonly queue: NtfQueue;
  /** With it the server subscribes to the queue (NSUB). */
  readonly notifierKey: AuthSecretKey;
}

/** Everything a client sends to a notification server (NTF, commands). */
export type NtfCommand =
  | TNEW
  | { readonly tag: "TVFY"; readonly code: Uint8Array }
  | { readonly tag: "TRPL"; readonly token: DeviceToken }
  /** 0: no periodic notifications. */
  | { readonly tag: "TCRN"; readonly minutes: number }
  | SNEW
  | { readonly tag: "TCHK" | "TDEL" | "SCHK" | "SDEL" }
  | { readonly tag: "PING" };

export type NtfCommandTag = NtfCommand["tag"];
export type NtfCommandOf<T extends NtfCommandTag> = OfTag<NtfCommand, T>;

/** Everything a notification server answers. */
export type NtfAnswer =
  | { readonly tag: "IDTKN"; readonly tokenId: Uint8Array; readonly dhKey: PublicKey<"X25519"> }
  | { readonly tag: "IDSUB"; readonly subId: Uint8Array }
  | { readonly tag: "TKN"; readonly status: TokenStatus }
  | { readonly tag: "SUB"; readonly status: SubscriptionStatus }
  | { readonly tag: "ERR"; readonly error: ErrorType }
  | { readonly tag: "OK" | "PONG" };

export type NtfAnswerTag = NtfAnswer["tag"];
export type NtfAnswerOf<T extends NtfAnswerTag> = OfTag<NtfAnswer, T>;

/** One letter that tells what is new, then the fields. */
function entity<T>(letter: "T" | "S", codec: Codec<T>): Codec<T> {
  const byte = letter.charCodeAt(0);
  return {
    write(writer, value, version) {
      writer.byte(byte);
      codec.write(writer, value, version);
    },
    read(reader, version) {
      if (reader.byte() !== byte) reader.fail(`expected ${letter}`);
      return codec.read(reader, version);
    },
  };
}

function readNotifierKey(der: Uint8Array): AuthSecretKey {
  const { algorithm, secret } = decodeSecretKey(der);
  if (algorithm === "X448") throw new RangeError("an X448 key authorizes nothing");
  return { algorithm, secret } as AuthSecretKey;
}

/** Str of the key's PKCS#8. */
const notifierKey = transform<Uint8Array, AuthSecretKey>(str, readNotifierKey, encodeSecretKey);

const commandTable: TagTable<NtfCommand> = {
  TNEW: spaced(entity("T", struct({ token: deviceToken, verifyKey: authKey, dhKey }))),
  TVFY: spaced(struct({ code: str })),
  TCHK: none,
  TRPL: spaced(struct({ token: deviceToken })),
  TDEL: none,
  TCRN: spaced(struct({ minutes: word16 })),
  SNEW: spaced(entity("S", struct({ tokenId: str, queue: ntfQueue, notifierKey }))),
  SCHK: none,
  SDEL: none,
  PING: none,
};

const answerTable: TagTable<NtfAnswer> = {
  IDTKN: spaced(struct({ tokenId: str, dhKey })),
  IDSUB: spaced(struct({ subId: str })),
  OK: none,
  TKN: spaced(struct({ status: tokenStatus })),
  SUB: spaced(struct({ status: subscriptionStatus })),
  ERR: spaced(struct({ error: everyError })),
  PONG: none,
};

const commands: TaggedCodec<NtfCommand> = tagged<NtfCommand>(commandTable);
const answers: TaggedCodec<NtfAnswer> = tagged<NtfAnswer>(answerTable);

export function encodeNtfCommand(command: NtfCommand, version: number): Uint8Array {
  return commands.encode(command, version);
}

/** @throws UnknownTagError, DecodeError */
export function decodeNtfCommand(bytes: Uint8Array, version: number): NtfCommand {
  return commands.decode(bytes, version);
}

export function encodeNtfAnswer(answer: NtfAnswer, version: number): Uint8Array {
  return answers.encode(answer, version);
}

/** @throws UnknownTagError, DecodeError */
export function decodeNtfAnswer(bytes: Uint8Array, version: number): NtfAnswer {
  return answers.decode(bytes, version);
}
