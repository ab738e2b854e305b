import { describe, expect, test } from "vitest";
import { concat, EMPTY, fromHex, hex, reverse } from "#crypto/bytes";
import { dh, keyPairOf } from "#crypto/keys";
import { authContext, authorize, authorizeAsService, isAuthorizedBy, isServiceSigned } from "#protocol/authorize";
import { decode, encode } from "#protocol/codec";
import { decodeCommand, decodeMessage, encodeCommand, encodeMessage } from "#protocol/commands";
import {
  fwdResponse,
  fwdTransmission,
  openForwarded,
  openForwardedResponse,
  openRfwd,
  openRres,
  sealForwarded,
  sealForwardedResponse,
  sealRfwd,
  sealRres,
} from "#protocol/commands/proxy";
import {
  notificationMeta,
  openNotification,
  openReceivedMessage,
  type ReceivedMessage,
  receivedMessage,
  sealNotification,
  sealReceivedMessage,
} from "#protocol/message";
import {
  authorizedBytes,
  encodeBatch,
  encodeTransmission,
  packBatches,
  readBatch,
  readTransmission,
} from "#protocol/transmission";
import { verify } from "#crypto/keys";
import { authKeyFrom, wire, x25519From } from "../support/vectors.ts";

describe("transmissions of clients", () => {
  test.each(wire.transmissions)("v$version $command", (entry) => {
    const params = { version: entry.version, sessionId: fromHex(entry.sessionId) };
    const [corrId, entityId] = [fromHex(entry.corrId), fromHex(entry.entityId)];
    const command = fromHex(entry.commandHex);
    const authorized = authorizedBytes(params.sessionId, corrId, entityId, command);
    expect(hex(authorized)).toBe(entry.authorized);

    const router = x25519From(entry.serverSessionKey);
    const service = entry.service && {
      fingerprint: fromHex(entry.service.certFingerprint),
      sessionKey: { algorithm: "Ed25519" as const, secret: fromHex(entry.service.key.private.raw) },
    };
    const key = entry.key && authKeyFrom(entry.key);
    const signed = service && authorizeAsService(service, authorized);
    const authorization = key && authorize(key, router.publicKey, corrId, signed?.message ?? authorized);
    const transmission = encodeTransmission(params, authorized, authorization, signed?.serviceSig ?? null);
    expect(hex(transmission)).toBe(entry.transmission);
    expect(hex(encodeBatch([transmission]))).toBe(entry.batchBlock);

    expect(readBatch(fromHex(entry.batchBlock)).map(hex)).toStrictEqual([entry.transmission]);
    const read = readTransmission(params, fromHex(entry.transmission));
    expect(hex(read.authorized)).toBe(entry.authorized);
    expect([read.corrId, read.entityId, read.command].map(hex)).toStrictEqual(
      [entry.corrId, entry.entityId, entry.commandHex],
    );
    expect(read.authorization?.kind).toBe(entry.key?.algorithm);
    expect(hex(encodeCommand(decodeCommand(command, entry.version), entry.version))).toBe(entry.commandHex);

    if (!entry.key || !key) return;
    const publicKey = { algorithm: entry.key.algorithm, raw: fromHex(entry.key.key.public.raw) };
    const context = authContext(read, router.secretKey, service?.fingerprint ?? null);
    expect(isAuthorizedBy(context, publicKey)).toBe(true);
    const stranger = { algorithm: entry.key.algorithm, raw: fromHex(entry.key.key.public.raw).fill(9, 3, 8) };
    expect(isAuthorizedBy(context, stranger), "another key").toBe(false);
    const moved = { ...context, authorized: concat(context.authorized, Uint8Array.of(0)) };
    expect(isAuthorizedBy(moved, publicKey), "other bytes").toBe(false);
    if (!service || !entry.service) return;
    expect(isServiceSigned(decodeCommand(command, entry.version).tag as "SUB")).toBe(true);
    const serviceKey = { algorithm: "Ed25519" as const, raw: fromHex(entry.service.key.public.raw) };
    expect(verify(serviceKey, read.authorized, read.serviceSig ?? EMPTY)).toBe(true);
    const unbound = authContext(read, router.secretKey, null);
    expect(isAuthorizedBy(unbound, publicKey), "without the service's fingerprint").toBe(false);
  });
});

test.each(wire.brokerTransmissions)("transmissions of routers: v$version $message", (entry) => {
  const params = { version: entry.version, sessionId: fromHex(entry.sessionId) };
  const read = readTransmission(params, fromHex(entry.transmission));
  expect(read.authorization).toBeNull();
  expect(read.serviceSig).toBeNull();
  expect([hex(read.corrId), hex(read.entityId)]).toStrictEqual([entry.corrId, entry.entityId]);
  const message = decodeMessage(read.command, entry.version);
  expect(entry.message.startsWith(message.tag)).toBe(true);
  const bytes = authorizedBytes(params.sessionId, read.corrId, read.entityId, encodeMessage(message, entry.version));
  expect(hex(encodeTransmission(params, bytes, null, null))).toBe(entry.transmission);
});

test.each(wire.batches)("batches: v$version $name", ({ transmissions: items, blocks }) => {
  const transmissions = items.flatMap((item) =>
    typeof item === "string" ? [item] : Array.from({ length: item.repeat }, () => item.transmission)
  );
  const packed = packBatches(transmissions.map(fromHex));
  expect(packed.map(hex)).toStrictEqual(blocks.map(({ block }) => block));
  const read = blocks.map(({ block }) => readBatch(fromHex(block)).map(hex));
  expect(read.map(({ length }) => length)).toStrictEqual(blocks.map(({ count }) => count));
  expect(read.flat()).toStrictEqual(transmissions);
});

test.each(wire.rcvMessages)("received message $msgId", (entry) => {
  const [recipient, router] = [x25519From(entry.recipientKey), x25519From(entry.serverKey)];
  const secret = dh(recipient.secretKey, router.publicKey);
  expect(hex(secret)).toBe(entry.rcvDhSecret);
  expect(hex(dh(router.secretKey, recipient.publicKey))).toBe(entry.rcvDhSecret);
  const { seconds: ts } = entry.timestamp;
  const value: ReceivedMessage = entry.quota
    ? { type: "quota", ts }
    : { type: "message", ts, notification: entry.notification ?? false, body: fromHex(entry.body ?? "") };
  expect(hex(encode(receivedMessage, value))).toBe(entry.decrypted);
  expect(decode(receivedMessage, fromHex(entry.decrypted))).toStrictEqual(value);
  expect(hex(sealReceivedMessage(secret, fromHex(entry.msgId), value))).toBe(entry.encrypted);
  expect(openReceivedMessage(secret, fromHex(entry.msgId), fromHex(entry.encrypted))).toStrictEqual(value);
});

test.each(wire.ntfMeta)("notification metadata of message $msgId", (entry) => {
  const [recipient, router] = [x25519From(entry.recipientNtfKey), x25519From(entry.serverNtfKey)];
  const secret = dh(recipient.secretKey, router.publicKey);
  expect(hex(secret)).toBe(entry.dhSecret);
  const meta = { msgId: fromHex(entry.msgId), ts: entry.timestamp.seconds };
  expect(hex(encode(notificationMeta, meta))).toBe(entry.meta);
  const [nonce, encMeta] = [fromHex(entry.nonce), fromHex(entry.encMeta)];
  expect(hex(sealNotification(secret, nonce, meta))).toBe(entry.encMeta);
  expect(openNotification(secret, nonce, encMeta)).toStrictEqual(meta);
  const message = { tag: "NMSG", nonce, encMeta } as const;
  expect(hex(encodeMessage(message, 19))).toBe(entry.NMSG);
  expect(decodeMessage(fromHex(entry.NMSG), 19)).toStrictEqual(message);
});

describe("private routing, layer by layer", () => {
  test.each(wire.proxy)("at v$version", (entry) => {
    const { version } = entry;
    const [command, proxy, relay] = [entry.commandKey, entry.proxySessionKey, entry.relaySessionKey].map(x25519From);
    if (!command || !proxy || !relay) throw new Error("incomplete vector");
    const secret = dh(command.secretKey, relay.publicKey);
    const sessionSecret = dh(proxy.secretKey, relay.publicKey);
    expect([hex(secret), hex(sessionSecret)]).toStrictEqual([entry.commandSecret, entry.sessionSecret]);
    const [corrId, proxyCorrId] = [fromHex(entry.commandNonceAndCorrId), fromHex(entry.proxyNonceAndCorrId)];

    const params = { version, sessionId: fromHex(entry.relaySessionId) };
    const key = authKeyFrom(entry.senderAuthKey);
    const send = encodeCommand({ tag: "SEND", notification: true, body: fromHex(entry.body) }, version);
    const authorized = authorizedBytes(params.sessionId, corrId, fromHex(entry.queueId), send);
    const authorization = authorize(key, relay.publicKey, corrId, authorized);
    const batch = encodeBatch([encodeTransmission(params, authorized, authorization, null)]);
    expect(hex(batch)).toBe(entry.innerBatch);

    const encTransmission = sealForwarded(secret, corrId, batch);
    expect(encTransmission).toHaveLength(entry.paddedTo + 16);
    const pfwd = { tag: "PFWD", version, key: command.publicKey, encTransmission } as const;
    expect(hex(encodeCommand(pfwd, version))).toBe(entry.PFWD);
    expect(decodeCommand(fromHex(entry.PFWD), version)).toStrictEqual(pfwd);

    const forwarded = {
      fwdCorrId: corrId,
      fwdVersion: version,
      fwdKey: command.publicKey,
      fwdTransmission: encTransmission,
    };
    expect(hex(encode(fwdTransmission, forwarded))).toBe(entry.fwdTransmission);
    const encFwdTransmission = sealRfwd(sessionSecret, proxyCorrId, forwarded);
    expect(hex(encodeCommand({ tag: "RFWD", encFwdTransmission }, version))).toBe(entry.RFWD);
    expect(openRfwd(sessionSecret, proxyCorrId, encFwdTransmission)).toStrictEqual(forwarded);
    expect(hex(openForwarded(secret, corrId, forwarded.fwdTransmission))).toBe(entry.innerBatch);
    const [inner] = readBatch(fromHex(entry.innerBatch));
    const context = authContext(readTransmission(params, inner ?? EMPTY), relay.secretKey, null);
    expect(isAuthorizedBy(context, keyPairOf(key).publicKey)).toBe(true);

    const encResponse = sealForwardedResponse(secret, corrId, fromHex(entry.innerResponseBatch));
    expect(hex(encodeMessage({ tag: "PRES", encResponse }, version))).toBe(entry.PRES);
    const response = { fwdCorrId: corrId, fwdResponse: encResponse };
    expect(hex(encode(fwdResponse, response))).toBe(entry.fwdResponse);
    const encFwdResponse = sealRres(sessionSecret, proxyCorrId, response);
    expect(hex(encodeMessage({ tag: "RRES", encFwdResponse }, version))).toBe(entry.RRES);
    expect(openRres(sessionSecret, proxyCorrId, encFwdResponse)).toStrictEqual(response);
    expect(hex(openForwardedResponse(secret, corrId, encResponse))).toBe(entry.innerResponseBatch);
    expect(() => openForwarded(secret, corrId, encResponse), "the nonce is reversed").toThrow();
    expect(hex(openForwarded(secret, reverse(corrId), encResponse))).toBe(entry.innerResponseBatch);
  });
});
