import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { issueCaCertificate, issueServerCertificate, pem, readCertificate, verifyChain } from "#crypto/certificate";
import { decodeSecretKey, encodeSecretKey, generateKeyPair } from "#crypto/keys";
import { hex } from "#crypto/bytes";

const isPresent = spawnSync("openssl", ["version"]).status === 0;

describe.skipIf(!isPresent).each(["Ed25519", "Ed448"] as const)("the openssl command and %s", (algorithm) => {
  const folder = mkdtempSync(join(tmpdir(), "smp-edge-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const save = (file: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, file), content);
    return join(folder, file);
  };
  const openssl = (...args: readonly string[]): string => execFileSync("openssl", args, { encoding: "utf8" });

  const now = Date.now() - 60_000;
  const [ca, leaf] = [generateKeyPair(algorithm), generateKeyPair(algorithm)];
  const caDer = issueCaCertificate(ca.publicKey, ca.secretKey, now);
  const issuer = { certificate: caDer, secretKey: ca.secretKey };
  const leafDer = issueServerCertificate(leaf.publicKey, "relay.example", issuer, now);
  const caFile = save("ca.pem", pem("CERTIFICATE", caDer));
  const leafFile = save("leaf.pem", pem("CERTIFICATE", leafDer));

  test("it verifies what we issue", () => {
    expect(openssl("verify", "-CAfile", caFile, leafFile)).toContain("leaf.pem: OK");
    expect(openssl("verify", "-purpose", "sslserver", "-CAfile", caFile, leafFile)).toContain("leaf.pem: OK");
  });

  test("it reads what we wrote", () => {
    const text = openssl("x509", "-in", leafFile, "-noout", "-text");
    expect(text).toContain(`Signature Algorithm: ${algorithm.toUpperCase()}`);
    expect(text).toMatch(/Subject: CN ?= ?relay\.example/);
    expect(text).toMatch(/Issuer: CN ?= ?SMP server CA, O ?= ?SimpleX/);
    expect(text).toContain("Digital Signature, Non Repudiation, Key Agreement");
    expect(text).toContain("TLS Web Server Authentication");
    expect(openssl("x509", "-in", caFile, "-noout", "-text")).toContain("CA:TRUE");
  });

  test("we read and verify what it issues", () => {
    const subject = ["-subj", "/CN=SMP server CA/O=SimpleX", "-days", "999999"];
    const caKey = join(folder, "their-ca.key");
    const theirCa = join(folder, "their-ca.der");
    openssl("genpkey", "-algorithm", algorithm, "-out", caKey);
    openssl("req", "-new", "-x509", "-key", caKey, ...subject, "-outform", "DER", "-out", theirCa);
    const certificate = execFileSync("openssl", ["x509", "-inform", "DER", "-in", theirCa, "-outform", "DER"]);
    const read = readCertificate(Uint8Array.from(certificate));
    const secret = execFileSync("openssl", ["pkey", "-in", caKey, "-outform", "DER"]);
    const secretKey = decodeSecretKey(Uint8Array.from(secret));
    if (secretKey.algorithm !== "Ed25519" && secretKey.algorithm !== "Ed448") throw new Error("not a signature key");
    const signer = { algorithm: secretKey.algorithm, secret: secretKey.secret };
    const theirs = { certificate: read.der, secretKey: signer };
    const underTheirs = issueServerCertificate(leaf.publicKey, "relay.example", theirs, now);
    const at = Math.max(Date.now(), read.notBefore);
    expect(verifyChain([underTheirs, read.der], at).leaf.publicKey).toStrictEqual(leaf.publicKey);
  });

  test("it reads our secret keys and finds the same public key", () => {
    const file = save("key.der", encodeSecretKey(leaf.secretKey));
    const spki = execFileSync("openssl", ["pkey", "-inform", "DER", "-in", file, "-pubout", "-outform", "DER"]);
    expect(hex(Uint8Array.from(spki)).endsWith(hex(leaf.publicKey.raw))).toBe(true);
  });
});
