import { concat, EMPTY, utf8 } from "#crypto/bytes";
import { issueCaCertificate, issueServerCertificate } from "#crypto/certificate";
import { readElements, readOne, TAG, writeBitString, writeElement } from "#crypto/der";
import { generateKeyPair, type KeyPair, type SecretKey, sign } from "#crypto/keys";
import { signKey } from "#crypto/signed-key";
import { ALGORITHMS } from "#crypto/algorithms";
import { openClearBlock } from "#protocol/block";
import { verifyCertChainPubKey } from "#protocol/certchain";
import { decodePrefix } from "#protocol/codec";
import { readServerHello, type ServerHello, type ServiceResponse, serviceResponse } from "#protocol/handshake";
import { type RawSocket } from "./raw-socket.ts";

const word = (value: number): Uint8Array => Uint8Array.of(value >> 8 & 0xff, value & 0xff);
export const str = (bytes: Uint8Array): Uint8Array => concat(Uint8Array.of(bytes.length), bytes);
const large = (bytes: Uint8Array): Uint8Array => concat(word(bytes.length), bytes);

/** A connection that has got the router hello and said nothing yet. */
export interface Greeted {
  readonly socket: RawSocket;
  readonly hello: ServerHello;
  readonly keyHash: Uint8Array;
  /** The next block; null when the connection was closed instead. */
  next(): Promise<Uint8Array | null>;
}

export async function greeted(socket: RawSocket): Promise<Greeted> {
  const blocks: Uint8Array[] = [];
  const waiting: ((block: Uint8Array) => void)[] = [];
  socket.addEventListener("message", ({ data }) => {
    const block = new Uint8Array(data as ArrayBuffer);
    const give = waiting.shift();
    if (give) give(block);
    else blocks.push(block);
  });
  const next = async (): Promise<Uint8Array | null> =>
    blocks.shift() ?? await Promise.race([new Promise<Uint8Array>((give) => waiting.push(give)), socket.closed.then(() => null)]);
  const block = await next();
  if (!block) throw new Error("no hello came");
  const hello = readServerHello(openClearBlock(block));
  if (!hello.authPubKey) throw new Error("the hello has no key");
  return { socket, hello, next, keyHash: verifyCertChainPubKey(hello.authPubKey, "X25519", Date.now()).identity };
}

/** What a client hello is made of, each part as bytes, so that each can be wrong. */
export interface HelloParts {
  readonly version: number;
  readonly keyHash: Uint8Array;
  /** DER of the client's key. */
  readonly key?: Uint8Array;
  /** `T` or `F` from v14 on. */
  readonly proxy?: string;
  /** After the Maybe tag `1`, from v16 on. */
  readonly service?: Uint8Array;
}

export function helloBytes({ version, keyHash, key, proxy = "F", service }: HelloParts): Uint8Array {
  return concat(
    word(version),
    str(keyHash),
    version >= 7 && key ? str(key) : EMPTY,
    version >= 14 ? utf8(proxy) : EMPTY,
    version < 16 ? EMPTY : service ? concat(utf8("1"), service) : utf8("0"),
  );
}

/** How what was said so far ended: closed with that code, or `open`, which a frame that is no block then tells. */
export async function fate(socket: RawSocket): Promise<string> {
  socket.send(new Uint8Array(1));
  const { code, reason } = await socket.closed;
  return code === 1007 ? "open" : `${code} ${reason}`;
}

export interface Offer {
  readonly role?: string;
  readonly chain: readonly Uint8Array[];
  readonly signedKey: Uint8Array;
}

export function offerBytes({ role = "M", chain, signedKey }: Offer): Uint8Array {
  return concat(utf8(role), Uint8Array.of(chain.length & 0xff), ...chain.map(large), large(signedKey));
}

export function readResponse(block: Uint8Array): ServiceResponse {
  return decodePrefix(serviceResponse, openClearBlock(block));
}

/** A service's certificate that is its own identity, and a session key that it signed. */
export function validOffer(now = Date.now() - 1000): Offer & { readonly key: KeyPair<"Ed25519"> } {
  const key = generateKeyPair("Ed25519");
  return {
    key,
    chain: [issueCaCertificate(key.publicKey, key.secretKey, now)],
    signedKey: signKey(generateKeyPair("Ed25519").publicKey, key.secretKey),
  };
}

/** A leaf signed by a CA, leaf first. */
export function chainOfTwo(): { readonly chain: readonly Uint8Array[]; readonly leaf: KeyPair<"Ed25519"> } {
  const [ca, leaf] = [generateKeyPair("Ed25519"), generateKeyPair("Ed25519")];
  const now = Date.now() - 1000;
  const certificate = issueCaCertificate(ca.publicKey, ca.secretKey, now);
  const issuer = { certificate, secretKey: ca.secretKey };
  return { leaf, chain: [issueServerCertificate(leaf.publicKey, "service", issuer, now), certificate] };
}

/** The certificate as if its time had ended in 2020, signed anew. */
export function expire(certificate: Uint8Array, by: SecretKey<"Ed25519">): Uint8Array {
  const [tbs] = readElements(readOne(certificate, TAG.sequence).content);
  const fields = tbs ? readElements(tbs.content) : [];
  const time = (text: string): Uint8Array => writeElement(TAG.utcTime, utf8(text));
  const validity = writeElement(TAG.sequence, time("190101000000Z"), time("200101000000Z"));
  const changed = writeElement(TAG.sequence, ...fields.map(({ der }, i) => (i === 4 ? validity : der)));
  return writeElement(TAG.sequence, changed, ALGORITHMS.Ed25519.identifier, writeBitString(sign(by, changed)));
}
