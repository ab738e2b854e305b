import agentData from "../vectors/data/agent.json" with { type: "json" };
import { type KeyPairJson, queueAddresses, type QueueAddress } from "./vectors.ts";

// The golden vectors of the agent layer; their `about` field says what the fields mean. Bytes are hex.

type Mode = "messaging" | "contact";

export interface SealedJson {
  readonly length: number;
  readonly sha256: string;
}

interface SealedPartJson extends SealedJson {
  readonly nonce: string;
}

export interface AddressJson {
  readonly server: string;
  readonly senderId: string;
}

export type AMessageJson =
  | { readonly type: "HELLO" }
  | { readonly type: "A_MSG"; readonly body: string }
  | {
    readonly type: "A_RCVD";
    readonly receipts: readonly { readonly msgId: number; readonly msgHash: string; readonly info: string }[];
  }
  | { readonly type: "A_QCONT"; readonly address: AddressJson }
  | { readonly type: "QADD"; readonly queues: readonly { readonly uri: string; readonly replaces: AddressJson | null }[] }
  | { readonly type: "QKEY"; readonly queues: readonly { readonly queueInfo: string; readonly key: string }[] }
  | { readonly type: "QUSE"; readonly queues: readonly { readonly address: AddressJson; readonly primary: boolean }[] }
  | { readonly type: "QTEST"; readonly queues: readonly AddressJson[] }
  | { readonly type: "EREADY"; readonly lastDecryptedMsgId: number };

export type AgentMessageJson =
  | { readonly type: "connInfo"; readonly connInfo: string }
  | { readonly type: "connInfoReply"; readonly queues: readonly string[]; readonly connInfo: string }
  | { readonly type: "ratchetInfo"; readonly info: string }
  | {
    readonly type: "message";
    readonly sndMsgId: number;
    readonly prevMsgHash: string;
    readonly message: AMessageJson;
  };

export type EnvelopeJson = { readonly agentVersion: number } & (
  | { readonly type: "confirmation"; readonly e2eParams: string | null; readonly encConnInfo: string }
  | { readonly type: "message"; readonly encAgentMessage: string }
  | { readonly type: "invitation"; readonly connReq: string; readonly connInfo: string }
  | { readonly type: "ratchetKey"; readonly e2eParams: string; readonly info: string }
);

export interface LinkDataJson {
  readonly mode: "invitation" | "contact";
  readonly agentVersions: readonly [number, number];
  readonly connReq: string;
  readonly linkEntityId: string | null;
  readonly linkId: string | null;
  readonly linkKey: string;
  readonly secretBoxKey: string;
  readonly rootKey: KeyPairJson;
  readonly direct?: boolean;
  readonly owners?: readonly { readonly encoded: string; readonly key: KeyPairJson; readonly ownerId: string }[];
  readonly relays?: readonly string[];
  readonly userData: string;
  readonly userDataSigner: "root" | "second owner";
  readonly signedFixedData: string;
  readonly signedUserData: string;
  readonly sealedFixedData: SealedPartJson;
  readonly sealedUserData: SealedPartJson;
  readonly wrongUserData?: SealedPartJson & { readonly signed: string; readonly error: string };
}

export interface ShortenedLinkJson {
  readonly preset: true;
  readonly server: string;
  readonly full: string;
  readonly shortened: string;
  readonly restored: string;
}

export interface ShortLinkJson {
  readonly mode: "invitation" | "contact";
  readonly type: "i" | "CCTContact" | "CCTChannel" | "CCTGroup" | "CCTRelay";
  readonly scheme: "SLSSimplex" | "SLSServer";
  readonly server: string;
  readonly link: string;
  readonly binary: string;
  readonly linkId: string;
  readonly linkKey: string;
  readonly secretBoxKey: string;
}

interface AgentVectors {
  readonly connectionRequests: readonly {
    readonly mode: "invitation" | "contact";
    readonly scheme: "simplex:" | `https://${string}`;
    readonly agentVersions: readonly [number, number];
    readonly clientData: string | null;
    readonly queues: readonly string[];
    readonly e2e?: string;
    readonly link: string;
    readonly binary: string;
  }[];
  readonly shortLinks: readonly (ShortLinkJson | ShortenedLinkJson)[];
  readonly envelopes: readonly { readonly hex: string; readonly value: EnvelopeJson }[];
  readonly messages: readonly { readonly hex: string; readonly value: AgentMessageJson }[];
  readonly hashChain: readonly {
    readonly agentMessage: string;
    readonly body: string;
    readonly msgHash: string;
    readonly prevMsgHash: string;
    readonly sndMsgId: number;
  }[];
  readonly paddedLengths: readonly {
    readonly agentVersion: number;
    readonly pq: boolean;
    readonly connInfo: number;
    readonly message: number;
  }[];
  readonly clientMessages: readonly {
    readonly agentEnvelope: string;
    readonly clientMessage: string;
    readonly clientVersion: number;
    readonly nonce: string;
    readonly paddedLength: number;
    readonly privHeaderKey: string | null;
    readonly recipientQueueKey: KeyPairJson;
    readonly senderKey: KeyPairJson;
    readonly senderKeyInHeader: boolean;
    readonly sealed: SealedJson;
  }[];
  readonly linkData: readonly LinkDataJson[];
}

export const agentVectors = agentData as unknown as AgentVectors;

export interface BinaryQueueAddress extends QueueAddress {
  readonly decodedFromBinary: { readonly mode: Mode | null; readonly server: string };
  readonly queueInfo: readonly { readonly version: number; readonly hex: string }[];
}

export const binaryQueueAddresses = queueAddresses as readonly BinaryQueueAddress[];
