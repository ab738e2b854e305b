import type { AuthAlgorithm, PublicKey } from "#crypto/keys";
import { absent, bool, type Codec, large, letter, str, tail, text, transform } from "../codec.ts";
import { byVersion, maybe, nonEmpty, struct } from "../combine.ts";
import { authKey, dhKey } from "../key.ts";
import { password } from "../password.ts";
import { none, spaced, type TagTable } from "../tagged.ts";
import { VERSION } from "../version.ts";

/** Who may send: one known sender that can secure the queue itself, or anybody (an address). */
export type QueueMode = "messaging" | "contact";

/** What a short link shows: two opaque parts, encrypted by the agent. */
export interface LinkData {
  readonly fixedData: Uint8Array;
  readonly userData: Uint8Array;
}

/** The mode of a new queue, and what a short link to it shows. Only contact queues choose their link id. */
export type QueueReqData =
  | { readonly mode: "messaging"; readonly data: { readonly senderId: Uint8Array; readonly linkData: LinkData } | null }
  | {
    readonly mode: "contact";
    readonly data: { readonly linkId: Uint8Array; readonly senderId: Uint8Array; readonly linkData: LinkData } | null;
  };

/** Keys with which a new queue gets a notifier at once, as NKEY would give it. */
export interface NtfCreds {
  readonly authKey: PublicKey<AuthAlgorithm>;
  readonly dhKey: PublicKey<"X25519">;
}

export interface ServerNtfCreds {
  readonly notifierId: Uint8Array;
  readonly dhKey: PublicKey<"X25519">;
}

export interface NEW {
  readonly tag: "NEW";
  readonly rcvAuthKey: PublicKey<AuthAlgorithm>;
  readonly rcvDhKey: PublicKey<"X25519">;
  readonly basicAuth: string | null;
  readonly subscribe: boolean;
  /** Null in sessions before v9, where a queue has no mode. */
  readonly queueReqData: QueueReqData | null;
  readonly ntfCreds: NtfCreds | null;
}

export type RecipientCommand =
  | NEW
  | { readonly tag: "SUB" | "LDEL" | "GET" | "OFF" | "DEL" | "QUE" }
  | { readonly tag: "KEY"; readonly key: PublicKey<AuthAlgorithm> }
  | { readonly tag: "RKEY"; readonly keys: readonly PublicKey<AuthAlgorithm>[] }
  | { readonly tag: "LSET"; readonly linkId: Uint8Array; readonly linkData: LinkData }
  | { readonly tag: "ACK"; readonly msgId: Uint8Array };

export interface IDS {
  readonly tag: "IDS";
  readonly rcvId: Uint8Array;
  readonly sndId: Uint8Array;
  readonly rcvPublicDhKey: PublicKey<"X25519">;
  readonly queueMode: QueueMode | null;
  readonly linkId: Uint8Array | null;
  readonly serviceId: Uint8Array | null;
  readonly serverNtfCreds: ServerNtfCreds | null;
}

/** INFO's JSON, for debugging a queue. Times are ISO 8601, ids base64. */
export interface QueueInfo {
  readonly qiSnd: boolean;
  readonly qiNtf: boolean;
  readonly qiSub?: {
    readonly qSubThread: "noSub" | "subPending" | "subThread" | "prohibitSub";
    readonly qDelivered?: string;
  };
  readonly qiSize: number;
  readonly qiMsg?: { readonly msgId: string; readonly msgTs: string; readonly msgType: "message" | "quota" };
}

export type RecipientAnswer =
  | IDS
  | { readonly tag: "MSG"; readonly msgId: Uint8Array; readonly encBody: Uint8Array }
  | { readonly tag: "INFO"; readonly info: QueueInfo };

export const linkData: Codec<LinkData> = struct<LinkData>({ fixedData: large, userData: large });
export const queueMode: Codec<QueueMode> = letter<QueueMode>({ messaging: "M", contact: "C" });
const subMode: Codec<boolean> = transform(
  letter<"subscribe" | "create">({ subscribe: "S", create: "C" }),
  (mode) => mode === "subscribe",
  (subscribe) => (subscribe ? "subscribe" : "create"),
);

const messagingData = maybe(struct({ senderId: str, linkData }));
const contactData = maybe(struct({ linkId: str, senderId: str, linkData }));

const queueReqData: Codec<QueueReqData> = {
  write(writer, value, version) {
    queueMode.write(writer, value.mode, version);
    if (value.mode === "messaging") messagingData.write(writer, value.data, version);
    else contactData.write(writer, value.data, version);
  },
  read(reader, version) {
    const mode = queueMode.read(reader, version);
    return mode === "messaging"
      ? { mode, data: messagingData.read(reader, version) }
      : { mode, data: contactData.read(reader, version) };
  },
};

/** v9 to v14: only whether the sender may secure the queue. */
const senderCanSecure: Codec<QueueReqData | null> = transform(
  bool,
  (secure): QueueReqData => (secure ? { mode: "messaging", data: null } : { mode: "contact", data: null }),
  (request) => request?.mode === "messaging",
);

/** Before v9: `A` and the password, or nothing. */
const optionalPassword: Codec<string | null> = {
  write(writer, value, version) {
    if (value === null) return;
    writer.byte(A);
    password.write(writer, value, version);
  },
  read(reader, version) {
    if (reader.peek() !== A) return null;
    reader.byte();
    return password.read(reader, version);
  },
};
const A = 0x41;

const ntfCreds: Codec<NtfCreds> = struct<NtfCreds>({ authKey, dhKey });

const newQueue = struct<Omit<NEW, "tag">>({
  rcvAuthKey: authKey,
  rcvDhKey: dhKey,
  basicAuth: byVersion([VERSION.initial, optionalPassword], [VERSION.senderAuthKey, maybe(password)]),
  subscribe: subMode,
  queueReqData: byVersion<QueueReqData | null>(
    [VERSION.initial, absent(null)],
    [VERSION.senderAuthKey, senderCanSecure],
    [VERSION.shortLinks, maybe(queueReqData)],
  ),
  ntfCreds: byVersion<NtfCreds | null>([VERSION.initial, absent(null)], [VERSION.newNtfCreds, maybe(ntfCreds)]),
});

const queueIds = struct<Omit<IDS, "tag">>({
  rcvId: str,
  sndId: str,
  rcvPublicDhKey: dhKey,
  queueMode: byVersion<QueueMode | null>(
    [VERSION.initial, absent(null)],
    [
      VERSION.senderAuthKey,
      transform(bool, (secure): QueueMode => (secure ? "messaging" : "contact"), (mode) => mode === "messaging"),
    ],
    [VERSION.shortLinks, maybe(queueMode)],
  ),
  linkId: byVersion<Uint8Array | null>([VERSION.initial, absent(null)], [VERSION.shortLinks, maybe(str)]),
  serviceId: byVersion<Uint8Array | null>([VERSION.initial, absent(null)], [VERSION.serviceCerts, maybe(str)]),
  serverNtfCreds: byVersion<ServerNtfCreds | null>(
    [VERSION.initial, absent(null)],
    [VERSION.newNtfCreds, maybe(struct<ServerNtfCreds>({ notifierId: str, dhKey }))],
  ),
});

function parseQueueInfo(json: string): QueueInfo {
  const value: unknown = JSON.parse(json);
  const isInfo = typeof value === "object" && value !== null && "qiSnd" in value && "qiNtf" in value && "qiSize" in value;
  if (!isInfo) throw new RangeError("queue information lacks a field");
  return value as QueueInfo;
}

export const recipientCommands: TagTable<RecipientCommand> = {
  NEW: spaced(newQueue),
  SUB: none,
  KEY: spaced(struct({ key: authKey })),
  RKEY: spaced(struct({ keys: nonEmpty(authKey) })),
  LSET: spaced(struct({ linkId: str, linkData })),
  LDEL: none,
  GET: none,
  ACK: spaced(struct({ msgId: str })),
  OFF: none,
  DEL: none,
  QUE: none,
};

export const recipientAnswers: TagTable<RecipientAnswer> = {
  IDS: spaced(queueIds),
  MSG: spaced(struct({ msgId: str, encBody: tail })),
  INFO: spaced(struct({ info: transform(text(tail), parseQueueInfo, (info) => JSON.stringify(info)) })),
};
