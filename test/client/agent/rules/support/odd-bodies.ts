import { concat, EMPTY, utf8 } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { encode } from "#protocol/codec";
import { queueUriOf } from "#protocol/queue-address";
import { invitationOf } from "../../../../../client/agent/rules/establish.ts";
import { type AgentMessage, agentMessage, type AMessage } from "../../../../../client/agent/wire/agent-message.ts";
import { formatConnectionRequest } from "../../../../../client/agent/wire/connection-request.ts";
import { e2eParamsOf, generateE2eKeys } from "../../../../../client/ratchet/agree.ts";
import type { ProposedE2eParams } from "../../../../../client/ratchet/parameters.ts";
import { serverNamed } from "./meeting.ts";
import { newLane, newOwn, type Odd, Peer } from "./peer.ts";

/** Makes the body of a SEND to the side under test. */
export type Body = (peer: Peer) => Uint8Array;

const keys = generateE2eKeys(false);
/** Queues that the side under test has never heard of. */
export const elsewhere = newOwn();
const uri = queueUriOf(elsewhere.info, { min: 1, max: 4 });
const nowhere = { server: serverNamed("nowhere.example.com"), senderId: randomBytes(24) };

/** A peer that has no ratchet yet takes any: what matters is that it is refused before that matters. */
function armed(peer: Peer): Peer {
  if (peer.ratchet) return peer;
  const other = Peer.joiner(e2eParamsOf(keys, 3), peer.lane.address);
  peer.ratchet = other.ratchet;
  peer.params ??= other.params;
  return peer;
}

const connInfo: AgentMessage = { type: "connInfo", connInfo: EMPTY };
const hello: AgentMessage = { type: "message", sndMsgId: 1, prevMsgHash: EMPTY, message: { type: "HELLO" } };
const confirmation = (message: AgentMessage, odd?: Odd): Body => (peer) => armed(peer).confirmation(message, odd);
const reply = (odd?: Odd): Body => (peer) => armed(peer).reply(odd);
const withSenderKey = (peer: Peer): Odd => ({ senderKey: peer.lane.authKeys.publicKey });

const invitation = (odd: Odd = {}): Body => (peer) => peer.seal({
  type: "invitation",
  agentVersion: 7,
  connReq: formatConnectionRequest(invitationOf(keys, uri, true)),
  connInfo: EMPTY,
}, odd);

export function ratchetKeyParams(part: Partial<ProposedE2eParams> = {}): ProposedE2eParams {
  return { ...e2eParamsOf(generateE2eKeys(false), 3), ...part };
}

const ratchetKey = (part: Partial<ProposedE2eParams> = {}, odd?: Odd): Body => (peer) =>
  peer.ratchetKey(ratchetKeyParams(part), odd);

const message = (content: AMessage, odd?: Odd): Body => (peer) => armed(peer).message(content, odd);
const plain = (plaintext: Uint8Array): Body => (peer) => armed(peer).plain(plaintext);

const receipt = (sndMsgId: number): AMessage => ({ type: "A_RCVD", receipts: [{ sndMsgId, msgHash: EMPTY, info: EMPTY }] });
const qkey: AMessage = {
  type: "QKEY",
  queues: [{ info: elsewhere.info, senderKey: generateKeyPair("Ed25519").publicKey }],
};

/** Bytes that hold nothing whatever they are read as. */
const NONSENSE = new Uint8Array(200).fill(0x67);

/** Shorter than the rest, so that a key fits beside it. */
const SHORT = 15_000;

export const BODIES = {
  "a joiner's confirmation": reply(),
  "a joiner's confirmation for another key of the queue": (peer) => armed(peer).reply({ lane: newLane(peer.lane.address) }),
  "a joiner's confirmation with a key to secure with": (peer) => armed(peer).reply(withSenderKey(peer)),
  "a joiner's confirmation without parameters": reply({ e2eParams: null }),
  "an initiator's confirmation": confirmation(connInfo, { e2eParams: null }),
  "a confirmation that is a message inside": confirmation(hello),
  "a confirmation without a key in the header": reply({ withKey: false }),
  "a confirmation of agent version 8": reply({ agentVersion: 8 }),
  "a confirmation of agent version 65535": reply({ agentVersion: 65_535 }),
  "a confirmation of client version 5": reply({ clientVersion: 5 }),
  "a confirmation that no ratchet made": (peer) => peer.seal({
    type: "confirmation",
    agentVersion: 7,
    e2eParams: armed(peer).params,
    encConnInfo: NONSENSE,
  }, { withKey: true }),
  "an invitation": invitation({ withKey: true }),
  "an invitation with a key to secure with": (peer) => invitation({ withKey: true, ...withSenderKey(peer) })(peer),
  "an invitation without a key in the header": invitation(),
  "ratchet keys with a key in the header": ratchetKey({}, { withKey: true }),
  "ratchet keys of end-to-end version 4": ratchetKey({ version: 4 }),
  "ratchet keys of end-to-end version 1": ratchetKey({ version: 1 }),
  "ratchet keys that are points of low order": ratchetKey({ key1: { algorithm: "X448", raw: new Uint8Array(56) } }),
  "a message with a key in the header": (peer) => armed(peer).text("odd", { withKey: true, paddedLength: SHORT }),
  "a message with a key to secure with": (peer) => armed(peer).text("odd", { ...withSenderKey(peer), paddedLength: SHORT }),
  "a message of client version 5": (peer) => armed(peer).text("odd", { clientVersion: 5 }),
  "a message of client version 65535": (peer) => armed(peer).text("odd", { clientVersion: 65_535 }),
  "HELLO": message({ type: "HELLO" }),
  "a receipt for a number that was never used": message(receipt(99)),
  "a receipt for the confirmation": message(receipt(1)),
  "a receipt for number -1": message(receipt(-1)),
  "QCONT for a queue elsewhere": message({ type: "A_QCONT", address: nowhere }),
  "QADD that replaces nothing": message({ type: "QADD", queues: [{ uri, replaces: null }] }),
  "QADD that replaces a queue elsewhere": message({ type: "QADD", queues: [{ uri, replaces: nowhere }] }),
  "QKEY for a queue elsewhere": message(qkey),
  "QUSE of a queue elsewhere": message({ type: "QUSE", queues: [{ address: nowhere, primary: true }] }),
  "connection information in a message": plain(encode(agentMessage, connInfo)),
  "a joiner's reply in a message": plain(encode(agentMessage, {
    type: "connInfoReply",
    queues: [elsewhere.info],
    connInfo: EMPTY,
  })),
  "ratchet information in a message": plain(encode(agentMessage, { type: "ratchetInfo", info: EMPTY })),
  "an unknown message": plain(utf8("Z from the future")),
  "an unknown command in a message": plain(concat(encode(agentMessage, hello).slice(0, -1), utf8("Z"))),
  "an empty message": plain(EMPTY),
  "a message that no ratchet made": (peer) => peer.encrypted(NONSENSE),
  "an unknown envelope": (peer) => peer.seal(utf8("\0\x07Z from the future")),
  "an empty envelope": (peer) => peer.seal(EMPTY),
  "a body that no key opens": (peer) => peer.seal(EMPTY, { lane: { ...peer.lane, secret: randomBytes(32) } }),
  "a key of low order in the header": (peer) => {
    const { dhKeys } = peer.lane;
    const zero = { ...dhKeys, publicKey: { algorithm: "X25519" as const, raw: new Uint8Array(32) } };
    return peer.seal(EMPTY, { withKey: true, lane: { ...peer.lane, dhKeys: zero } });
  },
  "an empty body": () => EMPTY,
  "a body that holds nothing": () => NONSENSE,
} as const satisfies Record<string, Body>;
