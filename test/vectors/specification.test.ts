import { describe, expect, test } from "vitest";
import { concat, EMPTY, fromHex, hex, utf8 } from "#crypto/bytes";
import { md5, sha256, sha3_384 } from "#crypto/hash";
import { dh, keyPairOf, type SecretKey } from "#crypto/keys";
import { signKey, verifySignedKey } from "#crypto/signed-key";
import { authContext, authorize, isAuthorizedBy } from "#protocol/authorize";
import { chainKeys, clearBlock, openBlock, openClearBlock, sealBlock } from "#protocol/block";
import { encode } from "#protocol/codec";
import { type Command, decodeCommand, decodeMessage, encodeCommand, encodeMessage, err } from "#protocol/commands";
import { challengeQuery, clientHello, findChallenge, proveWebIdentity, verifyWebIdentity } from "#protocol/handshake";
import { openReceivedMessage, receivedMessage, sealNotification, sealReceivedMessage } from "#protocol/message";
import { authorizedBytes, encodeBatch, encodeTransmission, readTransmission } from "#protocol/transmission";

// The worked examples of the specification: byte strings that count upwards stand for keys and ids.

function counting(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => from + i);
}

function x25519(from: number): SecretKey<"X25519"> {
  return { algorithm: "X25519", secret: counting(from, 32) };
}

function ed25519(from: number): SecretKey<"Ed25519"> {
  return { algorithm: "Ed25519", secret: counting(from, 32) };
}

const sessionId = counting(0xa0, 32);
const corrId = counting(0x30, 24);
const entityId = counting(0x60, 24);
const router = keyPairOf(x25519(0x01));
const client = keyPairOf(x25519(0x21));
const leaf = keyPairOf(ed25519(0xc1));
const X25519_SPKI = "302a300506032b656e032100";

describe("transport: the signed session key", () => {
  // The example's key stands bare; official routers put it into one more SEQUENCE, which the vectors show.
  const bare = "3076302a300506032b656e03210007a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c"
    + "300506032b657003410035364c2f0c71b0737d3b97cef57b1f9f51f3f2ab92c803bb3e97e4048d18e6dcb145374c45a8"
    + "135a0828dde3f28e33d67fe6425f57686e1ba292a6a32232460d";

  test("a bare key is accepted", () => {
    expect(verifySignedKey(fromHex(bare), leaf.publicKey, "X25519")).toStrictEqual(router.publicKey);
  });

  test("ours is wrapped: two bytes longer, three where the length needs one more", () => {
    const ed448 = keyPairOf({ algorithm: "Ed448", secret: counting(1, 57) });
    const byEd25519 = signKey(router.publicKey, leaf.secretKey);
    expect(byEd25519).toHaveLength(122);
    expect(verifySignedKey(byEd25519, leaf.publicKey, "X25519")).toStrictEqual(router.publicKey);
    const byEd448 = signKey(router.publicKey, ed448.secretKey);
    expect(byEd448).toHaveLength(173);
    expect(verifySignedKey(byEd448, ed448.publicKey, "X25519")).toStrictEqual(router.publicKey);
  });
});

describe("transport: hellos", () => {
  test("the challenge in the query", () => {
    const query = "?challenge=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    expect(challengeQuery(counting(0, 32))).toBe(query);
    expect(findChallenge(`/any/path${query}`)).toStrictEqual(counting(0, 32));
    expect(findChallenge(`/${query}&challenge=x`)).toStrictEqual(counting(0, 32));
    for (const bad of ["/", "/?challenge=", `/${query}A`, `/${query}=`, `/${query.slice(0, -1)}`, "/?challenge=%20"]) {
      expect(findChallenge(bad), bad).toBeNull();
    }
    expect(findChallenge(`/?challenge=x&${query.slice(1)}`), "only the first occurrence counts").toBeNull();
  });

  test("the identity proof", () => {
    const proof = "54692c932437e9c922fd18d1594309781ad8d4773f2bc9fa17aa8fa70047ea92"
      + "79926e5ade44aa060bf744df7addd1c43cafea955de65af125063dcdfc23640e";
    expect(hex(proveWebIdentity(leaf.secretKey, counting(0, 32), sessionId))).toBe(proof);
    expect(verifyWebIdentity(leaf.publicKey, counting(0, 32), sessionId, fromHex(proof))).toBe(true);
    expect(verifyWebIdentity(leaf.publicKey, counting(1, 32), sessionId, fromHex(proof))).toBe(false);
  });

  test("client hellos of v19 and v6", () => {
    const hello = {
      keyHash: counting(0xe0, 32),
      authPubKey: client.publicKey,
      proxyServer: false,
      service: null,
    };
    const v19 = encode(clientHello, { ...hello, version: 19 });
    const key = hex(client.publicKey.raw);
    expect(hex(v19)).toBe(`001320${hex(hello.keyHash)}2c${X25519_SPKI}${key}4630`);
    expect(v19).toHaveLength(82);
    const v6 = encode(clientHello, { ...hello, version: 6 });
    expect(hex(v6)).toBe(`000620${hex(hello.keyHash)}`);
    expect(v6).toHaveLength(35);
  });
});

const pingContent = "01001f0018303132333435363738393a3b3c3d3e3f40414243444546470050494e47";

describe("transport: blocks", () => {
  const secret = dh(client.secretKey, router.publicKey);
  const { routerToClient, clientToRouter } = chainKeys(sessionId, secret);

  test("keys of the example", () => {
    expect(hex(router.publicKey.raw)).toBe("07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c");
    expect(hex(client.publicKey.raw)).toBe("5869aff450549732cbaaed5e5df9b30a6da31cb0e5742bad5ad4a1a768f1a67b");
    expect(hex(secret)).toBe("a84dc7c3c8f058b1b2dc4cd1e9b5dc0a7987f88b6a9564cde3391fc421159e77");
    expect(hex(routerToClient)).toBe("4069d790fc04c703179b57b906021e73fd68ee50dc6af4bc239c5d12ae85a692");
    expect(hex(clientToRouter)).toBe("5e1f34bb33bb8630d93b5c029a50725f137ada37b7521cd86b6fcc5e4e3d457f");
  });

  test("the first block from the client", () => {
    const { block, next } = sealBlock(clientToRouter, fromHex(pingContent));
    expect(block).toHaveLength(16_384);
    expect(hex(next)).toBe("eca60a7e249855c9167dc060ce952611770d7e386047b8eb1aa7c7b1181b0f05");
    expect(hex(block.slice(0, 32))).toBe("4e7b25ea4ddf794dfa8fd981ddc3100bbf0630df2c312a6b4936d520495c5fbd");
    expect(hex(sha256(block))).toBe("f78519d5a91f516f42f4d8f6556fa4efde930a5243f2eaecb622475da6459de7");
    expect(hex(openBlock(clientToRouter, block).content())).toBe(pingContent);
  });

  test("the same in clear", () => {
    const block = clearBlock(fromHex(pingContent));
    expect(hex(block.slice(0, 38))).toBe(`0022${pingContent}2323`);
    expect(hex(openClearBlock(block))).toBe(pingContent);
  });
});

describe("transport: transmissions", () => {
  const v16 = { version: 16, sessionId };
  const sub = authorizedBytes(sessionId, corrId, entityId, utf8("SUB"));

  test("PING and PONG", () => {
    const ping = authorizedBytes(sessionId, corrId, EMPTY, encodeCommand({ tag: "PING" }, 16));
    const transmission = encodeTransmission(v16, ping, null, null);
    expect(transmission).toHaveLength(31);
    expect(hex(encodeBatch([transmission]))).toBe(pingContent);
    const pong = authorizedBytes(sessionId, corrId, EMPTY, encodeMessage({ tag: "PONG" }, 16));
    expect(hex(encodeTransmission(v16, pong, null, null))).toBe(`0018${hex(corrId)}00504f4e47`);
  });

  test("what is authorized", () => {
    expect(sub).toHaveLength(86);
    expect(hex(sub)).toBe(`20${hex(sessionId)}18${hex(corrId)}18${hex(entityId)}535542`);
  });

  test("a signature, and the transmission around it in three layouts", () => {
    const key = keyPairOf(ed25519(0x81));
    const signature = "33bb3918df6150591a9e2a27ef2a3e1a793150ab5e9ba86e88ed5ee400a91b82"
      + "26f70c0f757cc2a90c9ea3c74205ee4a8ba598692c8221b184e0218dae268402";
    expect(hex(key.publicKey.raw)).toBe("020bd427446b723424d80d2cad352ba3df3649d0ef8faae0ca7eb25443941b29");
    const authorization = authorize(key.secretKey, null, corrId, sub);
    expect(hex(authorization)).toBe(signature);
    const rest = `18${hex(corrId)}18${hex(entityId)}535542`;
    for (
      const [version, expected, length] of [
        [16, `40${signature}30${rest}`, 119],
        [15, `40${signature}${rest}`, 118],
        [6, `40${signature}20${hex(sessionId)}${rest}`, 151],
      ] as const
    ) {
      const transmission = encodeTransmission({ version, sessionId }, sub, authorization, null);
      expect(hex(transmission)).toBe(expected);
      expect(transmission).toHaveLength(length);
      const context = authContext(readTransmission({ version, sessionId }, transmission), null, null);
      expect(isAuthorizedBy(context, key.publicKey)).toBe(true);
    }
  });

  test("an authenticator", () => {
    const key = keyPairOf(x25519(0x41));
    const authenticator = "08ec566e916aaf2a453b00559b2bab36038f76643094a5e34c7c8058fc122fcbd7e8e14c454d3f84"
      + "b498c8ffc2bac3a54115acf629b70dba99e0e82afc988e81bec5272207040fcd3dbf4f3a3b7a0491";
    expect(hex(key.publicKey.raw)).toBe("64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d48466");
    const authorization = authorize(key.secretKey, router.publicKey, corrId, sub);
    expect(hex(authorization)).toBe(authenticator);
    const transmission = encodeTransmission(v16, sub, authorization, null);
    expect(transmission).toHaveLength(135);
    const read = readTransmission(v16, transmission);
    expect(isAuthorizedBy(authContext(read, router.secretKey, null), key.publicKey)).toBe(true);
    expect(isAuthorizedBy(authContext(read, null, null), key.publicKey), "a v6 router has no key").toBe(false);
  });
});

describe("commands", () => {
  test("NEW of v17", () => {
    const command: Command = {
      tag: "NEW",
      rcvAuthKey: keyPairOf(ed25519(0x81)).publicKey,
      rcvDhKey: client.publicKey,
      basicAuth: null,
      subscribe: true,
      queueReqData: { mode: "messaging", data: null },
      ntfCreds: null,
    };
    const bytes = encodeCommand(command, 17);
    expect(bytes).toHaveLength(100);
    const auth = `2c302a300506032b6570032100${hex(command.rcvAuthKey.raw)}`;
    expect(hex(bytes)).toBe(`4e455720${auth}2c${X25519_SPKI}${hex(client.publicKey.raw)}3053314d3030`);
    expect(decodeCommand(bytes, 17)).toStrictEqual(command);
  });

  test("the sender id that a client chooses", () => {
    expect(hex(sha3_384(corrId)).startsWith("30195dcc8969a3d020b2060b636820e1fbf7c447a408059a")).toBe(true);
  });

  test("SUBS with the hash of two queues", () => {
    const idsHash = md5(counting(0x60, 24)).map((byte, i) => byte ^ (md5(counting(0x61, 24))[i] ?? 0));
    const bytes = encodeCommand({ tag: "SUBS", queues: { count: 2, idsHash } }, 19);
    expect(hex(bytes)).toBe("5355425320000000000000000210211459469a3d54707425604df4a1309b");
    expect(decodeCommand(bytes, 19)).toStrictEqual({ tag: "SUBS", queues: { count: 2, idsHash } });
  });

  test("PRXY", () => {
    const server = { hosts: ["smp.example.org"], port: "5223", keyHash: counting(0xe0, 32) };
    const bytes = encodeCommand({ tag: "PRXY", server, basicAuth: null }, 19);
    expect(bytes).toHaveLength(61);
    const [host, port] = [hex(utf8("smp.example.org")), hex(utf8("5223"))];
    expect(hex(bytes)).toBe(`5052585920010f${host}04${port}20${hex(server.keyHash)}30`);
    expect(decodeCommand(bytes, 19)).toStrictEqual({ tag: "PRXY", server, basicAuth: null });
  });

  test("SEND begins with its flags", () => {
    const bytes = encodeCommand({ tag: "SEND", notification: true, body: EMPTY }, 19);
    expect(hex(bytes)).toBe("53454e44205420");
  });

  test("ERR", () => {
    expect(hex(encodeMessage(err({ type: "AUTH" }), 19))).toBe("4552522041555448");
    const broker = { type: "BROKER", brokerErr: { type: "RESPONSE", respErr: "BLOCK" } } as const;
    const bytes = concat(utf8("ERR PROXY BROKER RESPONSE "), Uint8Array.of(5), utf8("BLOCK"));
    expect(hex(encodeMessage(err({ type: "PROXY", proxyErr: broker }), 19))).toBe(hex(bytes));
    expect(decodeMessage(bytes, 19)).toStrictEqual(err({ type: "PROXY", proxyErr: broker }));
    const noQueue = decodeMessage(utf8("ERR CMD NO_QUEUE"), 19);
    expect(noQueue, "as old routers say it").toStrictEqual(err({ type: "CMD", cmdErr: { type: "NO_ENTITY" } }));
  });
});

describe("commands: what recipients and notifiers get", () => {
  const recipient = keyPairOf(x25519(0x51));
  const routerDh = keyPairOf(x25519(0x91));
  const secret = dh(recipient.secretKey, routerDh.publicKey);
  const [msgId, ts] = [counting(0x10, 24), 0x66600000];

  test("MSG", () => {
    expect(hex(routerDh.publicKey.raw)).toBe("9cced751b301bbd16c4fb8deddd82f18925d71ed90c844fa0158f845b0fa7f4b");
    expect(hex(secret)).toBe("5ec09d045fb0da066bd4bf60a315032f2952b69569a534e7fbaf860bd795e539");
    const message = { type: "message", ts, notification: true, body: utf8("hello") } as const;
    expect(hex(encode(receivedMessage, message))).toBe("0000000066600000542068656c6c6f");
    const encBody = sealReceivedMessage(secret, msgId, message);
    expect(encBody).toHaveLength(16_122);
    expect(hex(encBody.slice(0, 16))).toBe("7cc85d331a0a489f727d2799f6a2b1be");
    expect(hex(sha256(encBody))).toBe("1df5c2167efae45d101d7b8a682e171797ebc3363b99f600700016af9a7f6e7a");
    expect(openReceivedMessage(secret, msgId, encBody)).toStrictEqual(message);
    const msg = encodeMessage({ tag: "MSG", msgId, encBody }, 19);
    expect(msg).toHaveLength(16_151);
    expect(hex(msg.slice(0, 5))).toBe("4d53472018");
  });

  test("NMSG", () => {
    const nonce = counting(0xb0, 24);
    const encMeta = sealNotification(secret, nonce, { msgId, ts });
    const bytes = encodeMessage({ tag: "NMSG", nonce, encMeta }, 19);
    expect(bytes).toHaveLength(174);
    expect(hex(bytes).startsWith(`4e4d534720${hex(nonce)}90779bc7d1f53592108fdec34898a9454f`)).toBe(true);
    expect(hex(bytes).endsWith("42bc218d")).toBe(true);
  });
});
