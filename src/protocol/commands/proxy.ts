import { box, boxNoPad, nonceOf, open, openNoPad } from "#crypto/box";
import { reverse } from "#crypto/bytes";
import type { PublicKey } from "#crypto/keys";
import { type Server, server } from "../address.ts";
import { type CertChainPubKey, certChainPubKey } from "../certchain.ts";
import { type Codec, decode, encode, str, tail, word16 } from "../codec.ts";
import { maybe, struct } from "../combine.ts";
import { dhKey } from "../key.ts";
import { FORWARDED_PADDED } from "../limits.ts";
import { password } from "../password.ts";
import { spaced, type TagTable } from "../tagged.ts";
import { type VersionRange, versionRange } from "../version.ts";

export type ProxyCommand =
  | { readonly tag: "PRXY"; readonly server: Server; readonly basicAuth: string | null }
  | {
    readonly tag: "PFWD";
    readonly version: number;
    readonly key: PublicKey<"X25519">;
    readonly encTransmission: Uint8Array;
  }
  | { readonly tag: "RFWD"; readonly encFwdTransmission: Uint8Array };

export type ProxyAnswer =
  | {
    readonly tag: "PKEY";
    readonly sessionId: Uint8Array;
    readonly versions: VersionRange;
    readonly certChainPubKey: CertChainPubKey;
  }
  | { readonly tag: "PRES"; readonly encResponse: Uint8Array }
  | { readonly tag: "RRES"; readonly encFwdResponse: Uint8Array };

export const proxyCommands: TagTable<ProxyCommand> = {
  PRXY: spaced(struct({ server, basicAuth: maybe(password) })),
  PFWD: spaced(struct({ version: word16, key: dhKey, encTransmission: tail })),
  RFWD: spaced(struct({ encFwdTransmission: tail })),
};

export const proxyAnswers: TagTable<ProxyAnswer> = {
  PKEY: spaced(struct({ sessionId: str, versions: versionRange, certChainPubKey })),
  PRES: spaced(struct({ encResponse: tail })),
  RRES: spaced(struct({ encFwdResponse: tail })),
};

/** What RFWD carries inside its box. */
export interface FwdTransmission {
  /** What the client gave its command: 24 bytes of every known client, other lengths are taken too. */
  readonly fwdCorrId: Uint8Array;
  readonly fwdVersion: number;
  readonly fwdKey: PublicKey<"X25519">;
  readonly fwdTransmission: Uint8Array;
}

/** What RRES carries inside its box. */
export interface FwdResponse {
  readonly fwdCorrId: Uint8Array;
  readonly fwdResponse: Uint8Array;
}

export const fwdTransmission: Codec<FwdTransmission> = struct<FwdTransmission>({
  fwdCorrId: str,
  fwdVersion: word16,
  fwdKey: dhKey,
  fwdTransmission: tail,
});

export const fwdResponse: Codec<FwdResponse> = struct<FwdResponse>({ fwdCorrId: str, fwdResponse: tail });

/** Client to relay, through a proxy that cannot read it: 16,242 bytes. `secret`: command key with relay session key. */
export function sealForwarded(secret: Uint8Array, corrId: Uint8Array, batch: Uint8Array): Uint8Array {
  return box(secret, nonceOf(corrId), batch, FORWARDED_PADDED);
}

/** @throws BoxError, PaddingError */
export function openForwarded(secret: Uint8Array, corrId: Uint8Array, sealed: Uint8Array): Uint8Array {
  return open(secret, nonceOf(corrId), sealed);
}

/** The relay's answer to a forwarded batch: the same key, the nonce reversed. */
export function sealForwardedResponse(secret: Uint8Array, corrId: Uint8Array, batch: Uint8Array): Uint8Array {
  return box(secret, reverse(nonceOf(corrId)), batch, FORWARDED_PADDED);
}

/** @throws BoxError, PaddingError */
export function openForwardedResponse(secret: Uint8Array, corrId: Uint8Array, sealed: Uint8Array): Uint8Array {
  return open(secret, reverse(nonceOf(corrId)), sealed);
}

/** Proxy to relay. `secret`: the X25519 keys of their hellos. */
export function sealRfwd(secret: Uint8Array, corrId: Uint8Array, value: FwdTransmission): Uint8Array {
  return boxNoPad(secret, nonceOf(corrId), encode(fwdTransmission, value));
}

/** @throws BoxError, DecodeError */
export function openRfwd(secret: Uint8Array, corrId: Uint8Array, sealed: Uint8Array): FwdTransmission {
  return decode(fwdTransmission, openNoPad(secret, nonceOf(corrId), sealed));
}

/** Relay to proxy: the same key, the nonce reversed. */
export function sealRres(secret: Uint8Array, corrId: Uint8Array, value: FwdResponse): Uint8Array {
  return boxNoPad(secret, reverse(nonceOf(corrId)), encode(fwdResponse, value));
}

/** @throws BoxError, DecodeError */
export function openRres(secret: Uint8Array, corrId: Uint8Array, sealed: Uint8Array): FwdResponse {
  return decode(fwdResponse, openNoPad(secret, reverse(nonceOf(corrId)), sealed));
}
