import { box, NONCE_LENGTH, open } from "#crypto/box";
import type { AuthAlgorithm, PublicKey } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { type Codec, decode, encode, nonce, tail, word16 } from "#protocol/codec";
import { maybe, struct } from "#protocol/combine";
import { authKey, dhKey } from "#protocol/key";
import { union } from "./union.ts";

/** What a message is padded to in its box: shorter when the sender's key stands before it, so that both fit SEND. */
export const FIRST_MESSAGE_PADDED = 15_904;
export const MESSAGE_PADDED = 16_000;

/** The body of SEND: the per-queue encryption around an agent envelope. */
export interface ClientMsgEnvelope {
  /** SMP client version. */
  readonly clientVersion: number;
  /** The sender's key for this queue, until the recipient has it: in confirmations and invitations. */
  readonly e2eKey: PublicKey<"X25519"> | null;
  readonly nonce: Uint8Array;
  /** A boxed and padded {@link ClientMessage}. */
  readonly box: Uint8Array;
}

/** Word16 version, Maybe key, nonce, box (agent specification, section 3). */
export const clientMsgEnvelope: Codec<ClientMsgEnvelope> = struct<ClientMsgEnvelope>({
  clientVersion: word16,
  e2eKey: maybe(dhKey),
  nonce,
  box: tail,
});

/** What is in the box. */
export interface ClientMessage {
  /** With which the sender will authorize SEND; null when it secured the queue itself or need not. */
  readonly senderKey: PublicKey<AuthAlgorithm> | null;
  /** An encoded agent envelope. */
  readonly envelope: Uint8Array;
}

type Headed =
  | { readonly type: "key"; readonly senderKey: PublicKey<AuthAlgorithm>; readonly envelope: Uint8Array }
  | { readonly type: "empty"; readonly envelope: Uint8Array };

const headed = union<Headed>({
  key: ["K", struct({ senderKey: authKey, envelope: tail })],
  empty: ["_", struct({ envelope: tail })],
});

/** `K`, key, envelope; or `_`, envelope (agent specification, section 3). */
export const clientMessage: Codec<ClientMessage> = {
  write(writer, { senderKey, envelope }, version) {
    headed.write(writer, senderKey ? { type: "key", senderKey, envelope } : { type: "empty", envelope }, version);
  },
  read(reader, version) {
    const value = headed.read(reader, version);
    return { senderKey: value.type === "key" ? value.senderKey : null, envelope: value.envelope };
  },
};

export interface OutgoingMessage {
  readonly clientVersion: number;
  /** X25519 of the sender's and the recipient's keys for the queue, 32 bytes. */
  readonly secret: Uint8Array;
  /** The sender's public key, for confirmations and invitations; it decides the length too. */
  readonly e2eKey: PublicKey<"X25519"> | null;
  readonly message: ClientMessage;
  /** 24 bytes, random when left out. */
  readonly nonce?: Uint8Array;
}

/**
 * The body of SEND: 15,992 bytes with a key in the header, 16,043 without.
 * @throws PaddingError when the message is too long
 */
export function sealClientMessage({ clientVersion, secret, e2eKey, message, ...rest }: OutgoingMessage): Uint8Array {
  const boxNonce = rest.nonce ?? randomBytes(NONCE_LENGTH);
  const paddedLength = e2eKey ? FIRST_MESSAGE_PADDED : MESSAGE_PADDED;
  const boxed = box(secret, boxNonce, encode(clientMessage, message), paddedLength);
  return encode(clientMsgEnvelope, { clientVersion, e2eKey, nonce: boxNonce, box: boxed });
}

/** The outer part of a received body; it says whether its sender is new. @throws DecodeError */
export function readClientMsgEnvelope(body: Uint8Array): ClientMsgEnvelope {
  return decode(clientMsgEnvelope, body);
}

/** The inner part. @throws BoxError, PaddingError, DecodeError */
export function openClientMessage(envelope: ClientMsgEnvelope, secret: Uint8Array): ClientMessage {
  return decode(clientMessage, open(secret, envelope.nonce, envelope.box));
}
