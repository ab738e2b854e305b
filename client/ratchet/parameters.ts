import { base64url, fromBase64url } from "#crypto/bytes";
import { KeyError } from "#crypto/errors";
import { decodePublicKey, encodePublicKey, type PublicKey } from "#crypto/keys";
import { KEM_CIPHERTEXT_LENGTH, KEM_PUBLIC_KEY_LENGTH } from "#crypto/sntrup761";
import { AddressError } from "#protocol/address";
import { absent, type Codec, large, transform, word16 } from "#protocol/codec";
import { byVersion, maybe, struct } from "#protocol/combine";
import { publicKey } from "#protocol/key";
import { agreedVersion, type VersionRange, versionRange } from "#protocol/version";

/** End-to-end versions that are spoken. 2: HKDF in X3DH. 3: post-quantum KEM in headers. */
export const E2E_VERSIONS: VersionRange = { min: 2, max: 3 };
/** From here on headers and parameters can hold a KEM. */
export const PQ_VERSION = 3;

/** A KEM key (1158 bytes) to which the other side may encapsulate. */
export interface ProposedKem {
  readonly type: "proposed";
  readonly key: Uint8Array;
}

/** A ciphertext (1039 bytes) for the key that the other side proposed, and the next key (1158). */
export interface AcceptedKem {
  readonly type: "accepted";
  readonly ciphertext: Uint8Array;
  readonly key: Uint8Array;
}

export type RatchetKem = ProposedKem | AcceptedKem;

function largeOf(length: number): Codec<Uint8Array> {
  const check = (bytes: Uint8Array): Uint8Array => {
    if (bytes.length !== length) throw new RangeError(`${length} bytes wanted, got ${bytes.length}`);
    return bytes;
  };
  return transform(large, check, check);
}

const kemKey = largeOf(KEM_PUBLIC_KEY_LENGTH);
const proposed = struct<Omit<ProposedKem, "type">>({ key: kemKey });
const accepted = struct<Omit<AcceptedKem, "type">>({ ciphertext: largeOf(KEM_CIPHERTEXT_LENGTH), key: kemKey });
const P = 0x50;
const A = 0x41;

/** `P` Large key, or `A` Large ciphertext Large key. Other sizes than sntrup761's do not parse. */
export const ratchetKem: Codec<RatchetKem> = {
  write(writer, value, version) {
    writer.byte(value.type === "proposed" ? P : A);
    if (value.type === "proposed") proposed.write(writer, value, version);
    else accepted.write(writer, value, version);
  },
  read(reader, version) {
    const type = reader.byte();
    if (type === P) return { type: "proposed", ...proposed.read(reader, version) };
    return type === A ? { type: "accepted", ...accepted.read(reader, version) } : reader.fail("KEM must be P or A");
  },
};

const proposedKem: Codec<ProposedKem> = transform(
  ratchetKem,
  (kem) => {
    if (kem.type !== "proposed") throw new RangeError("only a proposed KEM key can stand here");
    return kem;
  },
  (kem) => kem,
);

/** The KEM of a structure whose own version says whether it has one. */
export const kemSincePq: Codec<RatchetKem | null> = byVersion<RatchetKem | null>(
  [0, absent<RatchetKem | null>(null)],
  [PQ_VERSION, maybe(ratchetKem)],
);

const x448Key = publicKey("X448");

/** What one party tells the other for X3DH, in one version (ratchet specification, section 2). */
export interface E2eParams {
  readonly version: number;
  readonly key1: PublicKey<"X448">;
  readonly key2: PublicKey<"X448">;
  readonly kem: RatchetKem | null;
}

/** Parameters of the initiating party, and of both in a re-synchronisation: they accept nothing. */
export interface ProposedE2eParams extends E2eParams {
  readonly kem: ProposedKem | null;
}

function parameters<T extends E2eParams>(kem: Codec<T["kem"]>): Codec<T> {
  const fields = struct<Omit<E2eParams, "version">>({ key1: x448Key, key2: x448Key, kem });
  return {
    write(writer, value) {
      word16.write(writer, value.version, value.version);
      fields.write(writer, value, value.version);
    },
    read(reader) {
      const version = word16.read(reader, 0);
      return { version, ...fields.read(reader, version) } as T;
    },
  };
}

/**
 * Word16 version, two keys, and from version 3 on Maybe KEM: 140, 141, 1302 (proposed) or 2343 (accepted) bytes.
 * Any version parses; whoever uses them checks it.
 */
export const e2eParams: Codec<E2eParams> = parameters<E2eParams>(kemSincePq);

/** As {@link e2eParams}; an accepted KEM does not parse. */
export const proposedE2eParams: Codec<ProposedE2eParams> = parameters<ProposedE2eParams>(
  byVersion<ProposedKem | null>([0, absent<ProposedKem | null>(null)], [PQ_VERSION, maybe(proposedKem)]),
);

/** What the initiating party puts into its link. */
export interface E2eUri {
  readonly versions: VersionRange;
  readonly key1: PublicKey<"X448">;
  readonly key2: PublicKey<"X448">;
  readonly kem: ProposedKem | null;
}

/** In short link data: Word16 min, Word16 max, two keys, Maybe KEM (in every version). */
export const e2eUri: Codec<E2eUri> = struct<E2eUri>({
  versions: versionRange,
  key1: x448Key,
  key2: x448Key,
  kem: maybe(proposedKem),
});

/**
 * The text in a connection link, before it is percent-escaped as a whole:
 * `v=<min>-<max>&x3dh=<key1>,<key2>[&kem_key=<key>]`, keys in padded base64url. A KEM below version 3 is left out.
 */
export function formatE2eUri(uri: E2eUri): string {
  const { min, max } = uri.versions;
  const keys = [uri.key1, uri.key2].map((key) => base64url(encodePublicKey(key))).join(",");
  const kem = uri.kem && max >= PQ_VERSION ? `&kem_key=${base64url(uri.kem.key)}` : "";
  return `v=${min === max ? max : `${min}-${max}`}&x3dh=${keys}${kem}`;
}

function readBytes(what: string, text: string): Uint8Array {
  try {
    return fromBase64url(text);
  } catch (cause) {
    throw new AddressError(`${what} of the link is not base64url`, { cause });
  }
}

function readKey(text: string): PublicKey<"X448"> {
  const der = readBytes("a key", text);
  try {
    return decodePublicKey(der, "X448");
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause;
    throw new AddressError("a key of the link is not an X448 key", { cause });
  }
}

function readVersions(text: string): VersionRange {
  const [, first = "", last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const versions = { min: Number(first), max: Number(last) };
  const isRange = first !== "" && versions.min <= versions.max && versions.max <= 0xffff;
  if (!isRange) throw new AddressError(`'${text}' is not a range of end-to-end versions`);
  return versions;
}

/** The reverse of {@link formatE2eUri}; parameters that are not known are passed over. @throws AddressError */
export function parseE2eUri(text: string): E2eUri {
  const parameter = (name: string): string | undefined =>
    text.split("&").find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1);
  const versions = readVersions(parameter("v") ?? "");
  const [first, second, ...more] = (parameter("x3dh") ?? "").split(",");
  if (!first || !second || more.length > 0) throw new AddressError("the link must have two keys for encryption");
  const keys = { key1: readKey(first), key2: readKey(second) };
  const kemText = versions.max >= PQ_VERSION ? parameter("kem_key") : undefined;
  if (kemText === undefined) return { versions, ...keys, kem: null };
  if (parameter("kem_ct") !== undefined) throw new AddressError("the link accepts a KEM key: it may only propose");
  const key = readBytes("the KEM key", kemText);
  if (key.length !== KEM_PUBLIC_KEY_LENGTH) throw new AddressError(`the KEM key of the link has ${key.length} bytes`);
  return { versions, ...keys, kem: { type: "proposed", key } };
}

/** The link's parameters in the highest version that both sides speak; null when there is none. */
export function chooseE2eParams(uri: E2eUri, own: VersionRange = E2E_VERSIONS): ProposedE2eParams | null {
  const version = agreedVersion(own, uri.versions);
  return version === null ? null : { version, key1: uri.key1, key2: uri.key2, kem: uri.kem };
}
