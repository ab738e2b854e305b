import { concat, EMPTY, utf8 } from "#crypto/bytes";
import { KeyError } from "#crypto/errors";
import { hkdf } from "#crypto/hash";
import { dh, type PublicKey, type SecretKey } from "#crypto/keys";
import { RatchetError } from "./errors.ts";

const X3DH_INFO = utf8("SimpleXX3DH");
const ROOT_INFO = utf8("SimpleXRootRatchet");
const CHAIN_INFO = utf8("SimpleXChainRatchet");
const X3DH_SALT = new Uint8Array(64);

type Three = readonly [Uint8Array, Uint8Array, Uint8Array];

/** HKDF-SHA512 to 96 bytes, cut into three of 32 (ratchet specification, section 1). */
function hkdf3(salt: Uint8Array, ikm: Uint8Array, info: Uint8Array): Three {
  const out = hkdf(salt, ikm, info, 96);
  return [out.slice(0, 32), out.slice(32, 64), out.slice(64)];
}

/** Raw X448, 56 bytes. @throws RatchetError (`KEY`) when the key of the peer is a point of low order */
export function x448(ownKey: SecretKey<"X448">, peerKey: PublicKey<"X448">): Uint8Array {
  try {
    return dh(ownKey, peerKey);
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause;
    throw new RatchetError("KEY", "an X448 key of the peer is unusable", { cause });
  }
}

/** From the three secrets of X3DH and, where there is one, the KEM's. */
export function x3dhKdf(secrets: readonly Uint8Array[]): {
  readonly headerKey: Uint8Array;
  readonly nextHeaderKey: Uint8Array;
  readonly rootKey: Uint8Array;
} {
  const [headerKey, nextHeaderKey, rootKey] = hkdf3(X3DH_SALT, concat(...secrets), X3DH_INFO);
  return { headerKey, nextHeaderKey, rootKey };
}

export interface RootStep {
  readonly rootKey: Uint8Array;
  readonly chainKey: Uint8Array;
  readonly nextHeaderKey: Uint8Array;
}

/** A new chain off the root; `kemSecret` (32 bytes) makes it hybrid. @throws RatchetError (`KEY`) */
export function rootKdf(
  root: Uint8Array,
  peerKey: PublicKey<"X448">,
  ownKey: SecretKey<"X448">,
  kemSecret: Uint8Array | null,
): RootStep {
  const secret = concat(x448(ownKey, peerKey), kemSecret ?? EMPTY);
  const [rootKey, chainKey, nextHeaderKey] = hkdf3(root, secret, ROOT_INFO);
  return { rootKey, chainKey, nextHeaderKey };
}

export interface ChainStep {
  readonly chainKey: Uint8Array;
  /** Key (32) and IV (16) of one message's body. */
  readonly messageKey: Uint8Array;
  readonly bodyIv: Uint8Array;
  /** IV (16) of its header, under the chain's header key. */
  readonly headerIv: Uint8Array;
}

export function chainKdf(chain: Uint8Array): ChainStep {
  const [chainKey, messageKey, ivs] = hkdf3(EMPTY, chain, CHAIN_INFO);
  return { chainKey, messageKey, bodyIv: ivs.slice(0, 16), headerIv: ivs.slice(16) };
}
