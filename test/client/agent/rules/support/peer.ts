import { EMPTY } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { type AuthAlgorithm, dh, generateKeyPair, type KeyPair, type PublicKey } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { Server } from "#protocol/address";
import { decode, encode } from "#protocol/codec";
import type { SmpQueueInfo, SndQAddr } from "#protocol/queue-address";
import { AGENT_VERSIONS } from "../../../../../client/agent/versions.ts";
import { type AgentEnvelope, agentEnvelope } from "../../../../../client/agent/wire/agent-envelope.ts";
import { type AgentMessage, agentMessage, type AMessage } from "../../../../../client/agent/wire/agent-message.ts";
import { openClientMessage, readClientMsgEnvelope, sealClientMessage } from "../../../../../client/agent/wire/client-message.ts";
import { e2eParamsOf, type E2eKeys, generateE2eKeys, generateReplyKeys } from "../../../../../client/ratchet/agree.ts";
import { connInfoPaddedLength, messagePaddedLength } from "../../../../../client/agent/wire/padded-lengths.ts";
import { decrypt } from "../../../../../client/ratchet/decrypt.ts";
import { encryptBody, encryptHeader } from "../../../../../client/ratchet/encrypt.ts";
import type { E2eParams, ProposedE2eParams } from "../../../../../client/ratchet/parameters.ts";
import type { SkippedKey } from "../../../../../client/ratchet/skipped.ts";
import { initInitiator, initJoiner, type RatchetState } from "../../../../../client/ratchet/state.ts";

const SERVER: Server = { hosts: ["peer.example.com"], port: "", keyHash: new Uint8Array(32).fill(7) };

/** A queue of the other side, as the peer sends to it. */
export interface Lane {
  readonly address: SmpQueueInfo;
  readonly dhKeys: KeyPair<"X25519">;
  readonly authKeys: KeyPair<"Ed25519">;
  readonly secret: Uint8Array;
}

/** A queue of the peer's own. */
export interface Own {
  readonly info: SmpQueueInfo;
  readonly dhKeys: KeyPair<"X25519">;
  /** Once the other side has told its key. */
  readonly secret: Uint8Array | null;
}

/** What may be otherwise than an honest agent writes it. */
export interface Odd {
  readonly agentVersion?: number;
  readonly clientVersion?: number;
  readonly sndMsgId?: number;
  readonly prevMsgHash?: Uint8Array;
  readonly lane?: Lane;
  readonly paddedLength?: number;
  /** The key stands in the outer header. */
  readonly withKey?: boolean;
  readonly senderKey?: PublicKey<"Ed25519"> | null;
  readonly e2eParams?: E2eParams | null;
}

/** Nothing else than an agent's envelope in the box. */
type Boxed = AgentEnvelope | Uint8Array;

export function newLane(address: SmpQueueInfo): Lane {
  const dhKeys = generateKeyPair("X25519");
  const secret = dh(dhKeys.secretKey, address.dhKey);
  return { address, dhKeys, authKeys: generateKeyPair("Ed25519"), secret };
}

export function newOwn(server: Server = SERVER, mode: SmpQueueInfo["mode"] = "messaging"): Own {
  const dhKeys = generateKeyPair("X25519");
  const info = { clientVersion: 4, server, senderId: randomBytes(24), dhKey: dhKeys.publicKey, mode };
  return { info, dhKeys, secret: null };
}

/**
 * The other side of a connection: it has all keys, so that it can write anything at all under valid encryption. Nothing
 * in it is an agent; what it sends is as honest as the test wants it.
 */
export class Peer {
  /** Queues of the other side, the one in use first. */
  lanes: Lane[];
  own: Own[] = [];
  /** With which the side sends to the own queue, when it has told so. */
  senderKey: PublicKey<AuthAlgorithm> | null = null;
  ratchet: RatchetState | null = null;
  skipped: readonly SkippedKey[] = [];
  keys: E2eKeys;
  params: E2eParams | null = null;
  /** The last item that was sent. */
  sent = { number: 0, hash: EMPTY };

  constructor(keys: E2eKeys, lanes: readonly Lane[] = []) {
    this.keys = keys;
    this.lanes = [...lanes];
  }

  /** Joins an invitation: `link` are its parameters, `address` its queue. */
  static joiner(link: ProposedE2eParams, address: SmpQueueInfo, pq = false): Peer {
    const keys = generateReplyKeys(link, pq);
    const peer = new Peer(keys, [newLane(address)]);
    peer.ratchet = initJoiner(keys, link);
    peer.params = e2eParamsOf(keys, link.version);
    return peer;
  }

  /** Makes an invitation. */
  static initiator(pq = false): Peer {
    return new Peer(generateE2eKeys(pq));
  }

  /** Headers with a KEM leave less room for what they go with. */
  get #hasKem(): boolean {
    return this.ratchet?.supportKem ?? false;
  }

  copy(): Peer {
    const copy = new Peer(this.keys, this.lanes);
    return Object.assign(copy, { own: [...this.own], ratchet: this.ratchet, skipped: this.skipped, params: this.params, sent: this.sent });
  }

  get lane(): Lane {
    const [lane] = this.lanes;
    if (!lane) throw new Error("the peer knows no queue to send to");
    return lane;
  }

  /** The body of SEND around something. */
  seal(content: Boxed, { lane = this.lane, clientVersion = lane.address.clientVersion, withKey = false, senderKey = null }: Odd = {}): Uint8Array {
    const envelope = content instanceof Uint8Array ? content : encode(agentEnvelope, content);
    const e2eKey = withKey ? lane.dhKeys.publicKey : null;
    return sealClientMessage({ clientVersion, secret: lane.secret, e2eKey, message: { senderKey, envelope } });
  }

  /** Encrypts with the ratchet whatever is given. */
  encrypt(plaintext: Uint8Array, paddedLength = messagePaddedLength(AGENT_VERSIONS.max, this.#hasKem)): Uint8Array {
    if (!this.ratchet) throw new Error("the peer has no ratchet");
    const { state, key } = encryptHeader(this.ratchet);
    this.ratchet = state;
    return encryptBody(key, plaintext, paddedLength);
  }

  /** The confirmation of a joiner (`connInfoReply`) or an initiator. */
  confirmation(message: AgentMessage, odd: Odd = {}): Uint8Array {
    const plaintext = encode(agentMessage, message);
    this.sent = { number: 1, hash: sha256(plaintext) };
    const { agentVersion = AGENT_VERSIONS.max, e2eParams = this.params } = odd;
    const { paddedLength = connInfoPaddedLength(agentVersion, this.#hasKem) } = odd;
    const encConnInfo = this.encrypt(plaintext, paddedLength);
    return this.seal({ type: "confirmation", agentVersion, e2eParams, encConnInfo }, { withKey: true, ...odd });
  }

  /** A joiner's confirmation that names a queue to reply to. */
  reply(odd: Odd = {}, own = newOwn()): Uint8Array {
    this.own = [own];
    return this.confirmation({ type: "connInfoReply", queues: [own.info], connInfo: EMPTY }, odd);
  }

  /** A numbered message, as an agent numbers it. */
  message(message: AMessage, odd: Odd = {}): Uint8Array {
    const { sndMsgId = this.sent.number + 1, prevMsgHash = this.sent.hash } = odd;
    const plaintext = encode(agentMessage, { type: "message", sndMsgId, prevMsgHash, message });
    this.sent = { number: sndMsgId, hash: sha256(plaintext) };
    return this.plain(plaintext, odd);
  }

  /** Any plaintext where an agent message belongs. */
  plain(plaintext: Uint8Array, odd: Odd = {}): Uint8Array {
    return this.encrypted(this.encrypt(plaintext, odd.paddedLength), odd);
  }

  encrypted(encAgentMessage: Uint8Array, odd: Odd = {}): Uint8Array {
    return this.seal({ type: "message", agentVersion: odd.agentVersion ?? AGENT_VERSIONS.max, encAgentMessage }, odd);
  }

  text(text = "good", odd: Odd = {}): Uint8Array {
    return this.message({ type: "A_MSG", body: new TextEncoder().encode(text) }, odd);
  }

  /** Keys for a new ratchet. */
  ratchetKey(e2eParams: ProposedE2eParams, odd: Odd = {}): Uint8Array {
    const plaintext = encode(agentMessage, { type: "ratchetInfo", info: EMPTY });
    this.sent = { number: this.sent.number + 1, hash: sha256(plaintext) };
    const agentVersion = odd.agentVersion ?? AGENT_VERSIONS.max;
    return this.seal({ type: "ratchetKey", agentVersion, e2eParams, info: Uint8Array.of(0x52) }, odd);
  }

  /** Opens what came to one of its own queues. */
  open(body: Uint8Array, index = 0): AgentEnvelope {
    const own = this.own[index];
    if (!own) throw new Error(`the peer has no queue ${index}`);
    const header = readClientMsgEnvelope(body);
    const secret = own.secret ?? (header.e2eKey && dh(own.dhKeys.secretKey, header.e2eKey));
    if (!secret) throw new Error("the peer cannot open this yet");
    this.own = this.own.with(index, { ...own, secret });
    const { senderKey, envelope } = openClientMessage(header, secret);
    this.senderKey = senderKey ?? this.senderKey;
    return decode(agentEnvelope, envelope);
  }

  /** Opens a message and its ratchet encryption. */
  read(body: Uint8Array, index = 0): AgentMessage {
    const envelope = this.open(body, index);
    if (envelope.type === "message") return this.decrypt(envelope.encAgentMessage);
    if (envelope.type === "confirmation") return this.decrypt(envelope.encConnInfo);
    throw new Error(`${envelope.type} is no message`);
  }

  decrypt(encrypted: Uint8Array): AgentMessage {
    if (!this.ratchet) throw new Error("the peer has no ratchet");
    const { state, skipped, result } = decrypt(this.ratchet, this.skipped, encrypted);
    if (!result.ok) throw result.error;
    this.ratchet = state;
    this.skipped = [...this.skipped.filter((key) => !skipped.remove.includes(key)), ...skipped.add];
    return decode(agentMessage, result.plaintext);
  }

  /** Starts its ratchet as an initiator, on a joiner's confirmation. */
  meet(body: Uint8Array, index = 0): AgentMessage & { readonly type: "connInfoReply" } {
    const envelope = this.open(body, index);
    if (envelope.type !== "confirmation" || !envelope.e2eParams) throw new Error("this is no joiner's confirmation");
    this.ratchet = initInitiator(this.keys, envelope.e2eParams, this.keys.kem !== null);
    const message = this.decrypt(envelope.encConnInfo);
    if (message.type !== "connInfoReply") throw new Error("the confirmation names no queue");
    this.lanes = [newLane(message.queues[0])];
    return message;
  }
}

export function addressOf({ server, senderId }: SndQAddr): SndQAddr {
  return { server, senderId };
}
