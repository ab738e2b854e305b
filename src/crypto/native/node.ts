import * as node from "node:crypto";
import { ALGORITHMS } from "../algorithms.ts";
import { concat } from "../bytes.ts";
import { native as portable } from "./noble.ts";
import type { Native } from "./port.ts";

type Curve25519 = "Ed25519" | "X25519";

/** A copy of its own: node's Buffers are slices of a shared pool. */
function plain(bytes: Uint8Array | ArrayBuffer): Uint8Array {
  return bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : Uint8Array.from(bytes);
}

function digest(name: string, data: Uint8Array): Uint8Array {
  return plain(node.createHash(name).update(data).digest());
}

function secretKey(algorithm: Curve25519, raw: Uint8Array): node.KeyObject {
  const key = Buffer.from(concat(ALGORITHMS[algorithm].pkcs8Prefix, raw));
  return node.createPrivateKey({ key, format: "der", type: "pkcs8" });
}

function publicKey(algorithm: Curve25519, raw: Uint8Array): node.KeyObject {
  // OpenSSL ignores what follows a key in DER, so that a longer key would pass for its beginning.
  if (raw.length !== ALGORITHMS[algorithm].publicLength) throw new RangeError("public key has the wrong length");
  const key = Buffer.from(concat(ALGORITHMS[algorithm].spkiPrefix, raw));
  return node.createPublicKey({ key, format: "der", type: "spki" });
}

function derivePublic(algorithm: Curve25519, raw: Uint8Array): Uint8Array {
  const der = node.createPublicKey(secretKey(algorithm, raw)).export({ format: "der", type: "spki" });
  return plain(der).slice(ALGORITHMS[algorithm].spkiPrefix.length);
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
      const keys = { privateKey: secretKey("X25519", secret), publicKey: publicKey("X25519", raw) };
      return plain(node.diffieHellman(keys));
    } catch {
      // Some releases of workerd refuse every imported X25519 key. A key that really is unusable is refused here too.
      return portable.x25519(secret, raw);
    }
  },
};
