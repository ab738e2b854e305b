import { describe, expect, test } from "vitest";
import { base64url, concat, equal, fromHex, hex, utf8 } from "#crypto/bytes";
import { fingerprint, readCertificate } from "#crypto/certificate";
import { dh } from "#crypto/keys";
import { authContext, authorize, isAuthorizedBy, verifyDummy } from "#protocol/authorize";
import { encode } from "#protocol/codec";
import { openNotification } from "#protocol/message";
import {
  encodeNtfTransmission,
  ntfBlock,
  openNtfBlock,
  packNtf,
  readNtfContent,
  readNtfTransmission,
} from "#protocol/ntf/block";
import { decodeNtfAnswer, decodeNtfCommand, encodeNtfAnswer, encodeNtfCommand, type NtfAnswer } from "#protocol/ntf/commands";
import {
  ntfClientHello,
  ntfServerHello,
  readNtfClientHello,
  readNtfServerHello,
  verifyNtfServerHello,
} from "#protocol/ntf/handshake";
import {
  formatMessageNotification,
  formatMessages,
  openNotificationData,
  parseMessages,
  sealMessages,
  sealVerification,
} from "#protocol/ntf/notification";
import { formatNtfQueue, parseNtfQueue } from "#protocol/ntf/queue";
import { formatDeviceToken, parseDeviceToken } from "#protocol/ntf/token";
import { authorizedBytes } from "#protocol/transmission";
import { ntf, ntfAnswerFrom, ntfCommandFrom, type PushJson } from "../support/ntf-vectors.ts";
import { authKeyFrom, x25519From } from "../support/vectors.ts";

const titled = <T extends { readonly tag: string }>(entries: readonly T[]): [string, T][] =>
  entries.map((entry, i) => [`${entry.tag} (${i})`, entry]);

describe("commands are written and read as by the official code", () => {
  const entries = ntf.commands.map(({ command, encodings }) => ({ tag: command.tag, json: command, encodings }));
  test.each(titled(entries))("%s", (_, { json, encodings }) => {
    const command = ntfCommandFrom(json);
    for (const { hex: bytes, versions } of encodings) {
      for (const version of versions) {
        expect(hex(encodeNtfCommand(command, version))).toBe(bytes);
        expect(decodeNtfCommand(fromHex(bytes), version)).toStrictEqual(command);
      }
    }
  });

  test("and none is missing", () => {
    expect(new Set(entries.map(({ tag }) => tag))).toStrictEqual(
      new Set(["TNEW", "TVFY", "TCHK", "TRPL", "TDEL", "TCRN", "SNEW", "SCHK", "SDEL", "PING"]),
    );
  });

  test("tokens and queues have the official text forms", () => {
    const tokens = ntf.commands.flatMap(({ command }) => command.token ?? []);
    expect(tokens.length).toBeGreaterThan(8);
    for (const { text, provider, token } of tokens) {
      expect(parseDeviceToken(text)).toStrictEqual({ provider, token });
      expect(formatDeviceToken(parseDeviceToken(text))).toBe(text);
    }
    for (const { queue } of ntf.commands.flatMap(({ command }) => command)) {
      if (queue !== undefined) expect(formatNtfQueue(parseNtfQueue(queue))).toBe(queue);
    }
  });
});

describe("answers are written and read as by the official code", () => {
  const reduced = (answer: NtfAnswer, version: number): NtfAnswer =>
    answer.tag === "TKN" && version < 3 && answer.status.startsWith("INVALID") ? { ...answer, status: "INVALID" } : answer;
  const entries = ntf.responses.map(({ response, encodings }) => ({ tag: response.tag, json: response, encodings }));
  test.each(titled(entries))("%s", (_, { json, encodings }) => {
    const answer = ntfAnswerFrom(json);
    for (const { hex: bytes, versions } of encodings) {
      for (const version of versions) {
        expect(hex(encodeNtfAnswer(answer, version))).toBe(bytes);
        expect(decodeNtfAnswer(fromHex(bytes), version)).toStrictEqual(reduced(answer, version));
      }
    }
  });
});

test.each(ntf.serverHellos)("the server's hello that offers versions up to $maxVersion", (entry) => {
  const hello = readNtfServerHello(fromHex(entry.hex));
  expect(hello).toStrictEqual({
    versions: { min: entry.minVersion, max: entry.maxVersion },
    sessionId: fromHex(entry.sessionId),
    signedKey: entry.signedKeyDer === null ? null : fromHex(entry.signedKeyDer),
    webIdentityProof: null,
  });
  expect(hex(encode(ntfServerHello, hello))).toBe(entry.hex);
  const leaf = readCertificate(fromHex(entry.leafDer)).publicKey;
  const key = verifyNtfServerHello(hello, leaf as never);
  const session = ntf.transmissions.map(({ serverSessionKey }) => x25519From(serverSessionKey).publicKey)[0];
  expect(key).toStrictEqual(entry.maxVersion >= 2 ? session : null);
  const ca = readCertificate(fromHex(entry.caDer)).publicKey;
  if (key) expect(() => verifyNtfServerHello(hello, ca as never), "signed by another key").toThrow("signature");
  expect(fingerprint(fromHex(entry.caDer))).toHaveLength(32);
});

test.each(ntf.clientHellos)("the client's hello for version $version", ({ hex: bytes, keyHash, version }) => {
  const hello = { version, keyHash: fromHex(keyHash) };
  expect(hex(encode(ntfClientHello, hello))).toBe(bytes);
  expect(readNtfClientHello(fromHex(bytes))).toStrictEqual(hello);
});

describe("transmissions and their blocks", () => {
  test.each(ntf.transmissions.map((entry) => ({ ...entry, by: entry.key?.algorithm ?? "nobody" })))(
    "v$version $command by $by",
    (entry) => {
      const params = { version: entry.version, sessionId: fromHex(entry.sessionId) };
      const [corrId, entityId] = [fromHex(entry.corrId), fromHex(entry.entityId)];
      const read = readNtfTransmission(params, fromHex(entry.transmission));
      expect([read.corrId, read.entityId].map(hex)).toStrictEqual([entry.corrId, entry.entityId]);
      expect(read.serviceSig).toBeNull();
      expect(hex(read.authorized)).toBe(entry.authorized);
      const command = decodeNtfCommand(read.command, entry.version);
      expect(command.tag).toBe(entry.command);

      const server = x25519From(entry.serverSessionKey);
      const key = entry.key && authKeyFrom(entry.key);
      const authorized = authorizedBytes(params.sessionId, corrId, entityId, encodeNtfCommand(command, entry.version));
      const authorization = key && authorize(key, server.publicKey, corrId, authorized);
      const transmission = encodeNtfTransmission(params, authorized, authorization);
      expect(hex(transmission)).toBe(entry.transmission);
      const contents = packNtf(entry.version, [transmission]);
      expect(contents.map(hex)).toStrictEqual([entry.block]);
      expect(hex(ntfBlock(fromHex(entry.block)))).toBe(entry.paddedBlock);
      const opened = openNtfBlock(fromHex(entry.paddedBlock));
      expect(readNtfContent(entry.version, opened).map(hex)).toStrictEqual([entry.transmission]);

      const context = authContext(read, server.secretKey, null);
      if (!entry.key) return expect(context.authorization).toBeNull();
      const publicKey = { algorithm: entry.key.algorithm, raw: fromHex(entry.key.key.public.raw) };
      expect(isAuthorizedBy(context, publicKey)).toBe(true);
      expect(isAuthorizedBy({ ...context, authorized: concat(context.authorized, Uint8Array.of(1)) }, publicKey)).toBe(false);
      expect(verifyDummy(context)).toBe(false);
    },
  );
});

const pushes = ntf.push.map((entry) => ({ ...entry, count: entry.messages.length }));

describe.each(pushes)("a push about $count messages", (entry: PushJson) => {
  const [server, device] = [x25519From(entry.ntfServerKey), x25519From(entry.tokenKey)];
  const secret = dh(device.secretKey, server.publicKey);
  const nonce = fromHex(entry.nonce);
  const messages = entry.messages.map(({ queue, timestampSeconds: ts, nonce: inner, encMeta }) => ({
    queue: parseNtfQueue(queue),
    ts,
    nonce: fromHex(inner),
    encMeta: fromHex(encMeta),
  }));

  test("both sides have the secret", () => {
    expect(hex(secret)).toBe(entry.dhSecret);
    expect(equal(dh(server.secretKey, device.publicKey), secret)).toBe(true);
  });

  test("the list is the official text", () => {
    expect(messages.map(formatMessageNotification)).toStrictEqual(entry.messages.map(({ text }) => text));
    expect(formatMessages(messages)).toBe(entry.plaintext);
    expect(parseMessages(entry.plaintext)).toStrictEqual(messages);
    expect(entry.messages.map(({ notifierId }) => notifierId)).toStrictEqual(messages.map(({ queue }) => hex(queue.notifierId)));
  });

  test("it is sealed to the same bytes and opened again", () => {
    const data = sealMessages(secret, nonce, messages, entry.paddedLength);
    expect(data).toStrictEqual(entry.notificationData);
    expect(openNotificationData(secret, entry.notificationData)).toStrictEqual({ type: "messages", messages });
  });

  test("so is the verification code", () => {
    const code = fromHex(entry.verificationCode);
    expect(sealVerification(secret, nonce, code, entry.paddedLength)).toStrictEqual(entry.verificationData);
    expect(openNotificationData(secret, entry.verificationData)).toStrictEqual({ type: "verification", code });
    expect(base64url(nonce)).toBe(entry.verificationData.nonce);
  });

  test("each recipient opens what is said of its message", () => {
    for (const { rcvNtfKey, serverNtfKey, nonce: inner, encMeta, msgId, meta } of entry.messages) {
      const own = dh(x25519From(rcvNtfKey).secretKey, x25519From(serverNtfKey).publicKey);
      const opened = openNotification(own, fromHex(inner), fromHex(encMeta));
      expect(hex(opened.msgId)).toBe(msgId);
      expect(opened.ts).toBe(Number.parseInt(meta.slice(50), 16));
    }
    expect(utf8(entry.plaintext).length).toBeLessThanOrEqual(entry.paddedLength - 2);
  });
});
