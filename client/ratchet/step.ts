import { decapsulate } from "#crypto/sntrup761";
import type { KemState } from "./agree.ts";
import { RatchetError } from "./errors.ts";
import type { Header } from "./header.ts";
import { rootKdf } from "./kdf.ts";
import type { KeySource } from "./keys.ts";
import { PQ_VERSION, type RatchetKem } from "./parameters.ts";
import type { ReceivingState } from "./skipped.ts";
import { type RatchetState, supportsKem } from "./state.ts";

interface KemStep {
  /** Secret of the new receiving chain. */
  readonly received: Uint8Array | null;
  /** Secret of the new sending chain. */
  readonly sent: Uint8Array | null;
  readonly kem: KemState | null;
}

function receivedSecret(own: KemState | null, kem: RatchetKem): Uint8Array | null {
  if (kem.type === "proposed") return null;
  if (!own) throw new RatchetError("KEM", "the peer encapsulated to a KEM key that this ratchet does not have");
  return decapsulate(kem.ciphertext, own.own.secretKey);
}

/** The table of section 8: what a header's KEM makes of one's own. */
function kemStep(state: RatchetState, kem: RatchetKem | null, source: KeySource): KemStep {
  const isEnabled = state.enableKem && state.version.current >= PQ_VERSION;
  if (!kem) {
    const proposes = isEnabled && state.kem === null;
    return { received: null, sent: null, kem: proposes ? { own: source.kemKeys(), accepted: null } : null };
  }
  const received = receivedSecret(state.kem, kem);
  if (!isEnabled) return { received, sent: null, kem: null };
  const { ciphertext, secret } = source.encapsulate(kem.key);
  const accepted = { peerKey: kem.key, secret, ciphertext };
  return { received, sent: secret, kem: { own: source.kemKeys(), accepted } };
}

/**
 * New receiving and sending chains, on a header that the next header key opened (ratchet specification, section 8).
 * @throws RatchetError (`KEM`, `KEY`)
 */
export function ratchetStep(state: RatchetState, header: Header, source: KeySource): ReceivingState {
  const { dhKey } = header;
  const { received, sent, kem } = kemStep(state, header.kem, source);
  const dh = source.dhKeys();
  const receiving = rootKdf(state.rootKey, dhKey, { algorithm: "X448", secret: state.dh.secretKey }, received);
  const sending = rootKdf(receiving.rootKey, dhKey, dh.secretKey, sent);
  const enableKem = kem !== null || sent !== null || received !== null;
  return {
    ...state,
    dh: { publicKey: dh.publicKey.raw, secretKey: dh.secretKey.secret },
    kem,
    supportKem: supportsKem(state, enableKem),
    enableKem,
    sndKem: sent !== null,
    rcvKem: received !== null,
    rootKey: sending.rootKey,
    snd: { peerKey: dhKey.raw, chainKey: sending.chainKey, headerKey: state.nextSndHeaderKey },
    rcv: { chainKey: receiving.chainKey, headerKey: state.nextRcvHeaderKey },
    ns: 0,
    nr: 0,
    pn: state.ns,
    nextSndHeaderKey: sending.nextHeaderKey,
    nextRcvHeaderKey: receiving.nextHeaderKey,
    steps: state.steps + 1,
  };
}
