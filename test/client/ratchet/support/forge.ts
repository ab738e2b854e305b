import { sealAesGcm } from "#crypto/aes-gcm";
import { concat, utf8 } from "#crypto/bytes";
import { pad } from "#crypto/pad";
import { encode } from "#protocol/codec";
import { encryptedHeader, encryptedMessage, header, type Header } from "../../../../client/ratchet/header.ts";
import { chainKdf } from "../../../../client/ratchet/kdf.ts";
import { PADDED } from "./party.ts";
import type { Party } from "./party.ts";

/** What a peer that has the keys and means harm may write otherwise. */
export interface Forgery {
  readonly header?: Partial<Header>;
  /** The header's plaintext before it is padded. */
  readonly headerBytes?: (honest: Uint8Array) => Uint8Array;
  readonly paddedHeader?: (honest: Uint8Array) => Uint8Array;
  readonly encryptedHeader?: (honest: Uint8Array) => Uint8Array;
  readonly paddedBody?: (honest: Uint8Array) => Uint8Array;
}

const same = (honest: Uint8Array): Uint8Array => honest;

/** The party's next message with something changed under valid encryption. */
export function forge(party: Party, forgery: Forgery, plaintext = utf8("forged")): Uint8Array {
  const { snd, ns, pn, dh, version: { current, max }, associatedData } = party.ratchet;
  if (!snd) throw new Error("nothing to send with");
  const { headerBytes = same, paddedHeader = same, paddedBody = same } = forgery;
  const { messageKey, bodyIv, headerIv } = chainKdf(snd.chainKey);
  const honest: Header = { maxVersion: max, dhKey: { algorithm: "X448", raw: dh.publicKey }, kem: null, pn, ns };
  const plainHeader = headerBytes(encode(header, { ...honest, ...forgery.header }, current));
  const padded = paddedHeader(pad(plainHeader, Math.max(88, plainHeader.length + 2)));
  const { ciphertext: body, tag } = sealAesGcm(snd.headerKey, headerIv, padded, associatedData);
  const encrypted = encode(encryptedHeader, { version: current, iv: headerIv, tag, body }, current);
  const head = (forgery.encryptedHeader ?? same)(encrypted);
  const sealed = sealAesGcm(messageKey, bodyIv, paddedBody(pad(plaintext, PADDED)), concat(associatedData, head));
  return encode(encryptedMessage, { header: head, tag: sealed.tag, body: sealed.ciphertext }, current);
}
