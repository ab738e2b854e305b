import { describe, expect, test } from "vitest";
import { base64url, fromHex, hex } from "#crypto/bytes";
import { chainRoles, fingerprint, readCertificate, verifyChain } from "#crypto/certificate";
import { CertificateError } from "#crypto/errors";
import { publicKeyOf, sign, verify } from "#crypto/keys";
import { signKey, verifySignedKey } from "#crypto/signed-key";
import { certChainPubKey, verifyCertChainPubKey } from "#protocol/certchain";
import { type Codec, decode, encode, large } from "#protocol/codec";
import { nonEmpty } from "#protocol/combine";
import { proveWebIdentity, verifyWebIdentity } from "#protocol/handshake";
import { certs, keyPairFrom, VECTORS_MADE, x25519From } from "../support/vectors.ts";

const chain: Codec<Uint8Array[]> = nonEmpty(large);

describe("which certificate of a chain is the router's identity", () => {
  test.each(certs.chains)("$name", ({ ders, result }) => {
    const roles = chainRoles(ders.map(fromHex));
    const print = (der: Uint8Array): string => hex(fingerprint(der));
    switch (roles.kind) {
      case "empty":
        expect(result).toStrictEqual({ kind: "empty" });
        break;
      case "tooLong":
        expect(result).toStrictEqual({ kind: "too long" });
        break;
      case "self":
        expect(result).toStrictEqual({ kind: "self", fingerprint: print(roles.leaf) });
        break;
      case "valid": {
        const { leaf, identity, ca } = roles;
        expect(result).toStrictEqual({ kind: "valid", leaf: print(leaf), identity: print(identity), ca: print(ca) });
        const verified = verifyChain(ders.map(fromHex), VECTORS_MADE);
        expect(hex(verified.identity)).toBe(result.identity);
        expect(print(verified.leaf.der)).toBe(result.leaf);
        return;
      }
    }
    expect(() => verifyChain(ders.map(fromHex), VECTORS_MADE), "no chain of a router").toThrow(CertificateError);
  });

  test.each(certs.chains.filter(({ ders }) => ders.length > 2))(
    "$name: with two certificates swapped nothing verifies",
    ({ ders }) => {
      for (let i = 0; i + 1 < ders.length; i++) {
        const swapped = ders.map((der, at) => fromHex((at === i ? ders[i + 1] : at === i + 1 ? ders[i] : der) ?? ""));
        expect(() => verifyChain(swapped, VECTORS_MADE)).toThrow(CertificateError);
      }
    },
  );
});

describe.each(certs.servers)("a router with $name certificates", (entry) => {
  const algorithm = entry.name === "ed448" ? "Ed448" : "Ed25519";
  const leaf = keyPairFrom(algorithm, entry.leafKey.key);
  const ca = keyPairFrom(algorithm, entry.caKey.key);
  const session = x25519From(entry.sessionKey);
  const [challenge, sessionId] = [fromHex(entry.challenge), fromHex(entry.sessionId)];
  const ders = [fromHex(entry.leafDer), fromHex(entry.caDer)];
  const { negative } = entry;

  test("its certificates read as they were made", () => {
    const read = readCertificate(fromHex(entry.leafDer));
    expect(read.publicKey).toStrictEqual(leaf.publicKey);
    expect(read.signatureAlgorithm).toBe(algorithm);
    const caRead = readCertificate(fromHex(entry.caDer));
    expect(caRead.publicKey).toStrictEqual(ca.publicKey);
    expect(read.issuer).toStrictEqual(caRead.subject);
    expect(read.notBefore).toBeLessThan(VECTORS_MADE);
    // 999999 days
    expect(read.notAfter - read.notBefore).toBe(999_999 * 86_400_000);
    expect(publicKeyOf(leaf.secretKey)).toStrictEqual(leaf.publicKey);
    expect(publicKeyOf(ca.secretKey)).toStrictEqual(ca.publicKey);
  });

  test("its identity is the fingerprint of the CA certificate", () => {
    expect(hex(fingerprint(fromHex(entry.caDer)))).toBe(entry.fingerprint);
    const { identity } = verifyChain(ders, VECTORS_MADE);
    expect(hex(identity)).toBe(entry.fingerprint);
    expect(base64url(identity)).toBe(entry.fingerprintBase64url);
  });

  test("its chain and signed key have the same bytes on the wire", () => {
    expect(hex(encode(chain, ders))).toBe(entry.chainEncoded);
    expect(decode(chain, fromHex(entry.chainEncoded))).toStrictEqual(ders);
    const value = { certChain: ders, signedKey: fromHex(entry.signedKeyDer) };
    expect(hex(encode(certChainPubKey, value))).toBe(entry.certChainPubKeyEncoded);
    expect(decode(certChainPubKey, fromHex(entry.certChainPubKeyEncoded))).toStrictEqual(value);
    const verified = verifyCertChainPubKey(value, "X25519", VECTORS_MADE);
    expect(verified.key).toStrictEqual(session.publicKey);
    expect(hex(verified.identity)).toBe(entry.fingerprint);
  });

  test("the signed session key is byte for byte what we sign, its wrapper included", () => {
    expect(hex(signKey(session.publicKey, leaf.secretKey))).toBe(entry.signedKeyDer);
    expect(hex(sign(leaf.secretKey, fromHex(entry.signedKeyTbsDer)))).toBe(entry.signedKeySignature);
    const read = verifySignedKey(fromHex(entry.signedKeyDer), leaf.publicKey, "X25519");
    expect(read).toStrictEqual(session.publicKey);
  });

  test("its identity proof is what we prove, and it verifies", () => {
    expect(hex(proveWebIdentity(leaf.secretKey, challenge, sessionId))).toBe(entry.identityProof);
    const proof = fromHex(entry.identityProof);
    expect(verifyWebIdentity(leaf.publicKey, challenge, sessionId, proof)).toBe(true);
  });

  test("a proof by the CA key, or over another session, is no proof", () => {
    const byCa = fromHex(negative.proofByCaKey);
    expect(verifyWebIdentity(leaf.publicKey, challenge, sessionId, byCa)).toBe(false);
    expect(verify(ca.publicKey, new Uint8Array([...challenge, ...sessionId]), byCa), "it is the CA's").toBe(true);
    const otherSession = fromHex(negative.proofOverOtherSession);
    expect(verifyWebIdentity(leaf.publicKey, challenge, sessionId, otherSession)).toBe(false);
  });

  test("a leaf put under another router's CA does not verify", () => {
    const wrong = decode(chain, fromHex(negative.leafUnderWrongCaChainEncoded));
    expect(wrong.map(hex)).toStrictEqual([entry.leafDer, negative.otherCaDer]);
    expect(() => verifyChain(wrong, VECTORS_MADE)).toThrow(CertificateError);
  });

  test("another leaf put under this router's genuine identity does not verify", () => {
    const impostor = [fromHex(negative.otherLeafDer), fromHex(entry.caDer)];
    expect(() => verifyChain(impostor, VECTORS_MADE)).toThrow(CertificateError);
  });

  test("another router's chain verifies, but as another identity", () => {
    const other = [fromHex(negative.otherLeafDer), fromHex(negative.otherCaDer)];
    const { identity } = verifyChain(other, VECTORS_MADE);
    expect(hex(identity)).toBe(negative.otherFingerprint);
    expect(hex(identity)).not.toBe(entry.fingerprint);
  });

  test("a session key with a bad signature is refused, alone and behind a good chain", () => {
    const signedKey = fromHex(negative.signedKeyBadSignatureDer);
    expect(() => verifySignedKey(signedKey, leaf.publicKey, "X25519")).toThrow(CertificateError);
    const value = { certChain: ders, signedKey };
    expect(() => verifyCertChainPubKey(value, "X25519", VECTORS_MADE)).toThrow(CertificateError);
  });

  test("the chain does not hold before or after its dates", () => {
    const { notBefore, notAfter } = readCertificate(fromHex(entry.leafDer));
    expect(() => verifyChain(ders, notBefore - 1)).toThrow(CertificateError);
    expect(() => verifyChain(ders, notAfter + 1)).toThrow(CertificateError);
  });
});
