import { describe, expect, test } from "vitest";
import { concat, fromHex, hex } from "#crypto/bytes";
import { sha3_384 } from "#crypto/hash";
import { dh } from "#crypto/keys";
import { pad, unpad } from "#crypto/pad";
import { PaddingError } from "#crypto/errors";
import { box, boxNoPad, open, openNoPad } from "#crypto/box";
import { authenticate, verifyAuthenticator } from "#crypto/authenticator";
import { reverse } from "#crypto/bytes";
import { verifyCertChainPubKey } from "#protocol/certchain";
import { certChainPubKey } from "#protocol/certchain";
import { chainKeys, clearBlock, openBlock, openClearBlock, sealBlock } from "#protocol/block";
import { decode, encode } from "#protocol/codec";
import {
  type ClientHello,
  clientHello,
  readClientHello,
  readServerHello,
  type ServerHello,
  serverHello,
  serviceResponse,
  type ServiceResponse,
  verifyWebIdentity,
} from "#protocol/handshake";
import { BLOCK_SIZE } from "#protocol/limits";
import type { TransportError } from "#protocol/errors";
import { VECTORS_MADE, wire, x25519From } from "../support/vectors.ts";

describe("padding", () => {
  test.each(wire.padding)("$plaintext to $length bytes", ({ plaintext, length, padded }) => {
    expect(hex(pad(fromHex(plaintext), length))).toBe(padded);
    expect(hex(unpad(fromHex(padded)))).toBe(plaintext);
  });

  test.each(wire.paddingErrors)("$plaintextLength bytes do not fit $length", ({ plaintextLength, length }) => {
    expect(() => pad(new Uint8Array(plaintextLength), length)).toThrow(PaddingError);
  });

  test.each(wire.unpadding)("unpadding '$padded' gives '$result'", ({ padded, result }) => {
    if (result === "CryptoInvalidMsgError") expect(() => unpad(fromHex(padded))).toThrow(PaddingError);
    else expect(hex(unpad(fromHex(padded)))).toBe(result);
  });
});

test.each(wire.cryptoBox)("crypto_box of $paddedLength bytes, from either side", (entry) => {
  const [a, b] = [x25519From(entry.keyA), x25519From(entry.keyB)];
  const secret = dh(a.secretKey, b.publicKey);
  expect(hex(secret)).toBe(entry.dh);
  expect(hex(dh(b.secretKey, a.publicKey))).toBe(entry.dh);
  const [nonce, message] = [fromHex(entry.nonce), fromHex(entry.plaintext)];
  expect(hex(reverse(nonce))).toBe(entry.reverseNonce);
  expect(hex(box(secret, nonce, message, entry.paddedLength))).toBe(entry.box);
  expect(hex(boxNoPad(secret, nonce, message))).toBe(entry.boxNoPad);
  expect(hex(open(secret, nonce, fromHex(entry.box)))).toBe(entry.plaintext);
  expect(hex(openNoPad(secret, nonce, fromHex(entry.boxNoPad)))).toBe(entry.plaintext);
});

test.each(wire.authenticators)("authenticator of '$message'", (entry) => {
  const [client, router] = [x25519From(entry.clientKey), x25519From(entry.serverKey)];
  const [nonce, message, authenticator] = [entry.nonce, entry.message, entry.authenticator].map(fromHex);
  if (!nonce || !message || !authenticator) throw new Error("incomplete vector");
  expect(hex(authenticate(client.secretKey, router.publicKey, nonce, message))).toBe(entry.authenticator);
  expect(verifyAuthenticator(router.secretKey, client.publicKey, nonce, message, authenticator)).toBe(true);
  const altered = concat(message, Uint8Array.of(0));
  expect(verifyAuthenticator(router.secretKey, client.publicKey, nonce, altered, authenticator)).toBe(false);
});

test.each(wire.clientChosenSenderId)("sender id chosen by the client for $corrId", ({ corrId, senderId }) => {
  expect(hex(sha3_384(fromHex(corrId)).slice(0, 24))).toBe(senderId);
});

describe("router hello", () => {
  test.each(wire.serverHellos)("$name, v$minVersion to v$maxVersion", (entry) => {
    const authPubKey = entry.certChainPubKey === null ? null : decode(certChainPubKey, fromHex(entry.certChainPubKey));
    const value: ServerHello = {
      versions: { min: entry.minVersion, max: entry.maxVersion },
      sessionId: fromHex(entry.sessionId),
      authPubKey,
      webIdentityProof: entry.webIdentityProof === null ? null : fromHex(entry.webIdentityProof),
    };
    expect(hex(encode(serverHello, value))).toBe(entry.hex);
    const sent = entry.maxVersion >= 19 ? value : { ...value, webIdentityProof: null };
    expect(readServerHello(fromHex(entry.hex))).toStrictEqual(sent);
    if (authPubKey) expect(hex(encode(certChainPubKey, authPubKey))).toBe(entry.certChainPubKey);
    if (entry.paddedBlock !== "") {
      expect(hex(clearBlock(fromHex(entry.hex)))).toBe(entry.paddedBlock);
      expect(hex(openClearBlock(fromHex(entry.paddedBlock)))).toBe(entry.hex);
    }
  });

  test.each(wire.serverHellos.filter(({ webIdentityProof }) => webIdentityProof !== null))(
    "$name, v$minVersion to v$maxVersion: the chain, the session key and the proof verify",
    (entry) => {
      const value = decode(certChainPubKey, fromHex(entry.certChainPubKey ?? ""));
      const { leaf } = verifyCertChainPubKey(value, "X25519", VECTORS_MADE);
      const [challenge, sessionId] = [fromHex(entry.challenge ?? ""), fromHex(entry.sessionId)];
      const proof = fromHex(entry.webIdentityProof ?? "");
      expect(verifyWebIdentity(leaf.publicKey, challenge, sessionId, proof)).toBe(true);
      expect(verifyWebIdentity(leaf.publicKey, reverse(challenge), sessionId, proof)).toBe(false);
    },
  );
});

test.each(wire.clientHellos)("client hello: $name, v$version", (entry) => {
  const { service: serviceJson, authPubKey: keyJson } = entry;
  // The vector's chain has the letter of the role in front.
  const service = serviceJson && {
    role: serviceJson.role,
    certChainPubKey: decode(certChainPubKey, fromHex(serviceJson.certChainKey.slice(2))),
  };
  const value: ClientHello = {
    version: entry.version,
    keyHash: fromHex(entry.keyHash),
    authPubKey: keyJson && { algorithm: "X25519", raw: fromHex(keyJson.raw) },
    proxyServer: entry.proxyServer,
    service,
  };
  expect(hex(encode(clientHello, value))).toBe(entry.hex);
  const sent = entry.version >= 14 ? value : { ...value, proxyServer: false };
  expect(readClientHello(fromHex(entry.hex))).toStrictEqual(sent);
});

test.each(wire.serviceHandshakeResponses)("service response $hex", ({ hex: bytes, response }) => {
  const { serviceId, error } = response;
  const value: ServiceResponse = serviceId === undefined
    ? { type: "rejected", error: error as unknown as TransportError }
    : { type: "accepted", serviceId: fromHex(serviceId) };
  expect(hex(encode(serviceResponse, value))).toBe(bytes);
  expect(decode(serviceResponse, fromHex(bytes))).toStrictEqual(value);
});

describe("block encryption", () => {
  const entry = wire.blockEncryption;
  const [client, router] = [x25519From(entry.clientKey), x25519From(entry.serverKey)];
  const secret = dh(client.secretKey, router.publicKey);
  const keys = chainKeys(fromHex(entry.sessionId), secret);

  test("both ends derive the same two chains", () => {
    expect(hex(secret)).toBe(entry.dhSecret);
    expect(hex(dh(router.secretKey, client.publicKey))).toBe(entry.dhSecret);
    expect(hex(concat(keys.routerToClient, keys.clientToRouter))).toBe(entry.chainInit);
  });

  test.each([
    { title: "client to router", start: keys.clientToRouter, steps: entry.clientToServer },
    { title: "router to client", start: keys.routerToClient, steps: entry.serverToClient },
  ])("$title, block after block", ({ start, steps }) => {
    expect(steps.length).toBeGreaterThan(0);
    let chainKey = start;
    for (const step of steps) {
      const sealed = sealBlock(chainKey, fromHex(step.plaintext));
      expect(hex(sealed.block)).toBe(step.block);
      const inner = BLOCK_SIZE - 16;
      const boxed = box(fromHex(step.secretBoxKey), fromHex(step.nonce), fromHex(step.plaintext), inner);
      expect(hex(boxed), "the step's own key and nonce").toBe(step.block);
      const opened = openBlock(chainKey, fromHex(step.block));
      expect(hex(opened.content())).toBe(step.plaintext);
      expect(opened.next).toStrictEqual(sealed.next);
      chainKey = sealed.next;
    }
  });
});
