import { describe, expect, it } from "vitest";
import { concat, EMPTY, utf8 } from "#crypto/bytes";
import { readCertificate } from "#crypto/certificate";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { authorize, isAuthorizedBy } from "#protocol/authorize";
import { encode } from "#protocol/codec";
import { describeError } from "#protocol/errors";
import { verifyWebIdentity } from "#protocol/handshake";
import { encodeNtfTransmission, ntfBlock, openNtfBlock, packNtf, readNtfContent, readNtfTransmission } from "#protocol/ntf/block";
import { decodeNtfAnswer, encodeNtfCommand, type NtfCommand } from "#protocol/ntf/commands";
import { ntfClientHello, readNtfServerHello, verifyNtfServerHello } from "#protocol/ntf/handshake";
import { authorizedBytes } from "#protocol/transmission";
import { identityFingerprint, makeIdentity } from "../../../src/relay/identity.ts";
import { readNtfBlock, writeNtfBlocks } from "../../../src/relay/notification/dispatch.ts";
import { acceptNtfHello, admitNtf, type NtfReadySession, openNtfSession } from "../../../src/relay/notification/session.ts";
import { type Arrival, HandshakeRefused } from "../../../src/relay/session.ts";

const NOW = 1_800_000_000_000;
const identity = makeIdentity("relay.example.org", NOW);
const leafKey = readCertificate(identity.certificate).publicKey as Parameters<typeof verifyWebIdentity>[0];
const keyHash = identityFingerprint(identity);
const keys = generateKeyPair("Ed25519");

function connect(version: number, arrival: Arrival = { challenge: null, gateway: null }) {
  const { session, block } = openNtfSession(identity, arrival);
  const hello = readNtfServerHello(openNtfBlock(block));
  const ready = acceptNtfHello(session, ntfBlock(encode(ntfClientHello, { version, keyHash })), identity);
  return { hello, ready, serverKey: verifyNtfServerHello(hello, leafKey) };
}

function transmission(session: NtfReadySession, command: NtfCommand, entityId: Uint8Array, corrId = randomBytes(24)): Uint8Array {
  const authorized = authorizedBytes(session.sessionId, corrId, entityId, encodeNtfCommand(command, session.version));
  const authorization = command.tag === "PING" ? null : authorize(keys.secretKey, null, corrId, authorized);
  return encodeNtfTransmission(session, authorized, authorization);
}

function answersOf(session: NtfReadySession, block: Uint8Array): string[] {
  const replies = readNtfBlock(session, block).flatMap((received) => ("reply" in received ? [received.reply] : []));
  return writeNtfBlocks(session, replies).flatMap((written) =>
    readNtfContent(session.version, openNtfBlock(written)).map((bytes) => {
      const answer = decodeNtfAnswer(readNtfTransmission(session, bytes).command, session.version);
      return answer.tag === "ERR" ? describeError(answer.error) : answer.tag;
    })
  );
}

describe("a connection", () => {
  it.each([1, 2, 3])("at version %i: hello, commands, answers", (version) => {
    const { hello, ready, serverKey } = connect(version);
    expect(hello.versions).toStrictEqual({ min: 1, max: 3 });
    expect(serverKey?.raw).toHaveLength(32);
    expect(hello.webIdentityProof).toBeNull();
    const sent = [transmission(ready, { tag: "TCHK" }, randomBytes(24)), transmission(ready, { tag: "PING" }, EMPTY)];
    const blocks = packNtf(version, sent).map(ntfBlock);
    expect(blocks).toHaveLength(version === 1 ? 2 : 1);
    const received = blocks.flatMap((block) => readNtfBlock(ready, block));
    const asked = received.flatMap((one) => ("asked" in one ? [one.asked] : []));
    expect(asked.map(({ command }) => command.tag)).toStrictEqual(["TCHK", "PING"]);
    expect(asked[0] && isAuthorizedBy(asked[0].auth, keys.publicKey)).toBe(true);
    const replies = asked.map(({ corrId, entityId }) => ({ corrId, entityId, answer: { tag: "PONG" } as const }));
    const written = writeNtfBlocks(ready, replies);
    expect(written).toHaveLength(version === 1 ? 2 : 1);
    for (const block of written) expect(block).toHaveLength(512);
  });

  it("of a web client is shown who answers; of a TLS client has its session, without ALPN only version 1", () => {
    const challenge = randomBytes(32);
    const web = connect(3, { challenge, gateway: null }).hello;
    expect(verifyWebIdentity(leafKey, challenge, web.sessionId, web.webIdentityProof ?? EMPTY)).toBe(true);
    const sessionId = randomBytes(32);
    const tls = connect(3, { challenge, gateway: { sessionId, alpn: true, time: NOW } });
    expect(tls.hello).toMatchObject({ sessionId, webIdentityProof: null, versions: { max: 3 } });
    const legacy = connect(1, { challenge: null, gateway: { sessionId, alpn: false, time: NOW } });
    expect(legacy.hello).toMatchObject({ versions: { min: 1, max: 1 }, signedKey: null });
    expect(legacy.serverKey).toBeNull();
  });

  it.each([
    ["for another server", encode(ntfClientHello, { version: 3, keyHash: randomBytes(32) })],
    ["of version 0", encode(ntfClientHello, { version: 0, keyHash })],
    ["of version 4", encode(ntfClientHello, { version: 4, keyHash })],
    ["of no client", EMPTY],
    ["too short", encode(ntfClientHello, { version: 3, keyHash }).slice(0, 20)],
  ])("with a hello %s is refused", (_, hello) => {
    const { session } = openNtfSession(identity, { challenge: null, gateway: null });
    expect(() => acceptNtfHello(session, ntfBlock(hello), identity)).toThrow(HandshakeRefused);
    expect(() => acceptNtfHello(session, hello, identity)).toThrow(HandshakeRefused);
  });
});

describe("what cannot be done is answered in place", () => {
  const { ready } = connect(3);
  const raw = (...parts: readonly Uint8Array[]): Uint8Array => ntfBlock(concat(...parts));
  const batch = (...items: readonly Uint8Array[]): Uint8Array => packNtf(3, items).map(ntfBlock)[0] ?? EMPTY;

  it.each<[string, Uint8Array, string[]]>([
    ["no block", new Uint8Array(100), ["BLOCK"]],
    ["an empty batch", raw(Uint8Array.of(0)), ["BLOCK"]],
    ["a batch that promises more", raw(Uint8Array.of(9, 0, 1, 0)), ["BLOCK"]],
    ["a malformed transmission", batch(Uint8Array.of(5)), ["BLOCK"]],
    ["a signature of an odd length", batch(concat(Uint8Array.of(3, 1, 1, 1, 0, 0), utf8("PING"))), ["BLOCK"]],
    ["an unknown command", batch(concat(Uint8Array.of(0, 1, 7, 0), utf8("NEW"))), ["CMD UNKNOWN"]],
    ["a malformed command", batch(concat(Uint8Array.of(0, 1, 7, 0), utf8("TCRN x"))), ["CMD SYNTAX"]],
    ["PING with an entity", batch(concat(Uint8Array.of(0, 1, 7, 1, 1), utf8("PING"))), ["CMD HAS_AUTH"]],
    ["TCHK by nobody", batch(concat(Uint8Array.of(0, 1, 7, 1, 1), utf8("TCHK"))), ["CMD NO_AUTH"]],
  ])("%s", (_, block, expected) => {
    expect(answersOf(ready, block)).toStrictEqual(expected);
  });

  it("between commands that can, in their order", () => {
    const items = [
      transmission(ready, { tag: "PING" }, EMPTY),
      concat(Uint8Array.of(0, 1, 7, 0), utf8("NOPE")),
      transmission(ready, { tag: "SDEL" }, randomBytes(24)),
    ];
    const received = readNtfBlock(ready, batch(...items));
    const tags = received.map((one) => ("asked" in one ? one.asked.command.tag : one.reply.answer.tag));
    expect(tags).toStrictEqual(["PING", "ERR", "SDEL"]);
  });

  it("a transmission of another session is SESSION at version 1", () => {
    const { ready: first } = connect(1);
    const [block] = packNtf(1, [transmission({ ...first, sessionId: randomBytes(32) }, { tag: "PING" }, EMPTY)]);
    expect(answersOf(first, ntfBlock(block ?? EMPTY))).toStrictEqual(["SESSION"]);
  });

  it("ids so long that their answer fits no block lose the entity, and the answer says so", () => {
    for (const version of [1, 2, 3]) {
      const { ready: session } = connect(version);
      const [corrId, entityId] = [randomBytes(255), randomBytes(version === 1 ? 215 : 230)];
      const authorized = authorizedBytes(session.sessionId, corrId, entityId, utf8("X"));
      const [content] = packNtf(version, [encodeNtfTransmission(session, authorized, null)]);
      expect(answersOf(session, ntfBlock(content ?? EMPTY))).toStrictEqual(["LARGE_MSG"]);
    }
  });
});

it("a connection may register only so often, and everything else much more often", () => {
  let session: NtfReadySession | null = connect(3).ready;
  const token = { provider: "apns_prod", token: "ab" } as const;
  const dhKey = generateKeyPair("X25519").publicKey;
  const tnew: NtfCommand = { tag: "TNEW", token, verifyKey: keys.publicKey, dhKey };
  let admitted = 0;
  let last: NtfReadySession = connect(3).ready;
  for (; session && admitted < 1000; admitted++) {
    last = session;
    session = admitNtf(session, tnew, NOW);
  }
  expect(admitted - 1).toBe(60);
  expect(admitNtf(last, { tag: "SCHK" }, NOW)).not.toBeNull();
  expect(admitNtf(last, tnew, NOW + 1000)).not.toBeNull();
});
