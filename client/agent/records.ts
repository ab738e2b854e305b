import * as v from "valibot";
import type { AlgorithmName, KeyPair, PublicKey, SecretKey } from "#crypto/keys";
import type { Server } from "#protocol/address";
import {
  type E2eKeys,
  e2eKeysFromRecord,
  type MessageKey,
  messageKeyFromRecord,
  ratchetFromRecord,
  type RatchetState,
} from "../ratchet/snapshot.ts";

// What the agent stores. The schemas are types and checks at once; a record in memory has the same shape as on disk.

export const bytes: v.GenericSchema<unknown, Uint8Array> = v.instance(Uint8Array);
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

function publicKey<A extends AlgorithmName>(...algorithms: readonly A[]): v.GenericSchema<unknown, PublicKey<A>> {
  return v.object({ algorithm: v.picklist(algorithms), raw: bytes }) as unknown as v.GenericSchema<unknown, PublicKey<A>>;
}

export function secretKey<A extends AlgorithmName>(...algorithms: readonly A[]): v.GenericSchema<unknown, SecretKey<A>> {
  return v.object({ algorithm: v.picklist(algorithms), secret: bytes }) as unknown as v.GenericSchema<unknown, SecretKey<A>>;
}

export function keyPair<A extends AlgorithmName>(algorithm: A): v.GenericSchema<unknown, KeyPair<A>> {
  return v.object({ publicKey: publicKey(algorithm), secretKey: secretKey(algorithm) });
}

const authPublicKey = publicKey("Ed25519", "Ed448", "X25519");

export const server: v.GenericSchema<unknown, Server> = v.object({ hosts: v.array(v.string()), port: v.string(), keyHash: bytes });
const mode = v.nullable(v.picklist(["messaging", "contact"]));

/** A queue that this side receives from. */
const rcvQueue = v.object({
  /** Within the connection. */
  id: count,
  server,
  rcvId: bytes,
  sndId: bytes,
  authKey: secretKey("Ed25519", "Ed448", "X25519"),
  /** Between relay and recipient. */
  rcvDhSecret: bytes,
  /** Between sender and recipient: the public half stands in the queue's address. */
  dhKeys: keyPair("X25519"),
  /** Agreed with the sender; null until its confirmation came. */
  e2eSecret: v.nullable(bytes),
  clientVersion: count,
  mode,
  status: v.picklist(["new", "confirmed", "secured", "active"]),
  /** The queue that this one is to replace. */
  replaces: v.nullable(count),
  /** How far the replacement of this queue has come. */
  rotation: v.nullable(v.picklist(["started", "sending_qadd", "sending_quse", "draining", "received_message"])),
  /** When its relay got the newest message that came; seconds since 1970. Absent before the first. */
  newestAt: v.optional(count),
});
export type RcvQueue = Readonly<v.InferOutput<typeof rcvQueue>>;

/** A queue of the peer that this side sends to. */
const sndQueue = v.object({
  id: count,
  server,
  sndId: bytes,
  /** Authorizes SEND. */
  authKeys: keyPair("Ed25519"),
  dhKeys: keyPair("X25519"),
  e2eSecret: bytes,
  clientVersion: count,
  mode,
  status: v.picklist(["new", "secured", "confirmed", "active"]),
  replaces: v.nullable(count),
  rotation: v.nullable(v.picklist(["sending_qkey", "sending_qtest"])),
});
export type SndQueue = Readonly<v.InferOutput<typeof sndQueue>>;

const e2eKeys = v.pipe(v.unknown(), v.transform((value): E2eKeys => e2eKeysFromRecord(value)));

/** Steps that need a relay. They are done in order, each until the relay has answered, over any number of restarts. */
const task = v.variant("type", [
  /** SKEY on a send queue. */
  v.object({ type: v.literal("secureSend"), queue: count }),
  /** NEW for the queue that the peer will answer to; the confirmation goes out with it. */
  v.object({ type: v.literal("createReply") }),
  /** KEY on a receive queue with the key that its sender gave. */
  v.object({ type: v.literal("secureReceive"), queue: count, senderKey: authPublicKey }),
  /** The initiator's confirmation, after the queues are secured. */
  v.object({ type: v.literal("confirm") }),
  v.object({ type: v.literal("hello") }),
  /** NEW for the queue of an invitation that goes to a contact address. */
  v.object({ type: v.literal("createOwn") }),
  /** That invitation. `address`: the contact address's queue, as queue info. */
  v.object({ type: v.literal("request"), address: bytes, agentVersion: count }),
  /** NEW for a queue that replaces `replaces`; QADD goes out with it. */
  v.object({ type: v.literal("rotate"), replaces: count, server: v.nullable(server) }),
  /** QUSE for a queue that was secured. */
  v.object({ type: v.literal("use"), queue: count }),
  /** DEL of a queue that was replaced or given up. */
  v.object({ type: v.literal("remove"), queue: count }),
]);
export type Task = Readonly<v.InferOutput<typeof task>>;
export type TaskOf<T extends Task["type"]> = Extract<Task, { readonly type: T }>;

const chainEnd = v.object({ number: count, hash: bytes });

const syncState = v.picklist(["ok", "allowed", "required", "started", "agreed"]);
export type SyncState = v.InferOutput<typeof syncState>;

const connection = v.object({
  id: v.string(),
  profile: v.string(),
  createdAt: count,
  /** Who shared the link, who used it, or an address that many may use. */
  role: v.picklist(["initiator", "joiner", "contact"]),
  status: v.picklist(["pending", "connected", "failed", "leaving"]),
  agentVersion: count,
  /** Whether the ratchet may use the post-quantum KEM. */
  pq: v.boolean(),
  /** Of the initiator, until the confirmation came. */
  e2eKeys: v.nullable(e2eKeys),
  /** Of the joiner: its public parameters in the message form, for the confirmation. */
  e2eParams: v.nullable(bytes),
  ratchet: v.nullable(v.pipe(v.unknown(), v.transform((value): RatchetState => ratchetFromRecord(value)))),
  sync: v.object({
    state: syncState,
    /** Own keys while negotiation is under way. */
    keys: v.nullable(e2eKeys),
    /** When keys were sent last. */
    triedAt: count,
    /** Hashes of the ratchet keys that were answered. */
    seen: v.array(v.object({ hash: bytes, at: count })),
  }),
  /** Number and hash of the last item that was sent; number 0 and no bytes before the first. */
  sent: chainEnd,
  received: chainEnd,
  nextItem: count,
  nextQueue: count,
  receive: v.array(rcvQueue),
  send: v.array(sndQueue),
  /** Own connection information, until it is on its way. */
  info: v.nullable(bytes),
  /** What the joiner sent, until the initiator allows the connection. */
  confirmation: v.nullable(v.object({
    id: v.string(),
    senderKey: v.nullable(authPublicKey),
    /** Queue info in its binary form. */
    replyQueue: bytes,
    isAllowed: v.boolean(),
  })),
  /** Of the owner of a short link. */
  link: v.nullable(v.object({ linkId: bytes, linkKey: bytes, rootKey: keyPair("Ed25519"), fixedData: bytes })),
  todo: v.array(task),
  /** Whether its messages are worth a notification; absent: they are. */
  notifies: v.optional(v.boolean()),
});
export type Connection = Readonly<v.InferOutput<typeof connection>>;
export type ShortLinkOwner = NonNullable<Connection["link"]>;

/** An item on its way to one queue. */
const delivery = v.object({
  /** The number by which the application knows the message. */
  item: count,
  sndMsgId: count,
  kind: v.picklist([
    "confirmation", "ratchetKey", "hello", "message", "receipt", "qcont", "qadd", "qkey", "quse", "qtest", "eready",
  ]),
  notification: v.boolean(),
  at: count,
  content: v.variant("type", [
    v.object({
      type: v.literal("confirmation"),
      agentVersion: count,
      e2eParams: v.nullable(bytes),
      key: v.pipe(v.unknown(), v.transform((value): MessageKey => messageKeyFromRecord(value))),
      plaintext: bytes,
      paddedLength: count,
    }),
    v.object({
      type: v.literal("message"),
      key: v.pipe(v.unknown(), v.transform((value): MessageKey => messageKeyFromRecord(value))),
      plaintext: bytes,
      paddedLength: count,
    }),
    v.object({ type: v.literal("ratchetKey"), agentVersion: count, e2eParams: bytes }),
  ]),
  /** After QUOTA: how long the wait is and when it ends. */
  wait: v.nullable(v.object({ delay: count, since: count, until: count })),
});
export type Delivery = Readonly<v.InferOutput<typeof delivery>>;

/** A sent message that may still be confirmed by a receipt. */
const sentMessage = v.object({
  item: count,
  hash: bytes,
  at: count,
  told: v.boolean(),
  receipt: v.nullable(v.picklist(["ok", "badHash"])),
});
export type SentMessage = Readonly<v.InferOutput<typeof sentMessage>>;

/** A ciphertext that was received: seen again, it is not decrypted again. `item`: the message that it held. */
const receivedHash = v.object({ at: count, item: v.nullable(count) });
export type ReceivedHash = Readonly<v.InferOutput<typeof receivedHash>>;

/** Somebody asks to connect through a contact address. */
const contactRequest = v.object({
  id: v.string(),
  address: v.string(),
  profile: v.string(),
  invitation: v.string(),
  info: bytes,
  at: count,
});
export type ContactRequest = Readonly<v.InferOutput<typeof contactRequest>>;

/** A queue whose connection is gone already. */
const removal = v.object({
  profile: v.string(),
  server,
  rcvId: bytes,
  authKey: secretKey("Ed25519", "Ed448", "X25519"),
  attempts: count,
});
export type Removal = Readonly<v.InferOutput<typeof removal>>;

/** The key with which an invitation's queue was secured when its short link was opened. */
const linkKey = v.object({ authKeys: keyPair("Ed25519"), at: count });
export type LinkKey = Readonly<v.InferOutput<typeof linkKey>>;

export function checked<T>(schema: v.GenericSchema<unknown, T>): (value: unknown) => T {
  return (value) => v.parse(schema, value);
}

export const checkConnection = checked<Connection>(connection);
export const checkDelivery = checked<Delivery>(delivery);
export const checkSentMessage = checked<SentMessage>(sentMessage);
export const checkReceivedHash = checked<ReceivedHash>(receivedHash);
export const checkContactRequest = checked<ContactRequest>(contactRequest);
export const checkRemoval = checked<Removal>(removal);
export const checkLinkKey = checked<LinkKey>(linkKey);
