import { describe, expect, test } from "vitest";
import { concat, EMPTY } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { KEM_CIPHERTEXT_LENGTH, KEM_PUBLIC_KEY_LENGTH } from "#crypto/sntrup761";
import { decode, DecodeError, encode, word16 } from "#protocol/codec";
import { agentEnvelope } from "../../../../client/agent/wire/agent-envelope.ts";
import { type ConnectionRequest, formatConnectionRequest } from "../../../../client/agent/wire/connection-request.ts";
import { e2eParams } from "../../../../client/ratchet/parameters.ts";

const key = generateKeyPair("X448").publicKey;
const R = 0x52;

describe("what an envelope may hold", () => {
  test("an accepted KEM stands in a confirmation, and not with the keys for a new ratchet", () => {
    const accepted = {
      version: 3,
      key1: key,
      key2: key,
      kem: {
        type: "accepted",
        ciphertext: new Uint8Array(KEM_CIPHERTEXT_LENGTH),
        key: new Uint8Array(KEM_PUBLIC_KEY_LENGTH),
      },
    } as const;
    const confirmation = { type: "confirmation", agentVersion: 7, e2eParams: accepted, encConnInfo: EMPTY } as const;
    const bytes = encode(agentEnvelope, confirmation);
    expect(decode(agentEnvelope, bytes)).toStrictEqual(confirmation);
    const keys = concat(encode(word16, 7), Uint8Array.of(R), encode(e2eParams, accepted));
    expect(() => decode(agentEnvelope, keys)).toThrow(DecodeError);
  });

  test("a request to connect is an invitation, not an address", () => {
    const address: ConnectionRequest = {
      type: "contact",
      agentVersions: { min: 2, max: 7 },
      queues: [{
        clientVersions: { min: 1, max: 4 },
        server: { hosts: ["relay.example"], port: "", keyHash: new Uint8Array(32) },
        senderId: new Uint8Array(24),
        dhKey: generateKeyPair("X25519").publicKey,
        mode: "messaging",
      }],
      clientData: null,
    };
    const e2e = { versions: { min: 2, max: 3 }, key1: key, key2: key, kem: null };
    const envelope = (connReq: string) =>
      encode(agentEnvelope, { type: "invitation", agentVersion: 7, connReq, connInfo: EMPTY });
    const invitation = formatConnectionRequest({ ...address, type: "invitation", e2e });
    expect(decode(agentEnvelope, envelope(invitation))).toMatchObject({ connReq: invitation });
    expect(() => decode(agentEnvelope, envelope(formatConnectionRequest(address)))).toThrow(DecodeError);
    expect(() => decode(agentEnvelope, envelope("hello"))).toThrow(DecodeError);
  });

  test("a letter that is not known", () => {
    for (const letter of [0x41, 0x00, 0xff]) {
      expect(() => decode(agentEnvelope, Uint8Array.of(0, 7, letter, 1, 2, 3))).toThrow("expected one of C, M, I, R");
    }
  });
});
