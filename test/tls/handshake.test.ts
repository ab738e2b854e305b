import { describe, expect, test } from "vitest";
import { EMPTY, hex } from "#crypto/bytes";
import { fingerprint, issueServerCertificate } from "#crypto/certificate";
import { EXTENSION, extensions } from "../../src/tls/extensions.ts";
import { type ClientHello, numbers } from "../../src/tls/messages/client-hello.ts";
import { extension, rewriteBody, type Script, type ServerKeys, serverKeys } from "../support/tls-server.ts";
import { NOW, shake, Talk } from "../support/tls-talk.ts";

const CHANGE_CIPHER_SPEC = 20;

function expectConnected({ session, error, talk }: ReturnType<typeof shake>, keys: ServerKeys): void {
  expect(error).toBeNull();
  expect(session?.certificates).toStrictEqual(keys.chain);
  expect(session?.channelBinding.length).toBe(32);
  expect(session?.channelBinding).toStrictEqual(talk.server.clientFinished);
}

describe.each(["Ed25519", "Ed448"] as const)("a server with certificates of %s", (algorithm) => {
  const keys = serverKeys(algorithm, NOW);

  test("is connected, and both know the same channel binding", () => {
    expectConnected(shake({}, keys), keys);
  });

  test("may ask for a certificate: the client has none, and the channel binding holds", () => {
    const outcome = shake({ asksForCertificate: true }, keys);
    expectConnected(outcome, keys);
    expect(hex(outcome.talk.server.clientCertificate ?? EMPTY)).toBe("00000000");
  });
});

test("a leaf of Ed25519 may be under an identity of Ed448", () => {
  const keys = serverKeys("Ed448", NOW, "Ed25519");
  expectConnected(shake({}, keys), keys);
});

describe("the hello of the client", () => {
  const dataOf = (hello: ClientHello | null, type: number): string =>
    hex(hello?.extensions.find((one) => one.type === type)?.data ?? EMPTY);
  const { hello } = shake().talk.server;

  test("offers one suite, no compression, and five extensions of which none is a server name", () => {
    expect(hello?.cipherSuites).toStrictEqual([0x1303]);
    expect(hello?.legacyCompressionMethods).toStrictEqual(Uint8Array.of(0));
    expect(hello?.legacySessionId.length).toBe(32);
    expect(hello?.extensions.map(({ type }) => type).sort((a, b) => a - b)).toStrictEqual([10, 13, 16, 43, 51]);
  });

  test("offers TLS 1.3, X25519, Ed25519, Ed448 and smp/1 only", () => {
    expect(dataOf(hello, EXTENSION.supported_versions)).toBe("020304");
    expect(dataOf(hello, EXTENSION.supported_groups)).toBe("0002001d");
    expect(dataOf(hello, EXTENSION.key_share)).toMatch(/^0024001d0020[0-9a-f]{64}$/);
    expect(dataOf(hello, EXTENSION.signature_algorithms)).toBe("000408070808");
    expect(dataOf(hello, EXTENSION.application_layer_protocol_negotiation)).toBe("000605736d702f31");
  });

  test("has nothing of another hello", () => {
    const other = shake().talk.server.hello;
    const secrets = (one: ClientHello | null): string[] =>
      [one?.random ?? EMPTY, one?.legacySessionId ?? EMPTY].map(hex).concat(dataOf(one, EXTENSION.key_share));
    expect(new Set([...secrets(hello), ...secrets(other)]).size).toBe(6);
  });
});

test("the client's records look like TLS 1.2: hello, change_cipher_spec, something protected", () => {
  const talk = new Talk();
  const first = talk.client.takeOutgoing();
  expect(hex(first.subarray(0, 3))).toBe("160301");
  talk.server.receive(first);
  talk.run();
  expect(talk.server.recordTypes).toStrictEqual([22, CHANGE_CIPHER_SPEC, 23]);
});

describe("the server may differ in what TLS leaves to it", () => {
  const differences: Readonly<Record<string, Script>> = {
    "no change_cipher_spec": { sendsNoChangeCipherSpec: true },
    "all of the flight in one record": { recordSize: 0 },
    "one byte of a message in a record": { recordSize: 1 },
    "records of 100 bytes": { recordSize: 100 },
    "padded records": { padding: 255 },
    "several change_cipher_spec, also before its hello": {
      before: {
        server_hello: (server) => server.writePlain(CHANGE_CIPHER_SPEC, Uint8Array.of(1)),
        finished: (server) => server.writePlain(CHANGE_CIPHER_SPEC, Uint8Array.of(1)),
      },
    },
    "groups that it likes better": {
      rewrite: {
        encrypted_extensions: rewriteBody("encrypted_extensions", extensions, (list) => [
          ...list,
          extension("supported_groups", numbers, [0x0017, 0x001d]),
        ]),
      },
    },
  };

  test.each(Object.entries(differences))("%s", (_, script) => {
    const outcome = shake(script);
    expect(outcome.error).toBeNull();
    expect(outcome.session?.channelBinding).toStrictEqual(outcome.talk.server.clientFinished);
  });
});

describe("chains", () => {
  const root = serverKeys("Ed25519", NOW);

  test("of three: the middle one is the identity, and not the one above it", () => {
    const identity = issueServerCertificate(root.leaf.publicKey, "SMP server CA", root.ca, NOW);
    const online = serverKeys("Ed25519", NOW);
    const issuer = { certificate: identity, secretKey: root.leaf.secretKey };
    const leaf = issueServerCertificate(online.leaf.publicKey, "relay.example", issuer, NOW);
    const keys = { ...online, chain: [leaf, identity, root.ca.certificate] };
    expect(shake({}, keys, fingerprint(identity)).session?.certificates).toStrictEqual(keys.chain);
    expect(shake({}, keys, root.fingerprint).error?.failure).toBe("identity");
  });

  test("of four, the last one repeating itself", () => {
    const ca = root.ca.certificate;
    const keys = { ...root, chain: [root.chain[0] ?? EMPTY, ca, ca, ca] };
    expect(shake({}, keys).session?.certificates.length).toBe(4);
  });
});
