import { isInRange } from "#protocol/version";
import { agreeAsInitiator, agreeAsJoiner, type E2eKeys, type KemState, type ReplyKeys } from "./agree.ts";
import { RatchetError } from "./errors.ts";
import { rootKdf } from "./kdf.ts";
import { freshKeys, type KeySource } from "./keys.ts";
import { E2E_VERSIONS, type E2eParams, PQ_VERSION } from "./parameters.ts";

/** Own X448 keys, raw: 56 bytes each. */
export interface DhState {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

export interface SendingChain {
  /** The peer's X448 key that the chain was made with, raw (`DHRr`). */
  readonly peerKey: Uint8Array;
  readonly chainKey: Uint8Array;
  readonly headerKey: Uint8Array;
}

export interface ReceivingChain {
  readonly chainKey: Uint8Array;
  readonly headerKey: Uint8Array;
}

/**
 * One party's ratchet (ratchet specification, section 4). It is plain data and nothing ever changes it: every
 * operation answers with another state. All of it is secret. Bytes are keys of 32 where nothing else is said.
 */
export interface RatchetState {
  readonly version: {
    /** Of the headers that are sent. */
    readonly current: number;
    /** Announced in them. */
    readonly max: number;
  };
  /** 112 bytes, the same for both parties. */
  readonly associatedData: Uint8Array;
  /** `DHRs` */
  readonly dh: DhState;
  readonly kem: KemState | null;
  /** Whether headers are padded for a KEM. Never turns off. */
  readonly supportKem: boolean;
  /** Whether the next ratchet step may use a KEM. */
  readonly enableKem: boolean;
  /** Whether the current sending chain is post-quantum safe. */
  readonly sndKem: boolean;
  /** Whether the current receiving chain is post-quantum safe. */
  readonly rcvKem: boolean;
  readonly rootKey: Uint8Array;
  readonly snd: SendingChain | null;
  readonly rcv: ReceivingChain | null;
  /** Number of the next message in the sending chain. */
  readonly ns: number;
  /** Number of the next message in the receiving chain. */
  readonly nr: number;
  /** Length of the sending chain before this one. */
  readonly pn: number;
  /** `NHKs` */
  readonly nextSndHeaderKey: Uint8Array;
  /** `NHKr` */
  readonly nextRcvHeaderKey: Uint8Array;
  /** Ratchet steps so far, which number the receiving chains. Ours: never sent, unknown to the official code. */
  readonly steps: number;
}

export interface InitOptions {
  /** Highest version to announce; the highest that is spoken unless given. */
  readonly maxVersion?: number;
}

function checkVersion(version: number): void {
  if (isInRange(version, E2E_VERSIONS)) return;
  const { min, max } = E2E_VERSIONS;
  throw new RatchetError("VERSION", `the peer's end-to-end version ${version} is not spoken here (${min} to ${max})`);
}

/**
 * The joining party's ratchet, which can send at once. `own` are the keys that it answers the link with, `peer` the
 * link's parameters in the version that was chosen.
 * @throws RatchetError (`VERSION`, `KEY`, `KEM`)
 */
export function initJoiner(
  own: E2eKeys | ReplyKeys,
  peer: E2eParams,
  { maxVersion = E2E_VERSIONS.max, source = freshKeys }: InitOptions & { readonly source?: KeySource } = {},
): RatchetState {
  checkVersion(peer.version);
  const agreed = agreeAsJoiner(own, peer);
  const { publicKey, secretKey } = source.dhKeys();
  const kemSecret = agreed.kem?.accepted?.secret ?? null;
  const root = rootKdf(agreed.rootKey, peer.key2, secretKey, kemSecret);
  return {
    version: { current: peer.version, max: maxVersion },
    associatedData: agreed.associatedData,
    dh: { publicKey: publicKey.raw, secretKey: secretKey.secret },
    kem: agreed.kem,
    supportKem: agreed.kem !== null,
    enableKem: agreed.kem !== null,
    sndKem: kemSecret !== null,
    rcvKem: false,
    rootKey: root.rootKey,
    snd: { peerKey: peer.key2.raw, chainKey: root.chainKey, headerKey: agreed.headerKey },
    rcv: null,
    ns: 0,
    nr: 0,
    pn: 0,
    nextSndHeaderKey: root.nextHeaderKey,
    nextRcvHeaderKey: agreed.nextHeaderKey,
    steps: 0,
  };
}

/**
 * The initiating party's ratchet, which can send after the first message came. `own` are the keys of the link, `peer`
 * the parameters in the confirmation, `pqSupport` whether the connection supports post-quantum encryption.
 * @throws RatchetError (`VERSION`, `KEY`, `KEM`)
 */
export function initInitiator(
  own: E2eKeys,
  peer: E2eParams,
  pqSupport: boolean,
  { maxVersion = E2E_VERSIONS.max }: InitOptions = {},
): RatchetState {
  checkVersion(peer.version);
  const agreed = agreeAsInitiator(own, peer);
  return {
    version: { current: peer.version, max: maxVersion },
    associatedData: agreed.associatedData,
    dh: { publicKey: own.key2.publicKey.raw, secretKey: own.key2.secretKey.secret },
    kem: agreed.kem,
    supportKem: pqSupport,
    enableKem: pqSupport,
    sndKem: false,
    rcvKem: false,
    rootKey: agreed.rootKey,
    snd: null,
    rcv: null,
    ns: 0,
    nr: 0,
    pn: 0,
    nextSndHeaderKey: agreed.nextHeaderKey,
    nextRcvHeaderKey: agreed.headerKey,
    steps: 0,
  };
}

/** Headers grow with the first use of a KEM and stay so: version 2 has no room for one. */
export function supportsKem(state: RatchetState, enableKem: boolean): boolean {
  return state.supportKem || (enableKem && state.version.current >= PQ_VERSION);
}

export type PqSwitch = "on" | "off";

/**
 * Turns post-quantum encryption on or off for the ratchet steps to come, and announces `maxVersion`. Both parties
 * have to turn it on. Off forgets what was encapsulated, so that the next header only proposes. The header of the
 * message that goes with it is made with the KEM of the state before.
 */
export function switchPq(state: RatchetState, pq: PqSwitch | null, maxVersion: number): RatchetState {
  const enableKem = pq === null ? state.enableKem : pq === "on";
  const atLeast = pq === "on" ? PQ_VERSION : state.version.current;
  return {
    ...state,
    version: { current: state.version.current, max: Math.max(maxVersion, atLeast) },
    enableKem,
    supportKem: supportsKem(state, enableKem),
    kem: pq === "off" && state.kem ? { own: state.kem.own, accepted: null } : state.kem,
  };
}
