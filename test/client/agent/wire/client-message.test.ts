import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CryptoError, PaddingError } from "#crypto/errors";
import { dh, generateKeyPair } from "#crypto/keys";
import { DecodeError } from "#protocol/codec";
import { maxMessageLength } from "#protocol/limits";
import {
  type ClientMessage,
  FIRST_MESSAGE_PADDED,
  MESSAGE_PADDED,
  openClientMessage,
  readClientMsgEnvelope,
  sealClientMessage,
} from "../../../../client/agent/wire/client-message.ts";
import { mutated, mutations } from "../../../support/mutate.ts";

const recipient = generateKeyPair("X25519");
const sender = generateKeyPair("X25519");
const senderKey = generateKeyPair("Ed25519").publicKey;
const secret = dh(sender.secretKey, recipient.publicKey);

const seal = (message: ClientMessage, e2eKey: typeof sender.publicKey | null = null) =>
  sealClientMessage({ clientVersion: 4, secret, e2eKey, message });

describe("the per-queue envelope", () => {
  test("a new sender's key is all that the recipient needs", () => {
    const message = { senderKey, envelope: new Uint8Array(100).fill(1) };
    const envelope = readClientMsgEnvelope(seal(message, sender.publicKey));
    expect(envelope.e2eKey).toStrictEqual(sender.publicKey);
    const found = dh(recipient.secretKey, envelope.e2eKey ?? recipient.publicKey);
    expect(openClientMessage(envelope, found)).toStrictEqual(message);
  });

  test("every message has one of two lengths, whatever is in it, and fits into SEND", () => {
    for (const length of [0, 1, 1000, 15_000]) {
      const envelope = new Uint8Array(length);
      expect(seal({ senderKey: null, envelope }).length).toBe(16_043);
      expect(seal({ senderKey, envelope }, sender.publicKey).length).toBe(15_992);
    }
    expect(maxMessageLength(19)).toBeGreaterThanOrEqual(16_043);
  });

  test("the longest message fits, one byte more does not", () => {
    const LENGTH_AND_HEADER = 3;
    for (const [padded, key] of [[MESSAGE_PADDED, null], [FIRST_MESSAGE_PADDED, sender.publicKey]] as const) {
      const message = { senderKey: null, envelope: new Uint8Array(padded - LENGTH_AND_HEADER) };
      expect(openClientMessage(readClientMsgEnvelope(seal(message, key)), secret)).toStrictEqual(message);
      const longer = { senderKey: null, envelope: new Uint8Array(padded - LENGTH_AND_HEADER + 1) };
      expect(() => seal(longer, key)).toThrow(PaddingError);
    }
  });

  test("the same message twice looks different", () => {
    const message = { senderKey: null, envelope: new Uint8Array(8) };
    expect(seal(message)).not.toStrictEqual(seal(message));
  });

  test("damaged on the way it does not open", () => {
    const sealed = seal({ senderKey, envelope: new Uint8Array(50) }, sender.publicKey);
    fc.assert(
      fc.property(fc.oneof(mutations, mutations.map((list) => list.slice(0, 1))), (list) => {
        try {
          openClientMessage(readClientMsgEnvelope(mutated(sealed, list)), secret);
        } catch (error) {
          const isExpected = error instanceof CryptoError || error instanceof DecodeError;
          if (!isExpected) throw new Error("another error than the decoders promise", { cause: error });
        }
      }),
      { numRuns: 300 },
    );
  });
});
