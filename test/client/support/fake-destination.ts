import { equal } from "#crypto/bytes";
import { dh, generateKeyPair, type KeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { signKey } from "#crypto/signed-key";
import { type Command, type CommandOf, decodeCommand, encodeMessage, type Message, type MessageOf } from "#protocol/commands";
import { openForwarded, sealForwardedResponse } from "#protocol/commands/proxy";
import {
  authorizedBytes,
  encodeBatch,
  encodeTransmission,
  type RawTransmission,
  readBatch,
  readTransmission,
} from "#protocol/transmission";
import type { VersionRange } from "#protocol/version";
import { type FakeIdentity, type FakeRequest, type FakeRouter, makeFakeIdentity } from "./fake-router.ts";

/** A command as the destination got it. */
export interface Forwarded extends RawTransmission {
  readonly parsed: Command;
  readonly version: number;
}

/** A relay behind a proxy, made of the protocol floor alone: answers what the proxy brings. */
export class FakeDestination {
  readonly identity: FakeIdentity;
  sessionId = randomBytes(32);
  readonly sessionKeys: KeyPair<"X25519"> = generateKeyPair("X25519");
  versions: VersionRange = { min: 8, max: 19 };
  readonly requests: Forwarded[] = [];
  answer: (request: Forwarded) => Message = () => ({ tag: "OK" });
  /** Changes what the box of the answer holds. */
  change: (transmission: Uint8Array) => readonly Uint8Array[] = (transmission) => [transmission];

  constructor(identity: FakeIdentity = makeFakeIdentity()) {
    this.identity = identity;
  }

  /** What a proxy tells of it. */
  get pkey(): MessageOf<"PKEY"> {
    const { certChain, key } = this.identity;
    const certChainPubKey = { certChain, signedKey: signKey(this.sessionKeys.publicKey, key) };
    return { tag: "PKEY", sessionId: this.sessionId, versions: this.versions, certChainPubKey };
  }

  /** Opens a forwarded command and seals the answer to it. */
  forwarded({ key, version, encTransmission }: CommandOf<"PFWD">, corrId: Uint8Array): MessageOf<"PRES"> {
    const secret = dh(this.sessionKeys.secretKey, key);
    const [bytes, ...more] = readBatch(openForwarded(secret, corrId, encTransmission));
    if (!bytes || more.length > 0) throw new Error("a forwarded batch holds one command");
    const params = { version, sessionId: this.sessionId };
    const raw = readTransmission(params, bytes);
    const request = { ...raw, version, parsed: decodeCommand(raw.command, version) };
    this.requests.push(request);
    const answer = encodeMessage(this.answer(request), version);
    const plain = encodeTransmission(params, authorizedBytes(this.sessionId, raw.corrId, raw.entityId, answer), null, null);
    return { tag: "PRES", encResponse: sealForwardedResponse(secret, corrId, encodeBatch([...this.change(plain)])) };
  }
}

/** A router that forwards to one destination. */
export function forwardTo(router: FakeRouter, destination: FakeDestination): void {
  router.answer = ({ parsed, corrId, entityId }: FakeRequest) => {
    if (parsed.tag === "PRXY") return destination.pkey;
    if (parsed.tag !== "PFWD") return { tag: "ERR", error: { type: "CMD", cmdErr: { type: "PROHIBITED" } } };
    if (equal(entityId, destination.sessionId)) return destination.forwarded(parsed, corrId);
    return { tag: "ERR", error: { type: "PROXY", proxyErr: { type: "NO_SESSION" } } };
  };
}
