import { afterAll, describe, expect, test } from "vitest";
import { fromUtf8, utf8 } from "#crypto/bytes";
import { hasOpenssl, Openssl, type OpensslChain } from "../support/openssl.ts";
import { flipRecord, TlsCarrier } from "../support/tls-carrier.ts";
import type { Seen } from "../support/tls-talk.ts";

const SUITE = ["-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"];
const SMP = ["-tls1_3", ...SUITE, "-alpn", "smp/1", "-naccept", "1"];

describe.skipIf(!hasOpenssl)("openssl s_server", () => {
  const openssl = new Openssl();
  afterAll(() => openssl.remove());
  const chains = {
    Ed25519: openssl.chain("ed25519", ["-algorithm", "ed25519"]),
    Ed448: openssl.chain("ed448", ["-algorithm", "ed448"]),
  };
  const p256 = openssl.chain("p256", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);

  /** The outcome of a handshake with a server that is started for it. */
  async function shake(chain: OpensslChain, args: readonly string[], fingerprint = chain.fingerprint): Promise<Seen> {
    const server = await openssl.serve(chain, ...args);
    const carrier = await TlsCarrier.open(server.port, fingerprint);
    const outcome = await carrier.settled();
    carrier.socket.destroy();
    return outcome;
  }

  describe.each(["Ed25519", "Ed448"] as const)("with certificates of %s", (algorithm) => {
    const chain = chains[algorithm];

    test("converses and ends as it should", async () => {
      const server = await openssl.serve(chain, ...SMP);
      const carrier = await TlsCarrier.open(server.port, chain.fingerprint);
      const { session } = await carrier.settled();
      expect(session?.certificates.length).toBe(2);
      carrier.send(utf8("hello from here\n"));
      await server.until(/hello from here/);
      expect(server.text).toContain("ALPN protocols selected: smp/1");
      expect(server.text).toContain("CIPHER is TLS_CHACHA20_POLY1305_SHA256");
      server.type("hello from there\n");
      await carrier.until(({ data }) => fromUtf8(data) === "hello from there\n");
      carrier.close();
      expect(await carrier.until(({ isEnded, error }) => isEnded || error !== null)).toMatchObject({ error: null });
      carrier.socket.end();
    });

    test("that goes away without a word has not ended as it should", async () => {
      const server = await openssl.serve(chain, ...SMP);
      const carrier = await TlsCarrier.open(server.port, chain.fingerprint);
      await carrier.settled();
      // s_server closes its socket without close_notify at this.
      server.type("q\n");
      const { error, isEnded } = await carrier.until((seen) => seen.isEnded || seen.error !== null);
      expect([error?.failure, isEnded]).toStrictEqual(["truncated", false]);
    });

    test("changes its keys, and has the client change its own", async () => {
      const server = await openssl.serve(chain, ...SMP, "-msg");
      const carrier = await TlsCarrier.open(server.port, chain.fingerprint);
      await carrier.settled();
      for (const [i, command] of ["k", "K", "k", "K", "K"].entries()) {
        const soFar = server.text.length;
        const updated = (arrow: ">>>" | "<<<"): Promise<void> =>
          server.until((text) => text.slice(soFar).includes(`${arrow} TLS 1.3, Handshake [length 0005], KeyUpdate`));
        server.type(`${command}\n`);
        await updated(">>>");
        if (command === "K") await updated("<<<");
        server.type(`after update ${i} of the server\n`);
        await carrier.until(({ data }) => fromUtf8(data).endsWith(`after update ${i} of the server\n`));
        carrier.send(utf8(`after update ${i} at the client\n`));
        await server.until((text) => text.includes(`after update ${i} at the client`));
      }
      carrier.socket.destroy();
    });

    test("sends and gets a megabyte", async () => {
      const server = await openssl.serve(chain, ...SMP);
      const carrier = await TlsCarrier.open(server.port, chain.fingerprint);
      await carrier.settled();
      const lines = `${"x".repeat(99)}\n`.repeat(10_500);
      carrier.send(utf8(lines));
      await server.until((text) => text.includes(lines));
      server.type(lines);
      expect(fromUtf8((await carrier.until(({ data }) => data.length >= lines.length)).data)).toBe(lines);
      carrier.socket.destroy();
    });

    test("may ask for a certificate and gets none", async () => {
      const { error, session } = await shake(chain, [...SMP, "-verify", "1"]);
      expect([error, session?.channelBinding.length]).toStrictEqual([null, 32]);
    });

    test("is not connected when one bit of its flight is flipped, in any record", async () => {
      // Hello, change_cipher_spec, encrypted extensions, certificate, its proof, Finished.
      for (let record = 0; record < 6; record++) {
        for (const place of record === 1 ? [0, 5] : [0, 4, 5, 9, -17, -1]) {
          const server = await openssl.serve(chain, ...SMP);
          const carrier = await TlsCarrier.open(server.port, chain.fingerprint, flipRecord(record, place));
          const { session, error } = await carrier.until((seen) => seen.session !== null || seen.error !== null);
          expect(session, `record ${record}, place ${place}`).toBeNull();
          expect(error?.failure).toBe("protocol");
          carrier.socket.destroy();
        }
      }
    });
  });

  test("of another identity is refused", async () => {
    const { error, session } = await shake(chains.Ed25519, SMP, chains.Ed448.fingerprint);
    expect([error?.failure, error?.alert, session]).toStrictEqual(["identity", "unknown_ca", null]);
  });

  test("with a leaf of its own under the genuine identity is refused", async () => {
    const impostor = { ...openssl.chain("impostor", ["-algorithm", "ed25519"]), ca: chains.Ed25519.ca };
    const { error, session } = await shake(impostor, SMP, chains.Ed25519.fingerprint);
    expect([error?.failure, error?.alert, session]).toStrictEqual(["identity", "bad_certificate", null]);
  });

  test.each([
    ["with another application protocol", ["-tls1_3", ...SUITE, "-alpn", "h2"], "no_application_protocol"],
    ["without application protocols", ["-tls1_3", ...SUITE], "no_application_protocol"],
    ["with TLS 1.2 only", ["-tls1_2", "-alpn", "smp/1"], "protocol_version"],
    ["with AES only", ["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256", "-alpn", "smp/1"], "handshake_failure"],
    ["with P-256 as its only group", [...SMP, "-groups", "P-256"], "handshake_failure"],
  ] as const)("%s is refused, or refuses", async (_, args, alert) => {
    const { error, session } = await shake(chains.Ed25519, args);
    expect([session, error?.alert]).toStrictEqual([null, alert]);
  });

  test("with a certificate of P-256 refuses: there is no signature that both know", async () => {
    const { error, session } = await shake(p256, SMP);
    expect([session, error?.failure, error?.alert]).toStrictEqual([null, "refused", "handshake_failure"]);
  });

  test("with a certificate of P-256 in its chain is refused", async () => {
    const { error } = await shake({ ...chains.Ed25519, ca: p256.ca }, SMP, p256.fingerprint);
    expect([error?.failure, error?.alert]).toStrictEqual(["identity", "bad_certificate"]);
  });
});
