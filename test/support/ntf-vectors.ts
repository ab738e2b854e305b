import { fromHex } from "#crypto/bytes";
import type { NtfAnswer, NtfCommand } from "#protocol/ntf/commands";
import { parseNtfQueue } from "#protocol/ntf/queue";
import type { SubscriptionStatus, TokenStatus } from "#protocol/ntf/status";
import { parseDeviceToken } from "#protocol/ntf/token";
import ntfData from "../vectors/data/ntf.json" with { type: "json" };
import { type AlgorithmName, decodePublicKey } from "#crypto/keys";
import { authKeyFrom, type KeyJson, type KeyPairJson, type NamedKeyPairJson } from "./vectors.ts";

// The golden vectors of the protocol of notification servers, from the official code; `about` says what the fields mean.

interface CommandJson {
  readonly tag: string;
  readonly token?: { readonly provider: string; readonly text: string; readonly token: string };
  readonly authKey?: string;
  readonly dhKey?: KeyJson;
  readonly code?: string;
  readonly minutes?: number;
  readonly tokenId?: string;
  readonly queue?: string;
  readonly notifierKey?: NamedKeyPairJson;
}

interface ResponseJson {
  readonly tag: string;
  readonly id?: string;
  readonly dhKey?: KeyJson;
  readonly status?: string;
  readonly error?: string;
}

interface Encoding {
  readonly hex: string;
  readonly versions: readonly number[];
}

export interface PushJson {
  readonly dhSecret: string;
  readonly nonce: string;
  readonly plaintext: string;
  readonly paddedLength: number;
  readonly ntfServerKey: KeyPairJson;
  readonly tokenKey: KeyPairJson;
  readonly verificationCode: string;
  readonly notificationData: { readonly nonce: string; readonly message: string };
  readonly verificationData: { readonly nonce: string; readonly verification: string };
  readonly messages: readonly {
    readonly encMeta: string;
    readonly msgId: string;
    readonly nonce: string;
    readonly notifierId: string;
    readonly queue: string;
    readonly rcvNtfKey: KeyPairJson;
    readonly serverNtfKey: KeyPairJson;
    readonly text: string;
    readonly meta: string;
    readonly timestampSeconds: number;
  }[];
}

interface NtfVectors {
  readonly clientHellos: readonly { readonly hex: string; readonly keyHash: string; readonly version: number }[];
  readonly serverHellos: readonly {
    readonly caDer: string;
    readonly hex: string;
    readonly leafDer: string;
    readonly minVersion: number;
    readonly maxVersion: number;
    readonly sessionId: string;
    readonly signedKeyDer: string | null;
  }[];
  readonly commands: readonly { readonly command: CommandJson; readonly encodings: readonly Encoding[] }[];
  readonly responses: readonly { readonly response: ResponseJson; readonly encodings: readonly Encoding[] }[];
  readonly push: readonly PushJson[];
  readonly transmissions: readonly {
    readonly authorized: string;
    readonly block: string;
    readonly command: string;
    readonly corrId: string;
    readonly entityId: string;
    readonly key: NamedKeyPairJson | null;
    readonly paddedBlock: string;
    readonly serverSessionKey: KeyPairJson;
    readonly sessionId: string;
    readonly transmission: string;
    readonly version: number;
  }[];
}

export const ntf = ntfData as unknown as NtfVectors;

const absent = (): never => {
  throw new Error("a field of the vector is missing");
};
const bytes = (text: string | undefined): Uint8Array => fromHex(text ?? absent());
const x25519 = (key: KeyJson | undefined): { algorithm: "X25519"; raw: Uint8Array } => ({
  algorithm: "X25519",
  raw: bytes(key?.raw),
});
const AUTH: readonly AlgorithmName[] = ["Ed25519", "Ed448", "X25519"];

/** A command of the vectors as this library spells it. */
export function ntfCommandFrom(json: CommandJson): NtfCommand {
  const { tag } = json;
  switch (tag) {
    case "TNEW":
      return {
        tag,
        token: parseDeviceToken(json.token?.text ?? absent()),
        verifyKey: decodePublicKey(bytes(json.authKey), ...AUTH) as never,
        dhKey: x25519(json.dhKey),
      };
    case "TRPL":
      return { tag, token: parseDeviceToken(json.token?.text ?? absent()) };
    case "TVFY":
      return { tag, code: bytes(json.code) };
    case "TCRN":
      return { tag, minutes: json.minutes ?? absent() };
    case "SNEW":
      return {
        tag,
        tokenId: bytes(json.tokenId),
        queue: parseNtfQueue(json.queue ?? absent()),
        notifierKey: authKeyFrom(json.notifierKey ?? absent()),
      };
    default:
      return { tag } as NtfCommand;
  }
}

export function ntfAnswerFrom(json: ResponseJson): NtfAnswer {
  const { tag } = json;
  switch (tag) {
    case "IDTKN":
      return { tag, tokenId: bytes(json.id), dhKey: x25519(json.dhKey) };
    case "IDSUB":
      return { tag, subId: bytes(json.id) };
    case "TKN":
      return { tag, status: json.status as TokenStatus };
    case "SUB":
      return { tag, status: json.status as SubscriptionStatus };
    case "ERR": {
      const [type = "", detail] = (json.error ?? absent()).split(" ");
      const error = detail === undefined ? { type } : { type, cmdErr: { type: detail } };
      return { tag, error } as NtfAnswer;
    }
    default:
      return { tag } as NtfAnswer;
  }
}
