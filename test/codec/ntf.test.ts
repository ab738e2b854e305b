import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, EMPTY, hex, utf8 } from "#crypto/bytes";
import { PaddingError } from "#crypto/errors";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { decode, DecodeError, encode, EncodeError } from "#protocol/codec";
import { challengeQuery, findChallenge, proveWebIdentity, verifyWebIdentity } from "#protocol/handshake";
import {
  encodeNtfTransmission,
  fitsNtfBlock,
  ntfBlock,
  openNtfBlock,
  packNtf,
  readNtfContent,
  readNtfTransmission,
} from "#protocol/ntf/block";
import { decodeNtfAnswer, decodeNtfCommand, encodeNtfAnswer, encodeNtfCommand } from "#protocol/ntf/commands";
import { checkNtfAnswer, checkNtfCredentials } from "#protocol/ntf/credentials";
import { ntfServerHello, readNtfClientHello, readNtfServerHello } from "#protocol/ntf/handshake";
import { formatNtfQueue, type NtfQueue, ntfQueue as ntfQueueCodec, parseNtfQueue } from "#protocol/ntf/queue";
import {
  deviceToken as deviceTokenCodec,
  endpointOf,
  formatDeviceToken,
  originOf,
  parseDeviceToken,
  sameDevice,
  TokenError,
  webPushToken,
} from "#protocol/ntf/token";
import { authorizedBytes, TransmissionError } from "#protocol/transmission";
import { bytes } from "../support/arbitrary.ts";
import { deviceToken, ntfAnswer, ntfCommand, ntfVersion } from "../support/ntf-arbitrary.ts";

const RUNS = { numRuns: 2000 };

describe("commands and answers", () => {
  test("survive their journey at any version", () => {
    fc.assert(fc.property(ntfCommand, ntfVersion, (command, v) => {
      expect(decodeNtfCommand(encodeNtfCommand(command, v), v)).toStrictEqual(command);
    }), RUNS);
    fc.assert(fc.property(ntfAnswer, (answer) => {
      expect(decodeNtfAnswer(encodeNtfAnswer(answer, 3), 3)).toStrictEqual(answer);
    }), RUNS);
  });

  test("why a token is invalid is said from version 3 on, and only there", () => {
    const answer = { tag: "TKN", status: "INVALID,UNREGISTERED" } as const;
    for (const v of [1, 2]) expect(encodeNtfAnswer(answer, v)).toStrictEqual(utf8("TKN INVALID"));
    expect(encodeNtfAnswer(answer, 3)).toStrictEqual(utf8("TKN INVALID,UNREGISTERED"));
  });

  test("a blocked queue is no other error here than there: no version of SMP reduces it", () => {
    const answer = { tag: "ERR", error: { type: "BLOCKED", blockInfo: { reason: "spam" } } } as const;
    for (const v of [1, 2, 3]) expect(encodeNtfAnswer(answer, v)).toStrictEqual(utf8("ERR BLOCKED reason=spam"));
  });

  test("known servers get their onion host whoever reads them", () => {
    const queue = { server: { hosts: ["smp8.simplex.im"], port: "", keyHash: new Uint8Array(32) }, notifierId: randomBytes(24) };
    const extended = decode(ntfQueueCodec, encode(ntfQueueCodec, queue));
    expect(extended.server.hosts).toHaveLength(2);
    expect(extended.server.hosts[1]).toMatch(/\.onion$/);
    expect(parseNtfQueue(formatNtfQueue(queue))).toStrictEqual(extended);
  });
});

describe("a queue whose text could not be read again", () => {
  const place = { hosts: ["smp.example.org"], port: "", keyHash: new Uint8Array(32) };
  const notifierId = new Uint8Array(24);
  const readable: readonly (readonly [string, NtfQueue])[] = [
    ["a name", { server: place, notifierId }],
    ["several names and a port", { server: { ...place, hosts: ["a.example", "b.onion"], port: "443" }, notifierId }],
    ["an IPv6 address", { server: { ...place, hosts: ["2001:db8::1"] }, notifierId }],
    ["a short id", { server: place, notifierId: new Uint8Array(1) }],
  ];
  const unreadable: readonly (readonly [string, NtfQueue])[] = [
    ["a port of letters", { server: { ...place, port: "abc" }, notifierId }],
    ["a port beyond all", { server: { ...place, port: "99999" }, notifierId }],
    ["port 0", { server: { ...place, port: "0" }, notifierId }],
    ["a port with a path", { server: { ...place, port: "1/x" }, notifierId }],
    ["a short fingerprint", { server: { ...place, keyHash: new Uint8Array(31) }, notifierId }],
    ["no fingerprint", { server: { ...place, keyHash: EMPTY }, notifierId }],
    ["a host with !", { server: { ...place, hosts: ["a!b"] }, notifierId }],
    ["a host with @", { server: { ...place, hosts: ["a@b"] }, notifierId }],
    ["a second host with %", { server: { ...place, hosts: ["a", "b%"] }, notifierId }],
    ["no id", { server: place, notifierId: EMPTY }],
  ];
  const { secretKey: notifierKey } = generateKeyPair("Ed25519");
  const snew = (queue: NtfQueue): Uint8Array => encodeNtfCommand({ tag: "SNEW", tokenId: notifierId, queue, notifierKey }, 3);

  test.each(readable)("is not %s", (_, queue) => {
    expect(decodeNtfCommand(snew(queue), 3)).toMatchObject({ queue });
  });
  test.each(unreadable)("is refused: %s", (_, queue) => {
    expect(() => decodeNtfCommand(snew(queue), 3)).toThrow(DecodeError);
  });
  test("is no server with any host, port or fingerprint", () => {
    const text = fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 12 });
    const hosts = fc.array(text, { minLength: 1, maxLength: 3 });
    const servers = fc.record({ hosts, port: fc.oneof(fc.constant(""), text), keyHash: fc.oneof(bytes(32), bytes(0, 40)) });
    fc.assert(fc.property(servers, bytes(0, 30), (server, id) => {
      const encoded = encode(ntfQueueCodec, { server, notifierId: id });
      let queue: NtfQueue;
      try {
        queue = decode(ntfQueueCodec, encoded);
      } catch (error) {
        if (error instanceof DecodeError) return;
        throw error;
      }
      expect(parseNtfQueue(formatNtfQueue(queue))).toStrictEqual(queue);
    }), RUNS);
  });
});

describe("credentials", () => {
  const error = (type: string): object => ({ type: "CMD", cmdErr: { type } });
  test.each(["TNEW", "SNEW"] as const)("%s is authorized and names nothing", (tag) => {
    expect(checkNtfCredentials(tag, true, false)).toBeNull();
    expect(checkNtfCredentials(tag, false, false)).toStrictEqual(error("NO_AUTH"));
    expect(checkNtfCredentials(tag, false, true)).toStrictEqual(error("NO_AUTH"));
    expect(checkNtfCredentials(tag, true, true)).toStrictEqual(error("HAS_AUTH"));
  });
  test("PING has neither", () => {
    expect(checkNtfCredentials("PING", false, false)).toBeNull();
    for (const [auth, entity] of [[true, false], [false, true], [true, true]] as const) {
      expect(checkNtfCredentials("PING", auth, entity)).toStrictEqual(error("HAS_AUTH"));
    }
  });
  test.each(["TVFY", "TCHK", "TRPL", "TDEL", "TCRN", "SCHK", "SDEL"] as const)("%s has both", (tag) => {
    expect(checkNtfCredentials(tag, true, true)).toBeNull();
    for (const [auth, entity] of [[true, false], [false, true], [false, false]] as const) {
      expect(checkNtfCredentials(tag, auth, entity)).toStrictEqual(error("NO_AUTH"));
    }
  });
  test("answers name what they are about", () => {
    for (const tag of ["IDTKN", "IDSUB", "PONG"] as const) {
      expect([checkNtfAnswer(tag, false), checkNtfAnswer(tag, true)]).toStrictEqual([null, error("HAS_AUTH")]);
    }
    for (const tag of ["OK", "TKN", "SUB"] as const) {
      expect([checkNtfAnswer(tag, true), checkNtfAnswer(tag, false)]).toStrictEqual([null, error("NO_ENTITY")]);
    }
    expect([checkNtfAnswer("ERR", true), checkNtfAnswer("ERR", false)]).toStrictEqual([null, null]);
  });
});

describe("device tokens", () => {
  test("survive their journey in both forms", () => {
    fc.assert(fc.property(deviceToken, (token) => {
      expect(decode(deviceTokenCodec, encode(deviceTokenCodec, token))).toStrictEqual(token);
      expect(parseDeviceToken(formatDeviceToken(token))).toStrictEqual(token);
      expect(sameDevice(token, parseDeviceToken(formatDeviceToken(token)))).toBe(true);
    }), RUNS);
  });

  // From the tests of the official drafts.
  const WEB_PUSH = "webpush https://localhost/secret AQ3VfRX3_F38J3ltcmMVRg "
    + "BKuw4WxupnnrZHqk6vCwoms4tOpitZMvFdR9eAn54yOPY4q9jpXOpl-Ui_FwbIy8ZbFCnuaS7RnO02ahuL4XxIM";

  test("of Web Push have the drafts' text and binary form", () => {
    const token = parseDeviceToken(WEB_PUSH);
    if (token.provider !== "webpush") throw new Error("not Web Push");
    expect([token.host, token.port, token.path]).toStrictEqual(["localhost", "", "/secret"]);
    expect([endpointOf(token), originOf(token)]).toStrictEqual(["https://localhost/secret", "https://localhost"]);
    expect(formatDeviceToken(token).replaceAll("=", "")).toBe(WEB_PUSH);
    const place = `${hex(utf8("WP"))}09${hex(utf8("localhost"))}0007${hex(utf8("/secret"))}`;
    const wire = `${place}10${hex(token.auth)}41${hex(token.p256dh)}`;
    expect(hex(encode(deviceTokenCodec, token))).toBe(wire);
    const withPort = webPushToken("https://push.example.org:8443/a/b?c=d&e", token.auth, token.p256dh);
    expect([withPort.host, withPort.port, withPort.path]).toStrictEqual(["push.example.org", "8443", "/a/b?c=d&e"]);
  });

  test.each([
    "", "apns_prod", "apns_prod ", "apns_prod abc", "apns_prod AB", "apns_prod zz", "apns_prod ab cd",
    "apns_other ab", "apns_null other",
    "apns_prod ../../x", "apns_prod test_ntf_token", "fcm", "fcm a/b", "fcm a b", "constructor ab", "__proto__ ab",
    WEB_PUSH.replace("https", "http"), WEB_PUSH.replace("localhost", ""), WEB_PUSH.replace("localhost", "localhost:"),
    WEB_PUSH.replace("localhost", "localhost:0"), WEB_PUSH.replace("localhost", "localhost:65536"),
    WEB_PUSH.replace("localhost", "a@b"),
    WEB_PUSH.replace("localhost", "[::1]"), WEB_PUSH.replace("localhost", "a\\b"), WEB_PUSH.replace("/secret", ""),
    WEB_PUSH.replace("/secret", "/a#b"), WEB_PUSH.replace("/secret", "/a\u0000b"), WEB_PUSH.replace("/secret", "/ä"),
    WEB_PUSH.replace("/secret", "/\r\nx"),
    WEB_PUSH.replace("AQ3V", ""), WEB_PUSH.replace(" BKuw", " AKuw"), WEB_PUSH.replace("XxIM", ""), `${WEB_PUSH} x`,
  ])("that are none are refused: %j", (line) => {
    expect(() => parseDeviceToken(line)).toThrow(TokenError);
  });

  test("nothing that a token's URL is made of can stand for another host, path or header", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      const point = Uint8Array.of(4, ...new Uint8Array(64));
      const make = (): string => endpointOf(webPushToken(`https://${text}`, new Uint8Array(16), point));
      let endpoint: string;
      try {
        endpoint = make();
      } catch (error) {
        expect(error).toBeInstanceOf(TokenError);
        return;
      }
      expect(endpoint).toMatch(/^[!-~]+$/);
      const url = new URL(endpoint);
      expect([url.username, url.password, url.hash, url.protocol]).toStrictEqual(["", "", "", "https:"]);
    }), RUNS);
  });
});

describe("transmissions", () => {
  const params = (version: number) => ({ version, sessionId: new Uint8Array(32).fill(3) });

  test("send the session id at version 1, imply it later, and never have room for a service", () => {
    fc.assert(fc.property(ntfVersion, bytes(0, 40), bytes(0, 40), bytes(0, 80), (version, corrId, entityId, command) => {
      const authorized = authorizedBytes(params(version).sessionId, corrId, entityId, command);
      const signature = new Uint8Array(64).fill(1);
      const written = encodeNtfTransmission(params(version), authorized, signature);
      expect(written).toHaveLength(1 + 64 + (version === 1 ? 33 : 0) + 2 + corrId.length + entityId.length + command.length);
      expect(readNtfTransmission(params(version), written)).toStrictEqual({
        authorization: { kind: "Ed25519", bytes: signature },
        serviceSig: null,
        corrId,
        entityId,
        command,
        authorized,
      });
    }), RUNS);
  });

  test("of another session are refused at version 1", () => {
    const other = authorizedBytes(new Uint8Array(32).fill(4), Uint8Array.of(7), EMPTY, utf8("PING"));
    const written = encodeNtfTransmission({ version: 1, sessionId: new Uint8Array(32).fill(4) }, other, null);
    expect(() => readNtfTransmission(params(1), written)).toThrow(TransmissionError);
  });

  test("are packed into as few blocks as there is room, at version 1 one in each", () => {
    const pieces = Array.from({ length: 20 }, (_, i) => new Uint8Array(100).fill(i));
    expect(packNtf(1, pieces)).toStrictEqual(pieces);
    const packed = packNtf(2, pieces);
    expect(packed).toHaveLength(5);
    for (const content of packed) expect(ntfBlock(content)).toHaveLength(512);
    expect(packed.flatMap((content) => readNtfContent(2, openNtfBlock(ntfBlock(content))))).toStrictEqual(pieces);
  });

  test("fill a block to the last byte, and no further", () => {
    for (const [version, most] of [[1, 510], [2, 491], [3, 491]] as const) {
      const [content] = packNtf(version, [new Uint8Array(most)]);
      expect(ntfBlock(content ?? EMPTY)).toHaveLength(512);
      expect(fitsNtfBlock(version, new Uint8Array(most))).toBe(true);
      expect(fitsNtfBlock(version, new Uint8Array(most + 1))).toBe(false);
      expect(() => packNtf(version, [new Uint8Array(most + 1)])).toThrow(EncodeError);
    }
  });

  test.each([[24, 216], [1, 239]])("with a corrId of %i bytes TNEW has room for %i characters of an endpoint", (corrIdLength, most) => {
    const fits = (length: number): boolean => {
      const host = "updates.push.services.mozilla.com";
      const endpoint = `https://${host}/${"x".repeat(length - host.length - 1)}`;
      const token = webPushToken(endpoint, new Uint8Array(16), Uint8Array.of(4, ...new Uint8Array(64)));
      const verifyKey = generateKeyPair("Ed25519").publicKey;
      const command = encodeNtfCommand({ tag: "TNEW", token, verifyKey, dhKey: generateKeyPair("X25519").publicKey }, 3);
      const authorized = authorizedBytes(params(3).sessionId, new Uint8Array(corrIdLength), EMPTY, command);
      return fitsNtfBlock(3, encodeNtfTransmission(params(3), authorized, new Uint8Array(64)));
    };
    expect([fits(most), fits(most + 1)]).toStrictEqual([true, false]);
  });

  test("blocks of another size are none", () => {
    for (const length of [0, 1, 2, 511, 513, 16_384]) expect(() => openNtfBlock(new Uint8Array(length))).toThrow(PaddingError);
    expect(() => openNtfBlock(new Uint8Array(512).fill(0xff))).toThrow(PaddingError);
  });
});

describe("hellos", () => {
  test("a web client is shown who answers, in the same hello that others read", () => {
    const leaf = generateKeyPair("Ed25519");
    const [challenge, sessionId] = [randomBytes(32), randomBytes(32)];
    expect(findChallenge(challengeQuery(challenge))).toStrictEqual(challenge);
    const hello = {
      versions: { min: 1, max: 3 },
      sessionId,
      signedKey: randomBytes(122),
      webIdentityProof: proveWebIdentity(leaf.secretKey, challenge, sessionId),
    };
    const written = encode(ntfServerHello, hello);
    expect(readNtfServerHello(openNtfBlock(ntfBlock(written)))).toStrictEqual(hello);
    expect(verifyWebIdentity(leaf.publicKey, challenge, sessionId, hello.webIdentityProof)).toBe(true);
    const plain = encode(ntfServerHello, { ...hello, webIdentityProof: null });
    expect(written.subarray(0, plain.length)).toStrictEqual(plain);
  });

  test("what follows a hello belongs to later versions", () => {
    const [sessionId, signedKey] = [randomBytes(32), randomBytes(122)];
    const hello = { versions: { min: 1, max: 9 }, sessionId, signedKey, webIdentityProof: null };
    const written = encode(ntfServerHello, hello);
    expect(readNtfServerHello(concat(written, Uint8Array.of(200, 1, 2)))).toStrictEqual(hello);
    expect(readNtfClientHello(concat(Uint8Array.of(0, 3, 32), new Uint8Array(32), Uint8Array.of(1, 2, 3))).version).toBe(3);
  });
});

