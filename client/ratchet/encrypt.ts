import { sealAesGcm } from "#crypto/aes-gcm";
import { concat } from "#crypto/bytes";
import { pad } from "#crypto/pad";
import { encode } from "#protocol/codec";
import type { KemState } from "./agree.ts";
import { RatchetError } from "./errors.ts";
import { encryptedHeader, encryptedMessage, header } from "./header.ts";
import { chainKdf } from "./kdf.ts";
import { PADDED_HEADER, PADDED_PQ_HEADER } from "./limits.ts";
import { E2E_VERSIONS, PQ_VERSION, type RatchetKem } from "./parameters.ts";
import { type PqSwitch, type RatchetState, switchPq } from "./state.ts";

/**
 * What one message's body is encrypted with. It is plain data, to be stored until the message is sent; encrypting two
 * different plaintexts with it would give both away. The same plaintext may go to several queues.
 */
export interface MessageKey {
  readonly version: number;
  /** 112 bytes */
  readonly associatedData: Uint8Array;
  /** 32 bytes */
  readonly key: Uint8Array;
  /** 16 bytes */
  readonly iv: Uint8Array;
  /** The encrypted header: 123, 124 or 2346 bytes. */
  readonly header: Uint8Array;
}

export interface EncryptOptions {
  /** Turns post-quantum encryption on or off for the ratchet steps to come; unless given it stays as it is. */
  readonly pq?: PqSwitch;
  /** Own highest version; the highest that is spoken unless given. */
  readonly maxVersion?: number;
}

function kemParams({ own, accepted }: KemState): RatchetKem {
  if (!accepted) return { type: "proposed", key: own.publicKey };
  return { type: "accepted", ciphertext: accepted.ciphertext, key: own.publicKey };
}

/**
 * Takes the next key off the sending chain and makes the message's header (ratchet specification, section 6). Store
 * the new state before the message leaves: encrypting twice from one state uses a key and an IV twice.
 * @throws RatchetError (`NO_SENDING_CHAIN`) for the initiating party before it received anything
 */
export function encryptHeader(
  state: RatchetState,
  { pq, maxVersion = E2E_VERSIONS.max }: EncryptOptions = {},
): { readonly state: RatchetState; readonly key: MessageKey } {
  if (!state.snd) {
    throw new RatchetError("NO_SENDING_CHAIN", "nothing can be sent before the first message of the peer came");
  }
  const { chainKey, messageKey, bodyIv, headerIv } = chainKdf(state.snd.chainKey);
  const next = switchPq(state, pq ?? null, maxVersion);
  const { associatedData, version: { current } } = state;
  const plaintext = encode(header, {
    maxVersion: next.version.max,
    dhKey: { algorithm: "X448", raw: state.dh.publicKey },
    kem: state.kem && kemParams(state.kem),
    pn: state.pn,
    ns: state.ns,
  }, current);
  const padded = pad(plaintext, next.supportKem && current >= PQ_VERSION ? PADDED_PQ_HEADER : PADDED_HEADER);
  const { ciphertext: body, tag } = sealAesGcm(state.snd.headerKey, headerIv, padded, associatedData);
  const head = encode(encryptedHeader, { version: current, iv: headerIv, tag, body }, current);
  return {
    state: { ...next, snd: { ...state.snd, chainKey }, ns: state.ns + 1 },
    key: { version: current, associatedData, key: messageKey, iv: bodyIv, header: head },
  };
}

/** Two bytes of the padded length hold the length of the plaintext. @throws RatchetError (`LARGE`) */
export function checkFits(plaintext: Uint8Array, paddedLength: number): void {
  if (plaintext.length + 2 <= paddedLength) return;
  const most = paddedLength - 2;
  throw new RatchetError("LARGE", `a message of ${plaintext.length} bytes does not fit; the most is ${most}`);
}

/**
 * The whole message: the header, its length, a tag and `paddedLength` bytes (section 5.3).
 * @throws RatchetError (`LARGE`): ask {@link checkFits} before {@link encryptHeader}, so that no number is lost
 */
export function encryptBody(key: MessageKey, plaintext: Uint8Array, paddedLength: number): Uint8Array {
  checkFits(plaintext, paddedLength);
  const authenticated = concat(key.associatedData, key.header);
  const { ciphertext: body, tag } = sealAesGcm(key.key, key.iv, pad(plaintext, paddedLength), authenticated);
  return encode(encryptedMessage, { header: key.header, tag, body }, key.version);
}
