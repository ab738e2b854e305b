import * as node from "node:crypto";
import { ALGORITHMS } from "../algorithms.ts";
import { concat } from "../bytes.ts";
import { native as portable } from "./noble.ts";
import type { Native } from "./port.ts";

type Curve = "Ed25519" | "X25519" | "X448";

const GCM = "aes-256-gcm";
const CHACHA = "chacha20-poly1305";
const TAG_LENGTH = 16;
const TAG = { authTagLength: TAG_LENGTH };

/** A copy of its own: node's Buffers are slices of a shared pool. */
function plain(bytes: Uint8Array | ArrayBuffer): Uint8Array {
  return bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : Uint8Array.from(bytes);
}

function digest(name: string, data: Uint8Array): Uint8Array {
  return plain(node.createHash(name).update(data).digest());
}

function secretKey(algorithm: Curve, raw: Uint8Array): node.KeyObject {
  // OpenSSL ignores what follows a key in DER, so that a longer key would pass for its beginning.
  if (raw.length !== ALGORITHMS[algorithm].secretLength) throw new RangeError("secret key has the wrong length");
  const key = Buffer.from(concat(ALGORITHMS[algorithm].pkcs8Prefix, raw));
  return node.createPrivateKey({ key, format: "der", type: "pkcs8" });
}

function publicKey(algorithm: Curve, raw: Uint8Array): node.KeyObject {
  if (raw.length !== ALGORITHMS[algorithm].publicLength) throw new RangeError("public key has the wrong length");
  const key = Buffer.from(concat(ALGORITHMS[algorithm].spkiPrefix, raw));
  return node.createPublicKey({ key, format: "der", type: "spki" });
}

function derivePublic(algorithm: Curve, raw: Uint8Array): Uint8Array {
  const der = node.createPublicKey(secretKey(algorithm, raw)).export({ format: "der", type: "spki" });
  return plain(der).slice(ALGORITHMS[algorithm].spkiPrefix.length);
}

function agree(algorithm: Curve, secret: Uint8Array, raw: Uint8Array): Uint8Array {
  const keys = { privateKey: secretKey(algorithm, secret), publicKey: publicKey(algorithm, raw) };
  return plain(node.diffieHellman(keys));
}

/** The synchronous `node:crypto` of Node and, under nodejs_compat, of workerd. */
export const native: Native = {
  sha256: (data) => digest("sha256", data),
  sha512: (data) => digest("sha512", data),
  md5: (data) => digest("md5", data),
  hmacSha256: (key, data) => plain(node.createHmac("sha256", key).update(data).digest()),
  hkdfSha512: (salt, ikm, info, length) => plain(node.hkdfSync("sha512", ikm, salt, info, length)),
  ed25519PublicKey: (seed) => derivePublic("Ed25519", seed),
  ed25519Sign: (seed, message) => plain(node.sign(null, message, secretKey("Ed25519", seed))),
  ed25519Verify: (raw, message, signature) => {
    try {
      return node.verify(null, message, publicKey("Ed25519", raw), signature);
    } catch {
      return false;
    }
  },
  x25519PublicKey: (secret) => derivePublic("X25519", secret),
  x25519: (secret, raw) => {
    try {
      return agree("X25519", secret, raw);
    } catch {
      // Some releases of workerd refuse every imported X25519 key. A key that really is unusable is refused here too.
      return portable.x25519(secret, raw);
    }
  },
  x448PublicKey: (secret) => {
    try {
      return derivePublic("X448", secret);
    } catch {
      // Node has X448 (OpenSSL, five to nine times as fast as JavaScript), workerd (BoringSSL) has not.
      return portable.x448PublicKey(secret);
    }
  },
  x448: (secret, raw) => {
    try {
      return agree("X448", secret, raw);
    } catch {
      // As above; a key that really is unusable is refused here too.
      return portable.x448(secret, raw);
    }
  },
  aesGcmSeal: (key, iv, plaintext, associatedData) => {
    const cipher = node.createCipheriv(GCM, key, iv, TAG).setAAD(associatedData);
    const ciphertext = concat(cipher.update(plaintext), cipher.final());
    return { ciphertext, tag: plain(cipher.getAuthTag()) };
  },
  aesGcmOpen: (key, iv, { ciphertext, tag }, associatedData) => {
    const decipher = node.createDecipheriv(GCM, key, iv, TAG).setAAD(associatedData).setAuthTag(tag);
    return concat(decipher.update(ciphertext), decipher.final());
  },
  chaCha20Poly1305Seal: (key, nonce, plaintext, associatedData) => {
    const cipher = node.createCipheriv(CHACHA, key, nonce, TAG);
    cipher.setAAD(associatedData, { plaintextLength: plaintext.length });
    return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
  },
  chaCha20Poly1305Open: (key, nonce, sealed, associatedData) => {
    const length = sealed.length - TAG_LENGTH;
    const decipher = node.createDecipheriv(CHACHA, key, nonce, TAG);
    decipher.setAAD(associatedData, { plaintextLength: length }).setAuthTag(sealed.subarray(length));
    return concat(decipher.update(sealed.subarray(0, length)), decipher.final());
  },
};
