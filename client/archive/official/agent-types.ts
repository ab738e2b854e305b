import type { AuthAlgorithm, KeyPair, PublicKey, SecretKey } from "#crypto/keys";
import type { Server } from "#protocol/address";
import type { E2eKeys } from "../../ratchet/agree.ts";
import type { MessageKey } from "../../ratchet/encrypt.ts";
import type { SkippedKey } from "../../ratchet/skipped.ts";
import type { RatchetState } from "../../ratchet/state.ts";

export type OfficialQueueStatus = "new" | "confirmed" | "secured" | "active" | "disabled";

/** A queue that the profile receives from, with all its keys. */
export interface OfficialRcvQueue {
  /** Within the connection. */
  readonly id: number;
  readonly isPrimary: boolean;
  readonly server: Server;
  readonly rcvId: Uint8Array;
  readonly sndId: Uint8Array;
  readonly authKey: SecretKey<AuthAlgorithm>;
  /** Between relay and recipient, 32 bytes. */
  readonly rcvDhSecret: Uint8Array;
  /** The public half stands in the queue's address. */
  readonly dhKeys: KeyPair<"X25519">;
  /** Agreed with the sender, 32 bytes; null until it confirmed. */
  readonly e2eSecret: Uint8Array | null;
  readonly clientVersion: number;
  readonly mode: "messaging" | "contact" | null;
  readonly status: OfficialQueueStatus;
  /** The queue that this one is to replace. */
  readonly replaces: number | null;
  readonly rotation: "switch_started" | "sending_qadd" | "sending_quse" | "received_message" | null;
  /** Of the owner of a short link. */
  readonly link: OfficialShortLink | null;
  /** With the notification server; of no use here, since tokens belong to devices. */
  readonly hasNotifications: boolean;
}

export interface OfficialShortLink {
  readonly linkId: Uint8Array;
  readonly linkKey: Uint8Array;
  readonly rootKey: KeyPair<"Ed25519">;
  readonly fixedData: Uint8Array;
}

/** A queue of the other side. */
export interface OfficialSndQueue {
  readonly id: number;
  readonly isPrimary: boolean;
  readonly server: Server;
  readonly sndId: Uint8Array;
  readonly authKeys: KeyPair<AuthAlgorithm>;
  /** The secret half is not kept once the secret is agreed. */
  readonly dhPublicKey: PublicKey<"X25519"> | null;
  readonly e2eSecret: Uint8Array;
  readonly clientVersion: number;
  readonly mode: "messaging" | "contact" | null;
  readonly status: OfficialQueueStatus;
  readonly replaces: number | null;
  readonly rotation: "sending_qkey" | "sending_qtest" | null;
}

/** Number and SHA-256 of the last message in one direction; 0 and no bytes before the first. */
export interface ChainEnd {
  readonly number: number;
  readonly hash: Uint8Array;
}

export interface OfficialRatchetState {
  readonly state: RatchetState;
  readonly skipped: readonly SkippedKey[];
}

/** One connection of the agent, as it can go on. */
export interface OfficialConnection {
  /** As the chat refers to it. */
  readonly id: string;
  /** The agent's number of the user. */
  readonly user: number;
  /** `address`: many may use its link. */
  readonly kind: "connection" | "address";
  readonly agentVersion: number;
  readonly pq: boolean;
  readonly sync: "ok" | "allowed" | "required" | "started" | "agreed";
  readonly sent: ChainEnd;
  readonly received: ChainEnd;
  /** The highest number that the application knows a message by. */
  readonly lastItem: number;
  /** Null: the link was not used yet, or it is an address. */
  readonly ratchet: OfficialRatchetState | null;
  /** Keys of a link that was not used yet, or of a re-synchronisation that is under way. */
  readonly linkKeys: E2eKeys | null;
  readonly receive: readonly OfficialRcvQueue[];
  readonly send: readonly OfficialSndQueue[];
  /** The user has deleted it; it waits for the relay. */
  readonly isDeleted: boolean;
}

/** A message that was encrypted and not handed to the relay yet. */
export interface OfficialPending {
  readonly connection: string;
  /** Of the send queue in its connection. */
  readonly queue: number;
  readonly item: number;
  /** Its number among those that were sent. */
  readonly sndMsgId: number;
  /** `M` for a message; others are the agent's own. */
  readonly type: string;
  readonly at: number;
  readonly key: MessageKey;
  readonly paddedLength: number;
  readonly plaintext: Uint8Array;
}

/** SHA-256 of a ciphertext that was received: coming again it must not be decrypted again. */
export interface OfficialReceivedHash {
  readonly connection: string;
  readonly hash: Uint8Array;
  readonly at: number;
}

/** A message that was decrypted and which the application has not acknowledged. */
export interface OfficialUnacknowledged {
  readonly connection: string;
  readonly item: number;
  readonly at: number;
  readonly body: Uint8Array;
}
