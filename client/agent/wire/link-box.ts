import { box, NONCE_LENGTH, open } from "#crypto/box";
import { concat, equal } from "#crypto/bytes";
import { CryptoError, PaddingError } from "#crypto/errors";
import { type KeyPair, type PublicKey, type SecretKey, sign, verify } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { Server } from "#protocol/address";
import { type Codec, decode, encode, nonce, strOf, tail } from "#protocol/codec";
import { struct } from "#protocol/combine";
import type { LinkData } from "#protocol/commands/queue";
import type { ConnectionMode } from "./connection-request.ts";
import { type FixedLinkData, fixedLinkData, type UserLinkData, userLinkData } from "./link-data.ts";
import { LinkError, readingLink } from "./link-error.ts";
import { linkKeyOf, linkSecrets } from "./link-keys.ts";
import { checkOwners, SIGNATURE_LENGTH } from "./owner.ts";

/** What the two parts are padded to before encryption; they become 40 bytes longer (nonce and tag). */
export const FIXED_DATA_PADDED = 2008;
export const USER_DATA_PADDED = 13_784;
const LENGTH_PREFIX = 2;

interface Signed {
  readonly signature: Uint8Array;
  readonly data: Uint8Array;
}

const signed = struct<Signed>({ signature: strOf(SIGNATURE_LENGTH), data: tail });
const sealed = struct<{ nonce: Uint8Array; boxed: Uint8Array }>({ nonce, boxed: tail });

/** Str signature, then the data that it is over. */
export function signLinkData(key: SecretKey<"Ed25519">, data: Uint8Array): Uint8Array {
  return encode(signed, { signature: sign(key, data), data });
}

/** Nonce and box: `paddedLength` + 40 bytes. @throws LinkError "LARGE" */
export function sealLinkData(
  boxKey: Uint8Array,
  signedData: Uint8Array,
  paddedLength: number,
  boxNonce: Uint8Array = randomBytes(NONCE_LENGTH),
): Uint8Array {
  try {
    return concat(boxNonce, box(boxKey, boxNonce, signedData, paddedLength));
  } catch (cause) {
    if (!(cause instanceof PaddingError)) throw cause;
    const excess = signedData.length + LENGTH_PREFIX - paddedLength;
    throw new LinkError("LARGE", `the data of the short link is ${excess} bytes too long`, { cause });
  }
}

/** What a new short link is made of. */
export interface NewLinkData {
  readonly rootKeys: KeyPair<"Ed25519">;
  readonly fixed: Omit<FixedLinkData, "rootKey">;
  readonly user: UserLinkData;
}

export interface CreatedLinkData {
  readonly linkKey: Uint8Array;
  /** Null for an invitation: the server gives it. */
  readonly linkId: Uint8Array | null;
  /** For NEW or LSET: 2048 and 13,824 bytes. */
  readonly data: LinkData;
}

/** Everything behind a new short link, signed by its root key. @throws LinkError "LARGE" */
export function createLinkData({ rootKeys, fixed, user }: NewLinkData): CreatedLinkData {
  const { type } = fixed.request;
  if (type !== user.type) throw new LinkError("SYNTAX", `data of type ${type} cannot have user data of type ${user.type}`);
  const fixedBytes = encode(fixedLinkData, { ...fixed, rootKey: rootKeys.publicKey });
  const linkKey = linkKeyOf(fixedBytes);
  const { linkId, boxKey } = linkSecrets(user.type, linkKey);
  const fixedData = sealLinkData(boxKey, signLinkData(rootKeys.secretKey, fixedBytes), FIXED_DATA_PADDED);
  return { linkKey, linkId, data: { fixedData, userData: sealUserData(linkKey, user, rootKeys.secretKey) } };
}

/**
 * A new changing part for LSET. `signer`: the root key, or for a contact link the key of an owner in `user`.
 * @throws LinkError "LARGE"
 */
export function sealUserData(linkKey: Uint8Array, user: UserLinkData, signer: SecretKey<"Ed25519">): Uint8Array {
  const { boxKey } = linkSecrets(user.type, linkKey);
  return sealLinkData(boxKey, signLinkData(signer, encode(userLinkData, user)), USER_DATA_PADDED);
}

export interface OpenedLinkData {
  readonly fixed: FixedLinkData;
  readonly user: UserLinkData;
}

function readPart<T>(codec: Codec<T>, bytes: Uint8Array): T {
  return readingLink("the data of the short link", () => decode(codec, bytes));
}

function openPart(boxKey: Uint8Array, part: Uint8Array): Signed {
  const { nonce: boxNonce, boxed } = readPart(sealed, part);
  try {
    return readPart(signed, open(boxKey, boxNonce, boxed));
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    const why = "the link was not copied as a whole, or the server changed the data";
    throw new LinkError("DECRYPT", `the data of the short link does not open: ${why}`, { cause });
  }
}

/**
 * Opens and checks what LKEY or LGET answered, in the order of the agent specification, section 2.8: both parts open,
 * both can be read, the link's key is the hash of the fixed part, which is signed by the root key it names, the owners
 * are authorized, and the user part is signed by the root key or, for a contact link, by an owner.
 * @throws LinkError "DECRYPT", "SYNTAX", "HASH", "OWNER", "SIGNATURE"
 */
export function openLinkData(mode: ConnectionMode, linkKey: Uint8Array, data: LinkData): OpenedLinkData {
  const { boxKey } = linkSecrets(mode, linkKey);
  const fixedPart = openPart(boxKey, data.fixedData);
  const userPart = openPart(boxKey, data.userData);
  const fixed = readPart(fixedLinkData, fixedPart.data);
  const user = readPart(userLinkData, userPart.data);
  if (fixed.request.type !== mode || user.type !== mode) {
    throw new LinkError("SYNTAX", `the data of the short link is not for a link of type ${mode}`);
  }
  const isNamed = equal(linkKeyOf(fixedPart.data), linkKey);
  if (!isNamed) throw new LinkError("HASH", "the server gave the data of another link");
  const { rootKey } = fixed;
  if (!verify(rootKey, fixedPart.data, fixedPart.signature)) {
    throw new LinkError("SIGNATURE", "the fixed data of the short link is not signed by the link's key");
  }
  if (user.type === "contact") checkOwners(rootKey, user.owners);
  const signers: readonly PublicKey<"Ed25519">[] = user.type === "contact"
    ? [rootKey, ...user.owners.map((owner) => owner.ownerKey)]
    : [rootKey];
  if (!signers.some((key) => verify(key, userPart.data, userPart.signature))) {
    throw new LinkError("SIGNATURE", "the user data of the short link is not signed by the link's key or an owner");
  }
  return { fixed, user };
}

/**
 * Checks that the data is for the queue at which the server keeps the link: the sender id that LNK named, on a server
 * that has the link's first host. @throws LinkError "ADDRESS"
 */
export function checkLinkQueue(fixed: FixedLinkData, server: Server, senderId: Uint8Array): void {
  const [queue] = fixed.request.queues;
  const [host] = server.hosts;
  const isSame = queue !== undefined && host !== undefined
    && equal(queue.senderId, senderId) && queue.server.hosts.includes(host);
  if (!isSame) throw new LinkError("ADDRESS", "the data of the short link is for a queue at a different address");
}
