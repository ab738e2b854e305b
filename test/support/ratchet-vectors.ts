import { fromHex, utf8 } from "#crypto/bytes";
import { type Codec, decode, large, Reader, str } from "#protocol/codec";
import { struct } from "#protocol/combine";
import type { KemShared, ReplyKeys } from "../../client/ratchet/agree.ts";
import type { RatchetErrorCode } from "../../client/ratchet/errors.ts";
import type { KeySource } from "../../client/ratchet/keys.ts";
import { ratchetFromOfficial } from "../../client/ratchet/official-state.ts";
import { proposedE2eParams } from "../../client/ratchet/parameters.ts";
import type { RatchetState } from "../../client/ratchet/state.ts";
import ratchetData from "../vectors/data/ratchet.json" with { type: "json" };
import { type JsonObject, keyPairFrom, type KeyPairJson } from "./vectors.ts";

// The data's `about` says what each field means.

interface PartyJson {
  readonly key1: KeyPairJson;
  readonly key2: KeyPairJson;
  readonly paramsBinary: string;
  readonly privateKemEncoded: string | null;
  readonly ratchet: JsonObject;
}

export interface X3dh {
  readonly e2eVersion: number;
  readonly maxVersion: number;
  readonly kem: "NoKem" | "ProposeInReply" | "ProposeAccept" | "ProposeReject" | "ProposeAgain";
  readonly receiver: PartyJson & { readonly paramsUri: string; readonly pqSupport: boolean };
  readonly sender: PartyJson;
  readonly init: Readonly<Record<"assocData" | "ratchetKey" | "rcvNextHK" | "sndHK", string>>;
}

interface EventBase {
  readonly who: "Alice" | "Bob";
  readonly changes?: JsonObject;
  readonly note?: string;
  readonly error?: string;
}

interface EncryptEvent extends EventBase {
  readonly op: "encrypt";
  readonly plaintext: string;
  readonly paddedLength: number;
  readonly supportedE2EVersion: number;
  readonly pqEnc?: boolean;
  readonly ciphertext: string;
  readonly keyHash: string;
}

interface EncryptManyEvent extends EventBase {
  readonly op: "encryptMany";
  readonly count: number;
  readonly paddedLength: number;
}

interface DecryptEvent extends EventBase {
  readonly op: "decrypt";
  readonly of?: number;
  readonly cutTo?: number;
  readonly altered?: readonly [at: number, byte: number];
  readonly ciphertext?: string;
  readonly plaintext?: string;
  readonly discard?: true;
  readonly skipped?:
    | { readonly add: readonly (readonly [headerKey: string, number: number, key: string, iv: string])[] }
    | { readonly remove: readonly [headerKey: string, number: number] };
}

export interface Session {
  readonly name: string;
  readonly x3dh: X3dh;
  readonly events: readonly (EncryptEvent | EncryptManyEvent | DecryptEvent)[];
}

interface RatchetVectors {
  readonly aead: readonly {
    readonly ad: string;
    readonly key: string;
    readonly iv: string;
    readonly padded: string;
    readonly plaintext: string;
    readonly paddedLength: number;
    readonly ciphertext: string;
    readonly tag: string;
  }[];
  readonly aesGcm12: readonly Readonly<Record<"key" | "iv" | "plaintext" | "ciphertext" | "tag", string>>[];
  readonly hkdf: readonly (Readonly<Record<"salt" | "ikm" | "info" | "output", string>> & { readonly length: number })[];
  readonly x3dh: readonly X3dh[];
  readonly sessions: readonly Session[];
}

export const ratchetVectors = ratchetData as unknown as RatchetVectors;

const ERRORS: Readonly<Record<string, RatchetErrorCode>> = {
  AESDecryptError: "BODY",
  CERatchetDuplicateMessage: "DUPLICATE",
  CERatchetEarlierMessage: "EARLIER",
  CERatchetHeader: "HEADER",
  CERatchetState: "NO_SENDING_CHAIN",
  CERatchetTooManySkipped: "SKIPPED",
  CryptoHeaderError: "PARSE",
  CryptoLargeMsgError: "LARGE",
};

/** An error of the official code as ours has it. */
export function errorFrom(text: string): { readonly code: RatchetErrorCode | undefined; readonly count: number | null } {
  const [name = "", detail = ""] = text.split(" ");
  return { code: ERRORS[name], count: /^\d+$/.test(detail) ? Number(detail) : null };
}

const kemPair = struct({ publicKey: large, secretKey: large });
const acceptedKem: Codec<Pick<KemShared, "ciphertext" | "secret">> = struct({ ciphertext: large, secret: str });

/** The party's keys; `peerKey` is what a KEM ciphertext of its was made for. */
function keysFrom(json: PartyJson, peerKey: Uint8Array | undefined): ReplyKeys {
  const pairs = { key1: keyPairFrom("X448", json.key1), key2: keyPairFrom("X448", json.key2) };
  if (json.privateKemEncoded === null) return { ...pairs, kem: null, accepted: null };
  const reader = new Reader(fromHex(json.privateKemEncoded));
  const isAccepted = reader.byte() === 0x41;
  const accepted = isAccepted && peerKey ? { peerKey, ...acceptedKem.read(reader, 0) } : null;
  return { ...pairs, kem: kemPair.read(reader, 0), accepted };
}

export function partiesFrom({ receiver, sender }: X3dh): { readonly bob: ReplyKeys; readonly alice: ReplyKeys } {
  const bob = keysFrom(receiver, undefined);
  const proposed = decode(proposedE2eParams, fromHex(receiver.paramsBinary)).kem;
  return { bob, alice: keysFrom(sender, proposed?.key) };
}

/** Hands out again the keys with which the official code came to the state `after`. */
export function keysOf(after: RatchetState): KeySource {
  const lacking = (what: string): never => {
    throw new Error(`the official code made no ${what} here`);
  };
  return {
    dhKeys: () => ({
      publicKey: { algorithm: "X448", raw: after.dh.publicKey },
      secretKey: { algorithm: "X448", secret: after.dh.secretKey },
    }),
    kemKeys: () => after.kem?.own ?? lacking("KEM keys"),
    encapsulate: () => after.kem?.accepted ?? lacking("KEM secret"),
  };
}

/** The state's JSON with the changes of an event; the order of fields is free. */
export function changed(json: JsonObject, changes: JsonObject = {}): JsonObject {
  return Object.fromEntries(Object.entries({ ...json, ...changes }).filter(([, value]) => value !== null));
}

export const stateFrom = (json: JsonObject): RatchetState => ratchetFromOfficial(json);

export const manyText = (number: number): Uint8Array => utf8(`m${number}`);
