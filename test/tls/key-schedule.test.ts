import { describe, expect, test } from "vitest";
import { EMPTY, fromHex, hex } from "#crypto/bytes";
import { dh } from "#crypto/keys";
import {
  applicationSecrets,
  expandLabel,
  handshakeSecrets,
  nextSecret,
  verifyData,
} from "../../src/tls/key-schedule.ts";

const SERVER_HANDSHAKE = "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38";
const CLIENT_HANDSHAKE = "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21";
const MASTER = "18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919";
/** Hashes of the transcript up to ServerHello, and up to the server's Finished. */
const HELLO_HASH = fromHex("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8");
const FINISHED_HASH = fromHex("9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13");

// RFC 8448 section 3 has another suite, but one with SHA-256: only the lengths of its keys differ.
describe("the handshake of RFC 8448 section 3", () => {
  const shared = dh(
    { algorithm: "X25519", secret: fromHex("49af42ba7f7994852d713ef2784bcbcaa7911de26adc5642cb634540e7ea5005") },
    { algorithm: "X25519", raw: fromHex("c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f") },
  );

  test("has the handshake and master secrets of the RFC", () => {
    const { client, server, master } = handshakeSecrets(shared, HELLO_HASH);
    expect(hex(client)).toBe(CLIENT_HANDSHAKE);
    expect(hex(server)).toBe(SERVER_HANDSHAKE);
    expect(hex(master)).toBe(MASTER);
  });

  test("has the keys of the RFC", () => {
    expect(hex(expandLabel(fromHex(SERVER_HANDSHAKE), "key", EMPTY, 16))).toBe("3fce516009c21727d0f2e4e86ee403bc");
    expect(hex(expandLabel(fromHex(SERVER_HANDSHAKE), "iv", EMPTY, 12))).toBe("5d313eb2671276ee13000b30");
    expect(hex(expandLabel(fromHex(CLIENT_HANDSHAKE), "key", EMPTY, 16))).toBe("dbfaa693d1762c5b666af5d950258d01");
    expect(hex(expandLabel(fromHex(CLIENT_HANDSHAKE), "iv", EMPTY, 12))).toBe("5bd3c71b836e0b76bb73265f");
  });

  test("has the application secrets of the RFC", () => {
    const { client, server } = applicationSecrets(fromHex(MASTER), FINISHED_HASH);
    expect(hex(client)).toBe("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5");
    expect(hex(server)).toBe("a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643");
  });

  test("ends with the Finished of the RFC", () => {
    const verified = fromHex("edb7725fa7a3473b031ec8ef65a2485493900138a2b91291407d7951a06110ed");
    expect(hex(verifyData(fromHex(SERVER_HANDSHAKE), verified)))
      .toBe("9b9b141d906337fbd2cbdce71df4deda4ab42c309572cb7fffee5454b78f0718");
    expect(hex(verifyData(fromHex(CLIENT_HANDSHAKE), FINISHED_HASH)))
      .toBe("a8ec436d677634ae525ac1fcebe11a039ec17694fac6e98527b642f2edd5ce61");
  });
});

// RFC 9001 appendix A.5: QUIC takes its keys for ChaCha20-Poly1305 the same way, with labels of its own.
test("keys of 32 bytes are those of RFC 9001", () => {
  const secret = fromHex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b");
  expect(hex(expandLabel(secret, "quic key", EMPTY, 32)))
    .toBe("c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8");
  expect(hex(expandLabel(secret, "quic iv", EMPTY, 12))).toBe("e0459b3474bdd0e44a41c144");
  expect(hex(expandLabel(secret, "quic ku", EMPTY, 32)))
    .toBe("1223504755036d556342ee9361d253421a826c9ecdf3c7148684b36b714881f9");
});

test("a secret and the one after it are not the same", () => {
  const secret = fromHex(MASTER);
  expect(hex(nextSecret(secret))).toBe(hex(expandLabel(secret, "traffic upd", EMPTY, 32)));
  expect(hex(nextSecret(secret))).not.toBe(MASTER);
});
