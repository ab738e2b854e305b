import { concat, equal } from "#crypto/bytes";
import { encodePublicKey, type PublicKey, sameKey, type SecretKey, sign, verify } from "#crypto/keys";
import { type Codec, decodePrefix, encode, str, strOf, transform } from "#protocol/codec";
import { struct } from "#protocol/combine";
import { publicKey } from "#protocol/key";
import { LinkError } from "./link-error.ts";

export const SIGNATURE_LENGTH = 64;

/** Ed25519, the only algorithm of link data. */
export const linkKeyCodec = publicKey("Ed25519");

/** Somebody besides the maker of a contact link who may sign its changing part. */
export interface OwnerAuth {
  /** Of the application's choice, once in a list. */
  readonly ownerId: Uint8Array;
  readonly ownerKey: PublicKey<"Ed25519">;
  /** Over the owner's id and key, by the root key or by an owner earlier in the list; 64 bytes. */
  readonly signature: Uint8Array;
}

const fields = struct<OwnerAuth>({ ownerId: str, ownerKey: linkKeyCodec, signature: strOf(SIGNATURE_LENGTH) });

/** Str of (Str id, key, Str signature); what follows inside the outer Str is ignored (section 2.8). */
export const ownerAuth: Codec<OwnerAuth> = transform(
  str,
  (bytes) => decodePrefix(fields, bytes),
  (owner) => encode(fields, owner),
);

function signedPart(ownerId: Uint8Array, ownerKey: PublicKey<"Ed25519">): Uint8Array {
  return concat(ownerId, encodePublicKey(ownerKey));
}

/** Authorizes a new owner. `by`: the root key, or the key of an owner who stands before it in the list. */
export function authorizeOwner(
  ownerId: Uint8Array,
  ownerKey: PublicKey<"Ed25519">,
  by: SecretKey<"Ed25519">,
): OwnerAuth {
  return { ownerId, ownerKey, signature: sign(by, signedPart(ownerId, ownerKey)) };
}

/**
 * Checks that every owner is authorized by the root key or by an owner before it, and that ids and keys differ.
 * @throws LinkError "OWNER"
 */
export function checkOwners(rootKey: PublicKey<"Ed25519">, owners: readonly OwnerAuth[]): void {
  owners.forEach((owner, index) => {
    const { ownerId, ownerKey, signature } = owner;
    const before = owners.slice(0, index);
    const place = `owner ${index + 1} of the link`;
    if (sameKey(ownerKey, rootKey)) throw new LinkError("OWNER", `${place} has the link's own key`);
    if (before.some((other) => equal(other.ownerId, ownerId) || sameKey(other.ownerKey, ownerKey))) {
      throw new LinkError("OWNER", `${place} has the id or key of an owner before it`);
    }
    const signed = signedPart(ownerId, ownerKey);
    const authorities = [rootKey, ...before.map((other) => other.ownerKey)];
    const isAuthorized = authorities.some((key) => verify(key, signed, signature));
    if (!isAuthorized) throw new LinkError("OWNER", `${place} is not authorized by the link's key or an owner before`);
  });
}
