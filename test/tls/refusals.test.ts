import { describe, expect, test } from "vitest";
import { concat, EMPTY, utf8 } from "#crypto/bytes";
import { generateKeyPair, sign } from "#crypto/keys";
import { encode, word16 } from "#protocol/codec";
import { type Extension, extensions } from "../../src/tls/extensions.ts";
import { type CertificateMessage, certificateMessage } from "../../src/tls/messages/certificate.ts";
import { type CertificateRequest, certificateRequest } from "../../src/tls/messages/certificate-request.ts";
import { certificateVerify, signedByServer } from "../../src/tls/messages/certificate-verify.ts";
import { keyShare, protocolNames } from "../../src/tls/messages/client-hello.ts";
import { HELLO_RETRY_REQUEST, type ServerHello, serverHello } from "../../src/tls/messages/server-hello.ts";
import { extension, rewriteBody, type Script, serverKeys } from "../support/tls-server.ts";
import { before, body, leftOut, refuses } from "../support/tls-refusals.ts";
import { ED25519, NOW, shake } from "../support/tls-talk.ts";

const DATA = 23;
const KEY_SHARE = 51;
const SUPPORTED_VERSIONS = 43;
/** Extensions that the client never offers. */
const [serverName, cookie, earlyData] = [0, 44, 42].map((type): Extension => ({ type, data: EMPTY })) as
  [Extension, Extension, Extension];

describe("hellos that are refused", () => {
  const hello = (change: (honest: ServerHello) => Partial<ServerHello>): Script => ({
    rewrite: {
      server_hello: rewriteBody("server_hello", serverHello, (honest) => ({ ...honest, ...change(honest) })),
    },
  });
  const without = ({ extensions: list }: ServerHello, one: number): Extension[] =>
    list.filter(({ type }) => type !== one);
  const share = (group: number, key: Uint8Array): Script =>
    hello((honest) => ({
      extensions: [...without(honest, KEY_SHARE), extension("key_share", keyShare, { group, key })],
    }));
  const more = (one: Extension): Script => hello((honest) => ({ extensions: [...honest.extensions, one] }));
  const downgraded = (last: number): Script =>
    hello((honest) => ({
      random: concat(honest.random.slice(0, 24), utf8("DOWNGRD"), Uint8Array.of(last)),
      extensions: without(honest, SUPPORTED_VERSIONS),
    }));
  const retry = (...list: Extension[]): Script => hello(() => ({ random: HELLO_RETRY_REQUEST, extensions: list }));
  const version = extension("supported_versions", word16, 0x0304);

  refuses({
    "TLS 1.2": ["protocol_version", hello((honest) => ({ extensions: without(honest, SUPPORTED_VERSIONS) }))],
    "TLS 1.2 without any extension": [
      "protocol_version",
      body("server_hello", (honest) => honest.slice(0, 2 + 32 + 33 + 3)),
    ],
    "TLS 1.0": ["protocol_version", hello(() => ({ legacyVersion: 0x0301, extensions: [] }))],
    "TLS 1.2 of a server that was downgraded": ["illegal_parameter", downgraded(1)],
    "TLS 1.1 of a server that was downgraded": ["illegal_parameter", downgraded(0)],
    "TLS 1.2 in supported_versions": [
      "illegal_parameter",
      hello((honest) => ({ extensions: [...without(honest, 43), extension("supported_versions", word16, 0x0303)] })),
    ],
    "TLS 1.3 in the place of TLS 1.2": ["illegal_parameter", hello(() => ({ legacyVersion: 0x0304 }))],
    "a HelloRetryRequest for another group": [
      "illegal_parameter",
      retry(version, { type: KEY_SHARE, data: encode(word16, 0x0017) }),
    ],
    "a HelloRetryRequest for the same group": [
      "illegal_parameter",
      retry(version, { type: KEY_SHARE, data: encode(word16, 0x001d) }),
    ],
    "a HelloRetryRequest with a cookie": ["illegal_parameter", retry(version, cookie)],
    "another session id": ["illegal_parameter", hello(() => ({ legacySessionIdEcho: new Uint8Array(32) }))],
    "no session id": ["illegal_parameter", hello(() => ({ legacySessionIdEcho: EMPTY }))],
    "TLS_AES_128_GCM_SHA256": ["illegal_parameter", hello(() => ({ cipherSuite: 0x1301 }))],
    "a suite of TLS 1.2": ["illegal_parameter", hello(() => ({ cipherSuite: 0xcca9 }))],
    "compression": ["illegal_parameter", hello(() => ({ legacyCompressionMethod: 1 }))],
    "no key": ["missing_extension", hello((honest) => ({ extensions: without(honest, KEY_SHARE) }))],
    "a P-256 key": ["illegal_parameter", share(0x0017, new Uint8Array(65).fill(4))],
    "an X448 key": ["illegal_parameter", share(0x001e, new Uint8Array(56).fill(4))],
    "a key for another group, as long as one for X25519": [
      "illegal_parameter",
      share(0x001e, new Uint8Array(32).fill(9)),
    ],
    "an X25519 key of 31 bytes": ["illegal_parameter", share(0x001d, new Uint8Array(31).fill(4))],
    "an X25519 key of low order": ["illegal_parameter", share(0x001d, new Uint8Array(32))],
    "an extension twice": ["illegal_parameter", more(version)],
    "an extension that was not offered": ["unsupported_extension", more(cookie)],
    "an extension that belongs elsewhere": [
      "illegal_parameter",
      more(extension("application_layer_protocol_negotiation", protocolNames, [utf8("smp/1")])),
    ],
    "a byte too many": ["decode_error", body("server_hello", (honest) => concat(honest, Uint8Array.of(0)))],
    "a byte too few": ["decode_error", body("server_hello", (honest) => honest.slice(0, -1))],
  });
});

describe("encrypted extensions that are refused", () => {
  const encrypted = (change: (honest: Extension[]) => Extension[]): Script => ({
    rewrite: { encrypted_extensions: rewriteBody("encrypted_extensions", extensions, change) },
  });
  const names = (...list: readonly string[]): Script =>
    encrypted(() => [extension("application_layer_protocol_negotiation", protocolNames, list.map(utf8))]);

  refuses({
    "no ALPN": ["no_application_protocol", encrypted(() => [])],
    "ALPN h2": ["illegal_parameter", names("h2")],
    "ALPN smp/10": ["illegal_parameter", names("smp/10")],
    "ALPN SMP/1": ["illegal_parameter", names("SMP/1")],
    "ALPN of two names": ["illegal_parameter", names("smp/1", "smp/1")],
    "ALPN of no name": ["illegal_parameter", names()],
    "ALPN twice": ["illegal_parameter", encrypted((list) => [...list, ...list])],
    "a server name, which was not asked": ["unsupported_extension", encrypted((list) => [...list, serverName])],
    "early data, which was not offered": ["unsupported_extension", encrypted((list) => [...list, earlyData])],
    "a key, which belongs into the hello": [
      "illegal_parameter",
      encrypted((list) => [...list, extension("key_share", keyShare, { group: 0x001d, key: new Uint8Array(32) })]),
    ],
    "groups that are malformed": [
      "decode_error",
      encrypted((list) => [...list, { type: 10, data: Uint8Array.of(0, 1, 0) }]),
    ],
    "a byte too many": ["decode_error", body("encrypted_extensions", (honest) => concat(honest, Uint8Array.of(0)))],
  });
});

describe("requests for a certificate that are refused", () => {
  const request = (change: Partial<CertificateRequest>): Script => ({
    asksForCertificate: true,
    rewrite: {
      certificate_request: rewriteBody("certificate_request", certificateRequest, (honest) => ({
        ...honest,
        ...change,
      })),
    },
  });

  refuses({
    "one with a context": ["illegal_parameter", request({ requestContext: Uint8Array.of(1) })],
    "one that does not say which signatures": ["missing_extension", request({ extensions: [] })],
    "one with malformed signature algorithms": [
      "decode_error",
      request({ extensions: [{ type: 13, data: Uint8Array.of(0) }] }),
    ],
  });
});

describe("certificates that are refused", () => {
  const message = (change: (honest: CertificateMessage) => Partial<CertificateMessage>): Script => ({
    rewrite: {
      certificate: rewriteBody("certificate", certificateMessage, (honest) => ({ ...honest, ...change(honest) })),
    },
  });
  const [leaf, ca] = ED25519.chain as [Uint8Array, Uint8Array];
  const chain = (...list: readonly Uint8Array[]): Script =>
    message(() => ({ entries: list.map((data) => ({ data, extensions: [] })) }));
  const impostor = serverKeys("Ed25519", NOW);

  refuses({
    "none": ["decode_error", chain()],
    "the leaf alone": ["bad_certificate", chain(leaf)],
    "five": ["bad_certificate", chain(leaf, ca, ca, ca, ca)],
    "upside down": ["bad_certificate", chain(ca, leaf)],
    "another leaf under the genuine identity": ["bad_certificate", chain(impostor.chain[0] ?? EMPTY, ca)],
    "another server's": ["unknown_ca", chain(...impostor.chain)],
    "another server's, with the genuine identity behind them": ["bad_certificate", chain(...impostor.chain, ca)],
    "bytes that are no certificate": ["bad_certificate", chain(leaf, utf8("no certificate"))],
    "an empty one": ["bad_certificate", chain(leaf, EMPTY)],
    "with a context": ["illegal_parameter", message(() => ({ requestContext: Uint8Array.of(1) }))],
    "with an extension": [
      "unsupported_extension",
      message(({ entries }) => ({
        entries: entries.map(({ data }) => ({ data, extensions: [{ type: 5, data: EMPTY }] })),
      })),
    ],
    "a list longer than its message": ["decode_error", body("certificate", (honest) => honest.slice(0, -1))],
  });

  test("outside their dates", () => {
    for (const now of [NOW - 1000, NOW + 1_000_000 * 86_400_000]) {
      const { error } = shake({}, ED25519, ED25519.fingerprint, now);
      expect([error?.failure, error?.alert]).toStrictEqual(["identity", "bad_certificate"]);
    }
  });

  test("of another identity than the address says: told apart from servers that break the protocol", () => {
    const { error, session } = shake({}, ED25519, impostor.fingerprint);
    expect([error?.failure, error?.alert, session]).toStrictEqual(["identity", "unknown_ca", null]);
  });
});

describe("proofs of the certificate's key that are refused", () => {
  const { secretKey } = ED25519.leaf;
  const other = generateKeyPair("Ed25519").secretKey;
  const verify = (scheme: number, signature: (honest: Uint8Array) => Uint8Array): Script => ({
    rewrite: {
      certificate_verify: rewriteBody("certificate_verify", certificateVerify, (honest) => ({
        scheme,
        signature: signature(honest.signature),
      })),
    },
  });
  const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte));

  refuses({
    "altered": ["decrypt_error", verify(0x0807, flipped)],
    "of another key": ["decrypt_error", verify(0x0807, () => sign(other, signedByServer(new Uint8Array(32))))],
    "of another handshake": [
      "decrypt_error",
      verify(0x0807, () => sign(secretKey, signedByServer(new Uint8Array(32)))),
    ],
    "empty": ["decrypt_error", verify(0x0807, () => EMPTY)],
    "that claim Ed448": ["illegal_parameter", verify(0x0808, (honest) => honest)],
    "that claim ECDSA": ["illegal_parameter", verify(0x0403, (honest) => honest)],
    "that claim RSA": ["illegal_parameter", verify(0x0804, (honest) => honest)],
    "left out": ["unexpected_message", leftOut("certificate_verify")],
  });
});

describe("ends of the handshake that are refused", () => {
  const ticket = concat(Uint8Array.of(4, 0, 0, 1), Uint8Array.of(0));

  refuses({
    "an altered Finished": [
      "decrypt_error",
      body("finished", (honest) => honest.map((byte, i) => (i === 31 ? byte ^ 0x80 : byte))),
    ],
    "a Finished of zeros": ["decrypt_error", body("finished", () => new Uint8Array(32))],
    "a Finished of 12 bytes, as in TLS 1.2": ["decode_error", body("finished", (honest) => honest.slice(0, 12))],
    "a Finished of 33 bytes": ["decode_error", body("finished", (honest) => concat(honest, Uint8Array.of(0)))],
    "no Finished, but data": [
      "unexpected_message",
      before("finished", (server) => server.write(DATA, utf8("hello"))),
    ],
    "something after Finished in its record": [
      "unexpected_message",
      { rewrite: { finished: (honest) => concat(honest, ticket) } },
    ],
    "the beginning of something after Finished in its record": [
      "unexpected_message",
      { rewrite: { finished: (honest) => concat(honest, ticket.slice(0, 1)) } },
    ],
  });
});
