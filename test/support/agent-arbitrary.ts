import fc from "fast-check";
import { KEM_CIPHERTEXT_LENGTH, KEM_PUBLIC_KEY_LENGTH } from "#crypto/sntrup761";
import type { QueueUri } from "#protocol/address";
import type { SmpQueueInfo, SndQAddr } from "#protocol/queue-address";
import type { VersionRange } from "#protocol/version";
import type { AgentEnvelope } from "../../client/agent/wire/agent-envelope.ts";
import type { AgentMessage, AMessage } from "../../client/agent/wire/agent-message.ts";
import type { ClientMessage, ClientMsgEnvelope } from "../../client/agent/wire/client-message.ts";
import {
  type ConnectionRequest,
  type ContactRequest,
  formatConnectionRequest,
  type InvitationRequest,
} from "../../client/agent/wire/connection-request.ts";
import type { FixedLinkData, UserLinkData } from "../../client/agent/wire/link-data.ts";
import type { NonEmpty } from "../../client/agent/wire/non-empty.ts";
import type { OwnerAuth } from "../../client/agent/wire/owner.ts";
import type { ContactShortLink, InvitationShortLink, ShortLink } from "../../client/agent/wire/short-link.ts";
import { type E2eParams, type E2eUri, PQ_VERSION, type ProposedKem } from "../../client/ratchet/parameters.ts";
import { authKey, bytes, dhKey, publicKey, server, short } from "./arbitrary.ts";

const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true });
const nullable = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });
const exactly = <const T>(value: T): fc.Arbitrary<T> => fc.constant(value);
const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<NonEmpty<T>> =>
  fc.tuple(arbitrary, fc.array(arbitrary, { maxLength: 2 })).map(([first, others]) => [first, ...others]);
const tail = bytes(0, 400);

/** A range of versions not below `min`, now and then an absurd one. */
const versionsFrom = (min: number): fc.Arbitrary<VersionRange> => {
  const length = fc.oneof({ weight: 9, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: fc.nat(60_000) });
  return fc.tuple(fc.integer({ min, max: min + 6 }), length).map(([low, more]) => ({ min: low, max: low + more }));
};

const mode = fc.constantFrom("messaging" as const, "contact" as const, null);
const id = bytes(1, 40);

const queueUriFrom = (oldest: number): fc.Arbitrary<QueueUri> =>
  record({ clientVersions: versionsFrom(oldest), server, senderId: id, dhKey, mode });
/** Of any version: the binary form does not hold all of it. */
export const queueUri = queueUriFrom(0);
/** Of a version whose binary form holds all of it. */
export const newQueueUri = queueUriFrom(4);

const queueInfoFrom = (clientVersion: fc.Arbitrary<number>): fc.Arbitrary<SmpQueueInfo> =>
  record({ clientVersion, server, senderId: short, dhKey, mode });
export const queueInfo = queueInfoFrom(fc.oneof(fc.nat(6), fc.nat(0xffff)));
// The first byte of a version that is as high as a letter would be taken for the mode of the queue before it.
export const newQueueInfo = queueInfoFrom(fc.integer({ min: 4, max: 0x42ff }));
export const sndQAddr: fc.Arbitrary<SndQAddr> = record({ server, senderId: short });

const x448 = publicKey("X448");
const kemKey = bytes(KEM_PUBLIC_KEY_LENGTH);
const proposed: fc.Arbitrary<ProposedKem> = record({ type: exactly("proposed"), key: kemKey });
const accepted = record({ type: exactly("accepted"), ciphertext: bytes(KEM_CIPHERTEXT_LENGTH), key: kemKey });
const parameters = <K extends E2eParams["kem"]>(kem: fc.Arbitrary<K>) =>
  fc.oneof(
    record({ version: fc.nat(PQ_VERSION - 1), key1: x448, key2: x448, kem: exactly(null) }),
    record({ version: fc.integer({ min: PQ_VERSION, max: 0xffff }), key1: x448, key2: x448, kem: nullable(kem) }),
  );

const e2eUri: fc.Arbitrary<E2eUri> = fc.oneof(
  record({ versions: exactly({ min: 2, max: 2 }), key1: x448, key2: x448, kem: exactly(null) }),
  record({
    versions: fc.nat(9).map((more) => ({ min: 2, max: 3 + more })),
    key1: x448,
    key2: x448,
    kem: nullable(proposed),
  }),
);

const clientData = nullable(fc.string({ unit: "binary", maxLength: 60 }));
const requestFrom = (queue: fc.Arbitrary<QueueUri>) => {
  const invitation: fc.Arbitrary<InvitationRequest> = record({
    type: exactly("invitation"),
    agentVersions: versionsFrom(0),
    queues: some(queue),
    clientData,
    e2e: e2eUri,
  });
  const contact: fc.Arbitrary<ContactRequest> = record({
    type: exactly("contact"),
    // Older ones are raised when they are read.
    agentVersions: versionsFrom(2),
    queues: some(queue),
    clientData,
  });
  return { invitation, contact };
};
const anyRequest = requestFrom(queueUri);
/** The text form holds all of these. */
export const request: fc.Arbitrary<ConnectionRequest> = fc.oneof(anyRequest.invitation, anyRequest.contact);
const withMode = requestFrom(newQueueUri.map((uri) => ({ ...uri, mode: uri.mode ?? "contact" })));
/** The binary form holds all of these. */
export const newRequest: fc.Arbitrary<ConnectionRequest> = fc.oneof(withMode.invitation, withMode.contact);

const invitationLink: fc.Arbitrary<InvitationShortLink> = record({
  type: exactly("short"),
  mode: exactly("invitation"),
  server,
  linkId: bytes(24),
  linkKey: bytes(32),
});
const contactLink: fc.Arbitrary<ContactShortLink> = record({
  type: exactly("short"),
  mode: exactly("contact"),
  kind: fc.constantFrom("contact" as const, "channel" as const, "group" as const, "relay" as const),
  server,
  linkKey: bytes(32),
});
export const shortLink: fc.Arbitrary<ShortLink> = fc.oneof(invitationLink, contactLink);

const rootKey = publicKey("Ed25519");
export const fixedLinkData: fc.Arbitrary<FixedLinkData> = record({
  agentVersions: versionsFrom(0),
  rootKey,
  request: newRequest,
  linkEntityId: nullable(short),
});
export const ownerAuth: fc.Arbitrary<OwnerAuth> = record({
  ownerId: bytes(0, 100),
  ownerKey: rootKey,
  signature: bytes(64),
});
const userBytes = fc.oneof(bytes(0, 300), bytes(250, 260), bytes(1_000, 9_000));
export const userLinkData: fc.Arbitrary<UserLinkData> = fc.oneof(
  record({ type: exactly("invitation"), agentVersions: versionsFrom(0), data: userBytes }),
  record({
    type: exactly("contact"),
    agentVersions: versionsFrom(0),
    direct: fc.boolean(),
    owners: fc.array(ownerAuth, { maxLength: 3 }),
    relays: fc.array(contactLink, { maxLength: 3 }),
    data: userBytes,
  }),
);

const number = fc.maxSafeInteger();
/** Every message, each as likely as another. */
export const aMessage: fc.Arbitrary<AMessage> = fc.oneof<fc.Arbitrary<AMessage>[]>(
  fc.constant({ type: "HELLO" }),
  record({ type: exactly("A_MSG"), body: tail }),
  record({ type: exactly("A_RCVD"), receipts: some(record({ sndMsgId: number, msgHash: short, info: tail })) }),
  record({ type: exactly("A_QCONT"), address: sndQAddr }),
  record({ type: exactly("QADD"), queues: some(record({ uri: newQueueUri, replaces: nullable(sndQAddr) })) }),
  record({ type: exactly("QKEY"), queues: some(record({ info: newQueueInfo, senderKey: authKey })) }),
  record({ type: exactly("QUSE"), queues: some(record({ address: sndQAddr, primary: fc.boolean() })) }),
  record({ type: exactly("QTEST"), queues: some(sndQAddr) }),
  record({ type: exactly("EREADY"), lastDecryptedMsgId: number }),
);
// What follows a queue without a mode must not look like one.
const connInfo = tail.map((info) => (info.length > 0 ? Uint8Array.of(0x7b, ...info) : info));
export const agentMessage: fc.Arbitrary<AgentMessage> = fc.oneof<fc.Arbitrary<AgentMessage>[]>(
  record({ type: exactly("connInfo"), connInfo: tail }),
  record({ type: exactly("connInfoReply"), queues: some(newQueueInfo), connInfo }),
  record({ type: exactly("ratchetInfo"), info: tail }),
  record({ type: exactly("message"), sndMsgId: number, prevMsgHash: short, message: aMessage }),
);

const agentVersion = fc.oneof(fc.nat(9), fc.nat(0xffff));
export const agentEnvelope: fc.Arbitrary<AgentEnvelope> = fc.oneof<fc.Arbitrary<AgentEnvelope>[]>(
  record({
    type: exactly("confirmation"),
    agentVersion,
    e2eParams: nullable(parameters(fc.oneof(proposed, accepted))),
    encConnInfo: tail,
  }),
  record({ type: exactly("message"), agentVersion, encAgentMessage: tail }),
  record({
    type: exactly("invitation"),
    agentVersion,
    connReq: anyRequest.invitation.map((link) => formatConnectionRequest(link)),
    connInfo: tail,
  }),
  record({ type: exactly("ratchetKey"), agentVersion, e2eParams: parameters(proposed), info: tail }),
);

export const clientMessage: fc.Arbitrary<ClientMessage> = record({ senderKey: nullable(authKey), envelope: tail });
export const clientMsgEnvelope: fc.Arbitrary<ClientMsgEnvelope> = record({
  clientVersion: fc.nat(0xffff),
  e2eKey: nullable(dhKey),
  nonce: bytes(24),
  box: tail,
});
