import { fromHex } from "#crypto/bytes";
import type { AlgorithmName, KeyPair, SecretKey } from "#crypto/keys";
import certData from "../vectors/data/certs.json" with { type: "json" };
import queueAddressData from "../vectors/data/queue-addresses.json" with { type: "json" };
import wireData from "../vectors/data/smp-wire.json" with { type: "json" };

// The golden vectors came from the official code; their own `about` fields say what each field means. Bytes are hex.

export interface KeyJson {
  readonly algorithm?: AlgorithmName;
  readonly der: string;
  readonly raw: string;
}

export interface KeyPairJson {
  readonly private: KeyJson;
  readonly public: KeyJson;
}

export interface NamedKeyPairJson {
  readonly algorithm: "Ed25519" | "Ed448" | "X25519";
  readonly key: KeyPairJson;
}

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}
export type TaggedJson = JsonObject & { readonly tag: string };

interface Encoding {
  readonly hex: string;
  readonly versions: readonly number[];
}

interface BlockStep {
  readonly block: string;
  readonly nonce: string;
  readonly plaintext: string;
  readonly secretBoxKey: string;
}

interface Timestamp {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export interface Wire {
  readonly authenticators: readonly {
    readonly authenticator: string;
    readonly clientKey: KeyPairJson;
    readonly serverKey: KeyPairJson;
    readonly message: string;
    readonly nonce: string;
  }[];
  readonly batches: readonly {
    readonly name: string;
    readonly version: number;
    readonly transmissions: readonly (string | { readonly repeat: number; readonly transmission: string })[];
    readonly blocks: readonly { readonly block: string; readonly count: number }[];
  }[];
  readonly blockEncryption: {
    readonly chainInit: string;
    readonly clientKey: KeyPairJson;
    readonly serverKey: KeyPairJson;
    readonly dhSecret: string;
    readonly sessionId: string;
    readonly clientToServer: readonly BlockStep[];
    readonly serverToClient: readonly BlockStep[];
  };
  readonly brokerTransmissions: readonly {
    readonly corrId: string;
    readonly entityId: string;
    readonly message: string;
    readonly sessionId: string;
    readonly transmission: string;
    readonly version: number;
  }[];
  readonly clientChosenSenderId: readonly { readonly corrId: string; readonly senderId: string }[];
  readonly clientHellos: readonly {
    readonly authPubKey: KeyJson | null;
    readonly hex: string;
    readonly keyHash: string;
    readonly name: string;
    readonly proxyServer: boolean;
    readonly service: { readonly certChainKey: string; readonly role: "messaging" | "notifier" | "proxy" } | null;
    readonly version: number;
  }[];
  readonly commands: readonly { readonly command: TaggedJson; readonly encodings: readonly Encoding[] }[];
  readonly messages: readonly { readonly message: TaggedJson; readonly encodings: readonly Encoding[] }[];
  readonly cryptoBox: readonly {
    readonly keyA: KeyPairJson;
    readonly keyB: KeyPairJson;
    readonly dh: string;
    readonly nonce: string;
    readonly reverseNonce: string;
    readonly plaintext: string;
    readonly paddedLength: number;
    readonly box: string;
    readonly boxNoPad: string;
  }[];
  readonly ntfMeta: readonly {
    readonly NMSG: string;
    readonly dhSecret: string;
    readonly encMeta: string;
    readonly meta: string;
    readonly msgId: string;
    readonly nonce: string;
    readonly recipientNtfKey: KeyPairJson;
    readonly serverNtfKey: KeyPairJson;
    readonly timestamp: Timestamp;
  }[];
  readonly padding: readonly { readonly length: number; readonly padded: string; readonly plaintext: string }[];
  readonly paddingErrors: readonly { readonly length: number; readonly plaintextLength: number }[];
  readonly unpadding: readonly { readonly padded: string; readonly result: string }[];
  readonly proxy: readonly (Readonly<
    Record<
      | "PFWD"
      | "PRES"
      | "RFWD"
      | "RRES"
      | "body"
      | "commandNonceAndCorrId"
      | "commandSecret"
      | "fwdResponse"
      | "fwdTransmission"
      | "innerBatch"
      | "innerResponseBatch"
      | "proxyNonceAndCorrId"
      | "queueId"
      | "relaySessionId"
      | "sessionSecret",
      string
    >
  > & {
    readonly commandKey: KeyPairJson;
    readonly proxySessionKey: KeyPairJson;
    readonly relaySessionKey: KeyPairJson;
    readonly senderAuthKey: NamedKeyPairJson;
    readonly paddedTo: number;
    readonly version: number;
  })[];
  readonly rcvMessages: readonly {
    readonly body?: string;
    readonly notification?: boolean;
    readonly quota?: true;
    readonly decrypted: string;
    readonly encrypted: string;
    readonly msgId: string;
    readonly rcvDhSecret: string;
    readonly recipientKey: KeyPairJson;
    readonly serverKey: KeyPairJson;
    readonly timestamp: Timestamp;
  }[];
  readonly serverHellos: readonly {
    readonly name: string;
    readonly certChainPubKey: string | null;
    readonly challenge: string | null;
    readonly hex: string;
    readonly minVersion: number;
    readonly maxVersion: number;
    readonly paddedBlock: string;
    readonly sessionId: string;
    readonly webIdentityProof: string | null;
  }[];
  readonly serviceHandshakeResponses: readonly {
    readonly hex: string;
    readonly response: { readonly serviceId?: string; readonly error?: JsonObject };
  }[];
  readonly transmissions: readonly {
    readonly authorized: string;
    readonly batchBlock: string;
    readonly command: string;
    readonly commandHex: string;
    readonly corrId: string;
    readonly entityId: string;
    readonly key: NamedKeyPairJson | null;
    readonly serverSessionKey: KeyPairJson;
    readonly service: { readonly certFingerprint: string; readonly key: KeyPairJson } | null;
    readonly sessionId: string;
    readonly transmission: string;
    readonly version: number;
  }[];
}

export interface Certs {
  readonly chains: readonly {
    readonly name: string;
    readonly ders: readonly string[];
    readonly result: {
      readonly kind: string;
      readonly fingerprint?: string;
      readonly leaf?: string;
      readonly identity?: string;
      readonly ca?: string;
    };
  }[];
  readonly servers: readonly (Readonly<
    Record<
      | "name"
      | "caDer"
      | "leafDer"
      | "chainEncoded"
      | "certChainPubKeyEncoded"
      | "challenge"
      | "fingerprint"
      | "fingerprintBase64url"
      | "identityProof"
      | "sessionId"
      | "signedKeyDer"
      | "signedKeySignature"
      | "signedKeyTbsDer",
      string
    >
  > & {
    readonly caKey: NamedKeyPairJson;
    readonly leafKey: NamedKeyPairJson;
    readonly sessionKey: KeyPairJson;
    readonly negative: Readonly<
      Record<
        | "leafUnderWrongCaChainEncoded"
        | "otherCaDer"
        | "otherFingerprint"
        | "otherLeafDer"
        | "proofByCaKey"
        | "proofOverOtherSession"
        | "signedKeyBadSignatureDer",
        string
      >
    >;
  })[];
}

export interface QueueAddress {
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly dhKey: KeyJson;
  readonly queueMode: "messaging" | "contact" | null;
  readonly senderId: string;
  readonly server: string;
  readonly uri: string;
  readonly uriBinary: string;
  readonly decodedFromUri: { readonly mode: "messaging" | "contact" | null; readonly server: string };
}

// TypeScript infers a union of every entry's shape from a JSON module; the interfaces above say what is meant.
export const wire = wireData as unknown as Wire;
export const certs = certData as unknown as Certs;
export const queueAddresses = queueAddressData.queueAddresses as unknown as readonly QueueAddress[];

/** A moment at which every certificate of the vectors is valid. */
export const VECTORS_MADE = Date.UTC(2026, 10, 23, 12);

export function keyPairFrom<A extends AlgorithmName>(algorithm: A, json: KeyPairJson): KeyPair<A> {
  return {
    publicKey: { algorithm, raw: fromHex(json.public.raw) },
    secretKey: { algorithm, secret: fromHex(json.private.raw) },
  };
}

/** X25519, which is what a pair without a name of its algorithm is. */
export function x25519From(json: KeyPairJson): KeyPair<"X25519"> {
  return keyPairFrom("X25519", json);
}

export function authKeyFrom(
  json: NamedKeyPairJson,
): SecretKey<"Ed25519"> | SecretKey<"Ed448"> | SecretKey<"X25519"> {
  return { algorithm: json.algorithm, secret: fromHex(json.key.private.raw) };
}
