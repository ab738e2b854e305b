import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ALGORITHMS } from "#crypto/algorithms";
import { concat, equal, hex, utf8 } from "#crypto/bytes";
import {
  fingerprint,
  issueCaCertificate,
  issueServerCertificate,
  pem,
  readCertificate,
  verifyChain,
} from "#crypto/certificate";
import { readElements, readOne, TAG, writeBitString, writeElement } from "#crypto/der";
import { CertificateError, KeyError } from "#crypto/errors";
import { encodePublicKey, generateKeyPair, type KeyPair, sign, type SignatureAlgorithm } from "#crypto/keys";
import { signKey, verifySignedKey } from "#crypto/signed-key";

const NOW = Date.UTC(2026, 10, 23);
const DAY = 86_400_000;

interface Router {
  readonly ca: KeyPair<SignatureAlgorithm>;
  readonly leaf: KeyPair<SignatureAlgorithm>;
  readonly chain: readonly [leaf: Uint8Array, ca: Uint8Array];
}

function makeRouter(algorithm: SignatureAlgorithm, now = NOW, leafAlgorithm = algorithm): Router {
  const [ca, leaf] = [generateKeyPair(algorithm), generateKeyPair(leafAlgorithm)];
  const caDer = issueCaCertificate(ca.publicKey, ca.secretKey, now);
  const issuer = { certificate: caDer, secretKey: ca.secretKey };
  return { ca, leaf, chain: [issueServerCertificate(leaf.publicKey, "relay.example", issuer, now), caDer] };
}

function flip(bytes: Uint8Array, at: number, mask: number): Uint8Array {
  const mutated = bytes.slice();
  mutated[at] = (mutated[at] ?? 0) ^ mask;
  return mutated;
}

/** What `run` throws; undefined when it does not. */
function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe.each(["Ed25519", "Ed448"] as const)("certificates that we issue with %s", (algorithm) => {
  const router = makeRouter(algorithm);
  const [leafDer, caDer] = router.chain;

  test("read as they were meant", () => {
    const [leaf, ca] = [readCertificate(leafDer), readCertificate(caDer)];
    expect(leaf.publicKey).toStrictEqual(router.leaf.publicKey);
    expect(ca.publicKey).toStrictEqual(router.ca.publicKey);
    expect(leaf.signatureAlgorithm).toBe(algorithm);
    expect(hex(leaf.issuer)).toBe(hex(ca.subject));
    expect(hex(ca.issuer)).toBe(hex(ca.subject));
    expect([leaf.notBefore, leaf.notAfter]).toStrictEqual([NOW, NOW + 999_999 * DAY]);
  });

  test("make a chain whose identity is the CA", () => {
    const { leaf, identity } = verifyChain(router.chain, NOW);
    expect(hex(identity)).toBe(hex(fingerprint(caDer)));
    expect(hex(leaf.der)).toBe(hex(leafDer));
  });

  test("hold within their dates only", () => {
    expect(() => verifyChain(router.chain, NOW - 1000)).toThrow(CertificateError);
    expect(() => verifyChain(router.chain, NOW + 999_999 * DAY)).not.toThrow();
    expect(() => verifyChain(router.chain, NOW + 999_999 * DAY + 1000)).toThrow(CertificateError);
  });

  test("an impostor with the genuine CA certificate but a leaf of its own is refused", () => {
    const impostor = makeRouter(algorithm);
    expect(() => verifyChain([impostor.chain[0], caDer], NOW)).toThrow(CertificateError);
    expect(() => verifyChain([impostor.chain[0], caDer, impostor.chain[1]], NOW)).toThrow(CertificateError);
    expect(() => verifyChain([caDer, leafDer], NOW), "upside down").toThrow(CertificateError);
  });

  test("a chain of one or of five is refused", () => {
    expect(() => verifyChain([], NOW)).toThrow(CertificateError);
    expect(() => verifyChain([caDer], NOW)).toThrow(CertificateError);
    expect(() => verifyChain([leafDer, caDer, caDer, caDer, caDer], NOW)).toThrow(CertificateError);
    expect(() => verifyChain([leafDer, caDer, caDer, caDer], NOW), "a self-signed CA repeats").not.toThrow();
  });
});

test("a leaf and its CA may be of different algorithms", () => {
  const router = makeRouter("Ed448", NOW, "Ed25519");
  expect(readCertificate(router.chain[0]).signatureAlgorithm).toBe("Ed448");
  expect(verifyChain(router.chain, NOW).leaf.publicKey).toStrictEqual(router.leaf.publicKey);
});

test.each([Date.UTC(1999, 0, 1), Date.UTC(2049, 11, 31, 23, 59, 59), Date.UTC(2050, 0, 1), Date.UTC(2200, 5, 6)])(
  "dates on both sides of 2000 and 2050 survive (%d)",
  (now) => {
    expect(readCertificate(makeRouter("Ed25519", now).chain[0]).notBefore).toBe(now);
  },
);

test("two certificates of one key have different serial numbers", () => {
  const { ca } = makeRouter("Ed25519");
  const prints = [1, 2].map(() => hex(fingerprint(issueCaCertificate(ca.publicKey, ca.secretKey, NOW))));
  expect(prints[0]).not.toBe(prints[1]);
});

test("PEM has lines of 64 characters", () => {
  const lines = pem("CERTIFICATE", new Uint8Array(100)).split("\n");
  expect(lines[0]).toBe("-----BEGIN CERTIFICATE-----");
  expect(lines.slice(1, -2).map(({ length }) => length)).toStrictEqual([64, 64, 8]);
  expect(lines.slice(-2)).toStrictEqual(["-----END CERTIFICATE-----", ""]);
});

describe("hostile certificates", () => {
  const router = makeRouter("Ed25519");
  const [leafDer, caDer] = router.chain;

  test("every altered byte of the leaf is noticed", () => {
    for (let at = 0; at < leafDer.length; at++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const error = thrownBy(() => verifyChain([flip(leafDer, at, mask), caDer], NOW));
        expect(error, `byte ${at} ^ ${mask}`).toBeInstanceOf(CertificateError);
      }
    }
  });

  test("every altered byte of the CA is noticed, or makes it another identity", () => {
    const identity = fingerprint(caDer);
    for (let at = 0; at < caDer.length; at++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const chain = [leafDer, flip(caDer, at, mask)];
        const error = thrownBy(() => expect(equal(verifyChain(chain, NOW).identity, identity)).toBe(false));
        if (error) expect(error, `byte ${at} ^ ${mask}`).toBeInstanceOf(CertificateError);
      }
    }
  });

  test("no beginning of a certificate, and none with a byte more, is one", () => {
    for (let length = 0; length < leafDer.length; length++) {
      expect(() => readCertificate(leafDer.slice(0, length)), `${length}`).toThrow(CertificateError);
    }
    expect(() => readCertificate(concat(leafDer, Uint8Array.of(0)))).toThrow(CertificateError);
  });

  test("an Ed448 chain notices altered bytes too", () => {
    const { chain } = makeRouter("Ed448");
    for (let at = 0; at < chain[0].length; at += 13) {
      const error = thrownBy(() => verifyChain([flip(chain[0], at, 0x04), chain[1]], NOW));
      expect(error, `byte ${at}`).toBeInstanceOf(CertificateError);
    }
  });

  test("a certificate cut and put together anywhere is no crash", () => {
    const place = fc.nat({ max: leafDer.length });
    fc.assert(
      fc.property(place, place, fc.uint8Array({ maxLength: 12 }), (from, to, between) => {
        const spliced = concat(leafDer.slice(0, from), between, leafDer.slice(to));
        const error = thrownBy(() => readCertificate(spliced));
        if (error) expect(error).toBeInstanceOf(CertificateError);
        else if (!equal(spliced, leafDer)) expect(() => verifyChain([spliced, caDer], NOW)).toThrow(CertificateError);
      }),
      { numRuns: 5000 },
    );
  });

  test("random bytes, and random content in well-formed DER, are no crash", () => {
    const bytes = fc.uint8Array({ maxLength: 80 });
    const { der } = fc.letrec<{ der: Uint8Array }>((tie) => ({
      der: fc.oneof(
        { maxDepth: 5 },
        bytes,
        fc.tuple(fc.constantFrom(...Object.values(TAG)), fc.array(tie("der"), { maxLength: 8 })).map(
          ([tag, parts]) => writeElement(tag, ...parts),
        ),
      ),
    }));
    fc.assert(
      fc.property(der, (input) => {
        const wrapped = writeElement(TAG.sequence, input);
        for (const candidate of [input, wrapped]) {
          expect(thrownBy(() => readCertificate(candidate))).toBeInstanceOf(CertificateError);
          const error = thrownBy(() => verifySignedKey(candidate, router.leaf.publicKey, "X25519"));
          expect(error).toBeInstanceOf(CertificateError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("a date as long as a certificate can be is malformed, not a crash", () => {
    const elements = readElements(readOne(caDer, TAG.sequence).content);
    const tbs = readElements(elements[0]?.content ?? new Uint8Array(0));
    const digits = new Uint8Array(200_000).fill(0x30);
    const date = concat(Uint8Array.of(TAG.utcTime, 0x83, 0x03, 0x0d, 0x40), digits);
    const big = (parts: readonly Uint8Array[]): Uint8Array => {
      const content = concat(...parts);
      const { length } = content;
      return concat(Uint8Array.of(TAG.sequence, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff), content);
    };
    const fields = tbs.map(({ der }, i) => (i === 4 ? big([date, date]) : der));
    const certificate = big([big(fields), ...elements.slice(1).map(({ der }) => der)]);
    expect(thrownBy(() => readCertificate(certificate))).toBeInstanceOf(CertificateError);
  });
});

describe("hostile signed keys", () => {
  const [leaf, other] = [generateKeyPair("Ed25519"), generateKeyPair("Ed25519")];
  const session = generateKeyPair("X25519");
  const signed = signKey(session.publicKey, leaf.secretKey);

  test("the good one verifies", () => {
    expect(verifySignedKey(signed, leaf.publicKey, "X25519")).toStrictEqual(session.publicKey);
  });

  test("every altered byte, every truncation and a byte more are noticed", () => {
    const verify = (der: Uint8Array): unknown => thrownBy(() => verifySignedKey(der, leaf.publicKey, "X25519"));
    for (let at = 0; at < signed.length; at++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        expect(verify(flip(signed, at, mask)), `byte ${at} ^ ${mask}`).toBeInstanceOf(CertificateError);
      }
      expect(verify(signed.slice(0, at)), `${at} bytes`).toBeInstanceOf(CertificateError);
    }
    expect(verify(concat(signed, Uint8Array.of(0)))).toBeInstanceOf(CertificateError);
  });

  test("signed by another key, or by a key of another algorithm, it is refused", () => {
    expect(() => verifySignedKey(signed, other.publicKey, "X25519")).toThrow(CertificateError);
    const ed448 = generateKeyPair("Ed448");
    expect(() => verifySignedKey(signed, ed448.publicKey, "X25519")).toThrow(CertificateError);
  });

  test("a key of another algorithm than expected is refused, however well it is signed", () => {
    const ed = signKey(other.publicKey, leaf.secretKey);
    expect(() => verifySignedKey(ed, leaf.publicKey, "X25519")).toThrow(KeyError);
    expect(verifySignedKey(ed, leaf.publicKey, "Ed25519")).toStrictEqual(other.publicKey);
  });

  test("something well signed that is no key is refused, bare or wrapped", () => {
    const shortKey = encodePublicKey({ algorithm: "X25519", raw: new Uint8Array(31) });
    const { identifier } = ALGORITHMS.Ed25519;
    for (const junk of [writeElement(TAG.utf8String, utf8("key")), writeElement(TAG.sequence), identifier, shortKey]) {
      for (const content of [junk, writeElement(TAG.sequence, junk)]) {
        const signature = writeBitString(sign(leaf.secretKey, content));
        const der = writeElement(TAG.sequence, content, identifier, signature);
        const error = thrownBy(() => verifySignedKey(der, leaf.publicKey, "X25519"));
        expect(error instanceof CertificateError || error instanceof KeyError, hex(content)).toBe(true);
      }
    }
  });
});
