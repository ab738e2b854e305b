import { describe, expect, test } from "vitest";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { signKey } from "#crypto/signed-key";
import { clearBlock } from "#protocol/block";
import { encode } from "#protocol/codec";
import { findChallenge, proveWebIdentity, serverHello, type ServerHello } from "#protocol/handshake";
import type { ConnectError } from "../../client/errors.ts";
import { connectTo, failureOf } from "./support/connecting.ts";
import { FakeClock } from "./support/fake-clock.ts";
import { FakeRouter, makeFakeIdentity } from "./support/fake-router.ts";

describe("is refused:", () => {
  const genuine = makeFakeIdentity();
  const other = makeFakeIdentity();

  type Change = (hello: ServerHello, challenge: Uint8Array) => ServerHello;
  const nothing = new Uint8Array(0);
  const refusals: readonly (readonly [string, ConnectError["failure"], Change])[] = [
    ["no proof", "noProof", (hello) => ({ ...hello, webIdentityProof: null })],
    ["no certificates at all", "noProof", (hello) => ({ ...hello, versions: { min: 6, max: 6 } })],
    ["too old to prove anything", "noProof", (hello) => ({ ...hello, versions: { min: 6, max: 18 } })],
    ["a forged proof", "identity", (hello) => ({ ...hello, webIdentityProof: randomBytes(64) })],
    [
      "a proof for another session",
      "identity",
      (hello, challenge) => ({ ...hello, webIdentityProof: proveWebIdentity(genuine.key, challenge, randomBytes(32)) }),
    ],
    [
      "a proof for another challenge",
      "identity",
      (hello) => ({ ...hello, webIdentityProof: proveWebIdentity(genuine.key, randomBytes(32), hello.sessionId) }),
    ],
    [
      "another relay with a valid chain of its own",
      "identity",
      (hello, challenge) => ({
        ...hello,
        authPubKey: { certChain: other.certChain, signedKey: signKey(generateKeyPair("X25519").publicKey, other.key) },
        webIdentityProof: proveWebIdentity(other.key, challenge, hello.sessionId),
      }),
    ],
    [
      "the genuine identity with a leaf it did not sign",
      "identity",
      (hello, challenge) => ({
        ...hello,
        authPubKey: {
          certChain: [other.certChain[0] ?? nothing, genuine.certChain[1] ?? nothing],
          signedKey: signKey(generateKeyPair("X25519").publicKey, other.key),
        },
        webIdentityProof: proveWebIdentity(other.key, challenge, hello.sessionId),
      }),
    ],
    [
      "a single certificate",
      "identity",
      (hello) => ({
        ...hello,
        authPubKey: { certChain: genuine.certChain.slice(1), signedKey: hello.authPubKey?.signedKey ?? nothing },
      }),
    ],
    [
      "a session key signed by somebody else",
      "identity",
      (hello) => ({
        ...hello,
        authPubKey: {
          certChain: genuine.certChain,
          signedKey: signKey(generateKeyPair("X25519").publicKey, other.key),
        },
      }),
    ],
    [
      "a session key of the wrong kind",
      "identity",
      (hello) => ({
        ...hello,
        authPubKey: {
          certChain: genuine.certChain,
          signedKey: signKey(generateKeyPair("Ed25519").publicKey, genuine.key),
        },
      }),
    ],
    ["no version in common", "version", (hello) => ({ ...hello, versions: { min: 90, max: 99 } })],
  ];

  test.each(refusals)("%s", async (_name, failure, change) => {
    const router = new FakeRouter(genuine);
    router.welcome = (session) => {
      const hello = change(session.hello, findChallenge(session.socket.url) ?? randomBytes(32));
      session.socket.open();
      session.socket.deliver(clearBlock(encode(serverHello, hello)));
    };
    const error = await failureOf(connectTo(router));
    expect(error.failure).toBe(failure);
    expect(error.retryable).toBe(false);
    expect(error.message).toContain("relay.example.org");
    // Nothing was said to a relay that is not trusted.
    expect(router.session.socket.sent).toEqual([]);
    expect(router.session.socket.closedWith).not.toBeNull();
  });

  test("an address with another fingerprint", async () => {
    const router = new FakeRouter(genuine);
    const error = await failureOf(connectTo(router, { server: { ...router.server, keyHash: randomBytes(32) } }));
    expect(error.failure).toBe("identity");
  });

  test("certificates that are not valid yet, or no more", async () => {
    const future = makeFakeIdentity("Ed25519", Date.UTC(2030, 0, 1));
    expect((await failureOf(connectTo(new FakeRouter(future)))).failure).toBe("identity");
    const clock = new FakeClock(Date.UTC(5000, 0, 1));
    expect((await failureOf(connectTo(new FakeRouter(genuine), { clock }))).failure).toBe("identity");
  });

  test("an old version over an unencrypted connection to another machine", async () => {
    const router = new FakeRouter(genuine);
    const versions = { min: 6, max: 10 };
    expect((await failureOf(connectTo(router, { url: "ws://10.0.0.1/", versions }))).failure).toBe("version");
    await expect(connectTo(router, { url: "ws://10.0.0.1/" })).resolves.toMatchObject({ version: 19 });
  });
});
