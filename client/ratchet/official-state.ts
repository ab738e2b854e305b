import * as v from "valibot";
import { base64url, equal, fromBase64url, fromUtf8, utf8 } from "#crypto/bytes";
import {
  decodePublicKey,
  decodeSecretKey,
  encodePublicKey,
  encodeSecretKey,
  expectAlgorithm,
  publicKeyOf,
} from "#crypto/keys";
import { type Codec, decode, large, str, strOf, word16 } from "#protocol/codec";
import { struct } from "#protocol/combine";
import type { MessageKey } from "./encrypt.ts";
import { RatchetError } from "./errors.ts";
import { IV_LENGTH, KEY_LENGTH } from "./limits.ts";
import { messageKeyFromRecord, ratchetFromRecord, skippedKeyFromRecord } from "./snapshot.ts";
import type { SkippedKey } from "./skipped.ts";
import type { RatchetState } from "./state.ts";

// The forms in which the official clients store ratchets (ratchet specification, section 10).

const bytes = v.pipe(v.string(), v.transform(fromBase64url));
const flag = v.optional(v.boolean(), false);
const range = v.pipe(v.tuple([v.number(), v.number()]), v.transform(([current, max]) => ({ current, max })));
/** Never written yet; their parser takes it as well. */
const namedRange = v.pipe(
  v.object({ current: v.number(), maxSupported: v.number() }),
  v.transform(({ current, maxSupported }) => ({ current, max: maxSupported })),
);

const x448PublicKey = v.pipe(bytes, v.transform((der) => decodePublicKey(der, "X448").raw));
/** base64url of the base64url of PKCS#8. */
const x448SecretKey = v.pipe(
  bytes,
  v.transform((text) => {
    const secretKey = expectAlgorithm(decodeSecretKey(fromBase64url(fromUtf8(text))), "X448");
    return { publicKey: publicKeyOf(secretKey).raw, secretKey: secretKey.secret };
  }),
);

const kem = v.pipe(
  v.object({
    rcPQRs: v.tuple([bytes, bytes]),
    rcKEMs: v.nullish(v.object({ rcPQRr: bytes, rcPQRss: bytes, rcPQRct: bytes }), null),
  }),
  v.transform(({ rcPQRs: [publicKey, secretKey], rcKEMs }) => ({
    own: { publicKey, secretKey },
    accepted: rcKEMs && { peerKey: rcKEMs.rcPQRr, secret: rcKEMs.rcPQRss, ciphertext: rcKEMs.rcPQRct },
  })),
);

const snd = v.pipe(
  v.object({ rcDHRr: x448PublicKey, rcCKs: bytes, rcHKs: bytes }),
  v.transform(({ rcDHRr, rcCKs, rcHKs }) => ({ peerKey: rcDHRr, chainKey: rcCKs, headerKey: rcHKs })),
);

const rcv = v.pipe(
  v.object({ rcCKr: bytes, rcHKr: bytes }),
  v.transform(({ rcCKr, rcHKr }) => ({ chainKey: rcCKr, headerKey: rcHKr })),
);

const official = v.object({
  rcVersion: v.union([range, namedRange]),
  rcAD: bytes,
  rcDHRs: x448SecretKey,
  rcKEM: v.nullish(kem, null),
  rcSupportKEM: flag,
  rcEnableKEM: flag,
  rcSndKEM: flag,
  rcRcvKEM: flag,
  rcRK: bytes,
  rcSnd: v.nullish(snd, null),
  rcRcv: v.nullish(rcv, null),
  rcNs: v.number(),
  rcNr: v.number(),
  rcPN: v.number(),
  rcNHKs: bytes,
  rcNHKr: bytes,
});

/** The official JSON of a ratchet; what is absent has no key. */
export type OfficialRatchet = Readonly<v.InferInput<typeof official>>;

function imported<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof RatchetError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RatchetError("RECORD", `${what} of an official client cannot be read: ${why}`, { cause });
  }
}

/**
 * Receiving chains of an imported ratchet count from 1, so that keys it skipped in earlier chains ({@link
 * skippedKeyFromOfficial}) count as older.
 * @param json the parsed JSON
 * @throws RatchetError (`RECORD`)
 */
export function ratchetFromOfficial(json: unknown): RatchetState {
  return imported("the ratchet", () => {
    const read = v.parse(official, json);
    return ratchetFromRecord({
      version: read.rcVersion,
      associatedData: read.rcAD,
      dh: read.rcDHRs,
      kem: read.rcKEM,
      supportKem: read.rcSupportKEM,
      enableKem: read.rcEnableKEM,
      sndKem: read.rcSndKEM,
      rcvKem: read.rcRcvKEM,
      rootKey: read.rcRK,
      snd: read.rcSnd,
      rcv: read.rcRcv,
      ns: read.rcNs,
      nr: read.rcNr,
      pn: read.rcPN,
      nextSndHeaderKey: read.rcNHKs,
      nextRcvHeaderKey: read.rcNHKr,
      steps: read.rcRcv ? 1 : 0,
    });
  });
}

function officialKem({ own, accepted }: NonNullable<RatchetState["kem"]>): NonNullable<OfficialRatchet["rcKEM"]> {
  const rcPQRs: [string, string] = [base64url(own.publicKey), base64url(own.secretKey)];
  if (!accepted) return { rcPQRs };
  const rcKEMs = {
    rcPQRr: base64url(accepted.peerKey),
    rcPQRss: base64url(accepted.secret),
    rcPQRct: base64url(accepted.ciphertext),
  };
  return { rcPQRs, rcKEMs };
}

export function ratchetToOfficial(state: RatchetState): OfficialRatchet {
  const pkcs8 = encodeSecretKey({ algorithm: "X448", secret: state.dh.secretKey });
  const spki = (raw: Uint8Array): string => base64url(encodePublicKey({ algorithm: "X448", raw }));
  const chains = {
    ...(state.kem && { rcKEM: officialKem(state.kem) }),
    ...(state.snd && {
      rcSnd: {
        rcDHRr: spki(state.snd.peerKey),
        rcCKs: base64url(state.snd.chainKey),
        rcHKs: base64url(state.snd.headerKey),
      },
    }),
    ...(state.rcv && { rcRcv: { rcCKr: base64url(state.rcv.chainKey), rcHKr: base64url(state.rcv.headerKey) } }),
  };
  return {
    rcVersion: [state.version.current, state.version.max],
    rcAD: base64url(state.associatedData),
    rcDHRs: base64url(utf8(base64url(pkcs8))),
    rcSupportKEM: state.supportKem,
    rcEnableKEM: state.enableKem,
    rcSndKEM: state.sndKem,
    rcRcvKEM: state.rcvKem,
    rcRK: base64url(state.rootKey),
    ...chains,
    rcNs: state.ns,
    rcNr: state.nr,
    rcPN: state.pn,
    rcNHKs: base64url(state.nextSndHeaderKey),
    rcNHKr: base64url(state.nextRcvHeaderKey),
  };
}

/** Word16 version, Str associated data, Str key, Str IV, Large header: the key of a message that was not sent yet. */
export const officialMessageKey: Codec<MessageKey> = struct<MessageKey>({
  version: word16,
  associatedData: str,
  key: strOf(KEY_LENGTH),
  iv: strOf(IV_LENGTH),
  header: large,
});

/** @throws RatchetError (`RECORD`) */
export function messageKeyFromOfficial(stored: Uint8Array): MessageKey {
  return imported("the key of a message", () => messageKeyFromRecord(decode(officialMessageKey, stored)));
}

const officialSkippedKey: Codec<Pick<SkippedKey, "key" | "iv">> = struct<Pick<SkippedKey, "key" | "iv">>({
  key: strOf(KEY_LENGTH),
  iv: strOf(IV_LENGTH),
});

/**
 * A row of skipped keys beside the ratchet that {@link ratchetFromOfficial} gave. `messageKey`: Str key, Str IV.
 * @throws RatchetError (`RECORD`)
 */
export function skippedKeyFromOfficial(
  state: RatchetState,
  row: { readonly headerKey: Uint8Array; readonly number: number; readonly messageKey: Uint8Array },
): SkippedKey {
  const { headerKey, number, messageKey } = row;
  const isCurrent = state.rcv !== null && equal(state.rcv.headerKey, headerKey);
  const chain = isCurrent ? state.steps : 0;
  return imported("the key of a skipped message", () =>
    skippedKeyFromRecord({ headerKey, number, ...decode(officialSkippedKey, messageKey), chain }));
}
