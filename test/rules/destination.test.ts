import { describe, expect, it } from "vitest";
import { EMPTY, utf8 } from "#crypto/bytes";
import { readCertificate } from "#crypto/certificate";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { clearBlock, openClearBlock } from "#protocol/block";
import { encode } from "#protocol/codec";
import { isAuthorizedBy } from "#protocol/authorize";
import { verifyCertChainPubKey } from "#protocol/certchain";
import { decodeCommand, encodeMessage, err, type Message } from "#protocol/commands";
import { sealRres } from "#protocol/commands/proxy";
import { proveWebIdentity, readClientHello, readServerHello, type ServerHello, serverHello } from "#protocol/handshake";
import { authorizedBytes, encodeBatch, encodeTransmission, readBatch, readTransmission } from "#protocol/transmission";
import {
  type DestinationSession,
  ForwardingError,
  greet,
  openAnswer,
  type Proof,
  readAnswers,
  sealForwarding,
  toPkey,
} from "../../src/relay/destination.ts";
import { openCommand } from "../../src/relay/forwarded.ts";
import { identityFingerprint, makeIdentity } from "../../src/relay/identity.ts";
import { acceptHello, openSession, type ReadySession } from "../../src/relay/session.ts";
import { openResponse, sealCommand } from "../support/forwarding.ts";
import { named } from "../support/wire-client.ts";

const NOW = Date.now();
const own = makeIdentity("relay.example", NOW);
const keyHash = identityFingerprint(own);
const stranger = makeIdentity("other.example", NOW);

/** A relay that has said its hello to a web client, or to one that came through TLS. */
function relay(kind: Proof["kind"], change: (hello: ServerHello) => ServerHello = (hello) => hello) {
  const challenge = randomBytes(32);
  const { session, block } = openSession(own, { challenge, gateway: null });
  const hello = change(readServerHello(openClearBlock(block)));
  const proof: Proof = kind === "web"
    ? { kind, challenge }
    : { kind, channelBinding: session.sessionId, leafKey: readCertificate(own.certificate).publicKey };
  return { session, proof, block: clearBlock(encode(serverHello, hello)) };
}

type Change = (hello: ServerHello) => ServerHello;
const outcome = (kind: Proof["kind"], change?: Change, hash = keyHash, now = NOW): string => {
  const { block, proof } = relay(kind, change);
  try {
    return String(greet(block, hash, proof, now).session.version);
  } catch (error) {
    if (error instanceof ForwardingError) return named(err(error.error));
    throw error;
  }
};

/** Both ends of a session. */
function sessions(): { readonly near: DestinationSession; readonly far: ReadySession } {
  const { session, proof, block } = relay("web");
  const { session: near, hello } = greet(block, keyHash, proof, NOW);
  return { near, far: acceptHello(session, hello, own, NOW).session };
}

describe("a destination's hello", () => {
  it.each(["web", "tls"] as const)("is answered as a proxy does, once it has proven who it is (%s)", (kind) => {
    const { session, proof, block } = relay(kind);
    const { session: near, hello } = greet(block, keyHash, proof, NOW);
    const answer = readClientHello(openClearBlock(hello));
    expect(answer).toMatchObject({ version: 19, proxyServer: true, service: null, keyHash });
    const far = acceptHello(session, hello, own, NOW).session;
    expect([far.receiveKey, far.sendKey]).toEqual([null, null]);
    expect(far.sharedSecret).toEqual(near.secret);
    expect(toPkey(near)).toMatchObject({ sessionId: session.sessionId, versions: { min: 8, max: 19 } });
  });

  it("decides the versions: an old relay must not encrypt blocks, one that is too old cannot be forwarded to", () => {
    const versions = (min: number, max: number): Change => (hello) => ({ ...hello, versions: { min, max } });
    const max = (last: number): string => outcome("tls", versions(6, last));
    expect([20, 19, 14, 13, 11, 10, 9, 8].map(max)).toEqual(["19", "19", "14", "10", "10", "10", "9", "8"]);
    expect([7, 6].map(max)).toEqual(Array(2).fill("ERR PROXY BROKER TRANSPORT VERSION"));
    expect(outcome("tls", versions(11, 13))).toBe("ERR PROXY BROKER TRANSPORT VERSION");
    expect(outcome("tls", versions(20, 25))).toBe("ERR PROXY BROKER TRANSPORT VERSION");
  });

  it("is refused when it proves another relay, nothing, or the past", () => {
    const refused = "ERR PROXY BROKER TRANSPORT HANDSHAKE BAD_AUTH";
    const noProof: Change = (hello) => ({ ...hello, webIdentityProof: null });
    const otherProof: Change = (hello) => ({
      ...hello,
      webIdentityProof: proveWebIdentity(own.key, randomBytes(32), hello.sessionId),
    });
    const otherChain: Change = (hello) => ({
      ...hello,
      authPubKey: hello.authPubKey && { ...hello.authPubKey, certChain: [stranger.certificate, own.caCertificate] },
    });
    const otherKey: Change = (hello) => {
      const { block } = openSession(stranger, { challenge: null, gateway: null });
      const other = readServerHello(openClearBlock(block)).authPubKey;
      return { ...hello, authPubKey: hello.authPubKey && other && { ...hello.authPubKey, signedKey: other.signedKey } };
    };
    for (const kind of ["web", "tls"] as const) {
      expect(outcome(kind, otherChain)).toBe(refused);
      expect(outcome(kind, otherKey)).toBe(refused);
      expect(outcome(kind, undefined, identityFingerprint(stranger))).toBe(refused);
      expect(outcome(kind, undefined, keyHash, 0)).toBe(refused);
    }
    expect(outcome("web", noProof)).toBe(refused);
    expect(outcome("web", otherProof)).toBe(refused);
    expect(outcome("tls", noProof)).toBe("19");
  });

  it("is refused over TLS when it names another session, and everywhere one that clients cannot use", () => {
    const id = (length: number): Change => (hello) => ({ ...hello, sessionId: randomBytes(length) });
    expect(outcome("tls", id(32))).toBe("ERR PROXY BROKER TRANSPORT SESSION");
    for (const length of [0, 43, 255]) expect(outcome("web", id(length))).toBe("ERR PROXY BROKER TRANSPORT SESSION");
  });

  it("must be one", () => {
    const { proof } = relay("web");
    for (const block of [new Uint8Array(16_384), clearBlock(utf8("hello")), clearBlock(EMPTY), randomBytes(16_384)]) {
      expect(() => greet(block, keyHash, proof, NOW)).toThrow("PROXY BROKER TRANSPORT HANDSHAKE PARSE");
    }
  });
});

/** What a relay reads in a block of a proxy. */
function rfwdIn(far: ReadySession, block: Uint8Array) {
  const [bytes = EMPTY, ...others] = readBatch(openClearBlock(block));
  const transmission = readTransmission(far, bytes);
  const command = decodeCommand(transmission.command, far.version);
  if (command.tag !== "RFWD" || others.length > 0) throw new Error("not one RFWD");
  return { ...transmission, encFwdTransmission: command.encFwdTransmission };
}

describe("a forwarded command", () => {
  const sealed = (length = 16_242) => ({
    fwdCorrId: randomBytes(24),
    fwdVersion: 19,
    fwdKey: generateKeyPair("X25519").publicKey,
    fwdTransmission: randomBytes(length),
  });

  it("fits a block exactly, and one that is longer is refused here", () => {
    const { near, far } = sessions();
    const corrId = randomBytes(24);
    const { corrId: sent, entityId, authorization } = rfwdIn(far, sealForwarding(near, corrId, sealed()));
    expect([sent, entityId, authorization]).toEqual([corrId, EMPTY, null]);
    expect(sealForwarding(near, corrId, sealed(16_243))).toHaveLength(16_384);
    expect(() => sealForwarding(near, corrId, sealed(16_244))).toThrow("PROXY BROKER TRANSPORT LARGE_MSG");
    const longId = { ...sealed(), fwdCorrId: randomBytes(255) };
    expect(() => sealForwarding(near, corrId, longId)).toThrow("PROXY BROKER TRANSPORT LARGE_MSG");
  });

  it("goes through both boxes to the relay, and its answer back through both to the client", () => {
    const { near, far } = sessions();
    const { key } = verifyCertChainPubKey(near.certChainPubKey, "X25519", NOW);
    const behind = { sessionId: near.sessionId, key, version: 19 };
    const [queue, senderKey] = [randomBytes(24), generateKeyPair("X25519")];
    const send = { tag: "SEND", notification: true, body: utf8("hi") } as const;
    const command = sealCommand(behind, send, senderKey.secretKey, queue);
    const { corrId: fwdCorrId, publicKey: fwdKey, encTransmission: fwdTransmission } = command;
    const corrId = randomBytes(24);
    const block = sealForwarding(near, corrId, { fwdCorrId, fwdVersion: 19, fwdKey, fwdTransmission });
    const { encFwdTransmission } = rfwdIn(far, block);

    const { received, seal } = openCommand(far, corrId, encFwdTransmission);
    if (!("request" in received)) throw new Error("refused");
    expect(received.request).toMatchObject({ command: { tag: "SEND" }, entityId: queue, corrId: fwdCorrId });
    expect(isAuthorizedBy(received.request.auth, senderKey.publicKey)).toBe(true);
    expect(openCommand(far, corrId, encFwdTransmission).received, "the same message each time").toEqual(received);
    expect(() => openCommand({ ...far, sharedSecret: randomBytes(32) }, corrId, encFwdTransmission)).toThrow("CRYPTO");
    expect(() => openCommand({ ...far, secret: randomBytes(32) }, corrId, encFwdTransmission)).toThrow("CRYPTO");

    const rres = seal({ corrId: fwdCorrId, entityId: queue, message: { tag: "OK" } });
    const pres = openAnswer(near, { corrId, entityId: EMPTY, command: encodeMessage(rres, near.version) });
    if (pres.tag !== "PRES") throw new Error(named(pres));
    expect(openResponse(behind, command, pres.encResponse)).toEqual({ tag: "OK" });
  });
});

describe("a destination's answer", () => {
  const { near } = sessions();
  const corrId = randomBytes(24);
  const blockOf = (message: Message | Uint8Array, entityId = EMPTY): Uint8Array => {
    const command = message instanceof Uint8Array ? message : encodeMessage(message, near.version);
    const authorized = authorizedBytes(near.sessionId, corrId, entityId, command);
    return clearBlock(encodeBatch([encodeTransmission(near, authorized, null, null)]));
  };
  const told = (message: Message | Uint8Array, entityId = EMPTY): Message[] =>
    readAnswers(near, blockOf(message, entityId)).map((answer) => openAnswer(near, answer));
  const rres = (encFwdResponse: Uint8Array): Message => ({ tag: "RRES", encFwdResponse });
  const fwdResponse = randomBytes(16_242);
  const good = sealRres(near.secret, corrId, { fwdCorrId: randomBytes(24), fwdResponse });

  it("is passed on as it was sealed for the client", () => {
    expect(told(rres(good))).toEqual([{ tag: "PRES", encResponse: fwdResponse }]);
  });

  it.each([
    ["an error of the protocol", err({ type: "CRYPTO" }), "ERR PROXY PROTOCOL CRYPTO"],
    ["an error with details", err({ type: "CMD", cmdErr: { type: "SYNTAX" } }), "ERR PROXY PROTOCOL CMD SYNTAX"],
    ["another answer", { tag: "OK" }, "ERR PROXY BROKER UNEXPECTED \u0002OK"],
    ["an unknown answer", utf8("NEWS 1"), "ERR PROXY BROKER RESPONSE \u000bCMD UNKNOWN"],
    ["an answer that does not parse", utf8("ERR"), "ERR PROXY BROKER RESPONSE \u000aCMD SYNTAX"],
    ["a box for another", rres(good.with(0, (good[0] ?? 0) ^ 1)), "ERR CRYPTO"],
    ["no box", rres(EMPTY), "ERR CRYPTO"],
  ] as const)("that is %s is told as the official proxy tells it", (_, message, expected) => {
    expect(told(message).map(named)).toEqual([expected]);
  });

  it("must not be about an entity", () => {
    expect(told(rres(good), randomBytes(24)).map(named)).toEqual(["ERR PROXY BROKER RESPONSE \u000cCMD HAS_AUTH"]);
  });

  it("in a block that cannot be read ends everything", () => {
    const tooLong = new Uint8Array(16_384).fill(0xff);
    const noBatch = clearBlock(Uint8Array.of(0));
    const cut = clearBlock(Uint8Array.of(1, 0, 200, 0));
    const noTransmission = clearBlock(encodeBatch([Uint8Array.of(0, 255)]));
    for (const block of [tooLong, clearBlock(EMPTY), noBatch, cut, noTransmission]) {
      expect(() => readAnswers(near, block)).toThrow("PROXY BROKER RESPONSE \u0005BLOCK");
    }
  });

  it("stays what it was for a relay of any version", () => {
    const old = { ...near, version: 8 };
    const bytes = authorizedBytes(old.sessionId, corrId, EMPTY, encodeMessage(rres(good), 8));
    const answers = readAnswers(old, clearBlock(encodeBatch([encodeTransmission(old, bytes, null, null)])));
    expect(answers.map((answer) => openAnswer(old, answer).tag)).toEqual(["PRES"]);
  });
});
