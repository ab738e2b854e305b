import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { equal, fromUtf8, hex, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { generateKeyPair } from "#crypto/keys";
import { type Key, openAge, sealAge } from "../../../client/archive/container/age.ts";
import { formatIdentity, formatRecipient, parseIdentity, parseRecipient } from "../../../client/archive/container/age-keys.ts";
import { bytesSource, readExactly } from "../../../client/archive/source.ts";
import testkit from "./data/age-testkit.json" with { type: "json" };
import { bytesOf, codeOf } from "./support/collect.ts";

async function* pieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function openAll(file: Uint8Array, key: Key): Promise<Uint8Array> {
  const plain = await openAge(bytesSource(file), key);
  return readExactly(plain, 0, plain.size, "the test's file");
}

interface Vector {
  readonly name: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly file: Uint8Array;
}

function vectorOf([name, text]: readonly [string, string]): Vector {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const end = bytes.findIndex((byte, index) => byte === 10 && bytes[index + 1] === 10);
  const lines = fromUtf8(bytes.slice(0, end)).split("\n");
  const fields = lines.map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)] as const);
  return { name, fields, file: bytes.slice(end + 2) };
}

async function inflated(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

describe("the age format", () => {
  const vectors = Object.entries(testkit.files).map(vectorOf);

  it.each(vectors)("does as its authors say: $name", async ({ fields, file }) => {
    const all = (name: string): string[] => fields.flatMap(([field, value]) => (field === name ? [value] : []));
    const [expected = ""] = all("expect");
    const [passphrase] = all("passphrase");
    const key = (): Key => (passphrase === undefined ? { identities: all("identity").map(parseIdentity) } : { passphrase });
    const isPacked = all("compressed").includes("zlib");
    let payload = "";
    const code = await codeOf(async () => {
      payload = hex(sha256(await openAll(isPacked ? await inflated(file) : file, key())));
    });
    if (expected === "success") expect([code, payload]).toEqual(["ok", all("payload")[0]]);
    else expect(code).not.toBe("ok");
    // Of those that are for others nothing more can be told, unless trying is too dear or the head is no head.
    if (expected === "no match") expect(["PASSPHRASE", "HOSTILE", "DAMAGED"]).toContain(code);
  });

  it("knows the keys of age in both directions", () => {
    const text = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
    const identity = parseIdentity(text);
    expect(formatIdentity(identity)).toBe(text);
    const pair = generateKeyPair("X25519");
    const recipient = formatRecipient(pair.publicKey);
    expect(recipient).toMatch(/^age1[02-9ac-hj-np-z]{58}$/);
    expect(equal(parseRecipient(recipient).raw, pair.publicKey.raw)).toBe(true);
    const wrong = recipient.slice(0, -1) + (recipient.endsWith("q") ? "p" : "q");
    expect(() => parseRecipient(wrong)).toThrow(/public key of age/);
    expect(() => parseIdentity(recipient)).toThrow(/secret key of age/);
    expect(() => parseIdentity(`${text.slice(0, -1)}k`)).toThrow(/secret key of age/);
  });

  it("holds any bytes in any pieces, readable anywhere", async () => {
    const [alice, bob, carol] = [generateKeyPair("X25519"), generateKeyPair("X25519"), generateKeyPair("X25519")];
    const around = [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000];
    const given = fc.record({ size: fc.constantFrom(...around), by: fc.constantFrom(1000, 65_536, 70_001), at: fc.nat(200_000), length: fc.nat(140_000) }, { noNullPrototype: true });
    await fc.assert(
      fc.asyncProperty(given, async ({ size, by, at, length }) => {
        const bytes = new Uint8Array(size).map((_, index) => (index * 7) % 256);
        const sealed = await bytesOf(sealAge({ recipients: [alice.publicKey, bob.publicKey] }, pieces(bytes, by)));
        const plain = await openAge(bytesSource(sealed), { identities: [carol.secretKey, bob.secretKey] });
        expect(plain.size).toBe(size);
        expect(equal(await plain.read(at, length), bytes.subarray(at, at + length))).toBe(true);
        expect(await codeOf(() => openAge(bytesSource(sealed), { identities: [carol.secretKey] }))).toBe("PASSPHRASE");
      }),
      { numRuns: 20 },
    );
  });

  it("takes a passphrase however its letters are composed", async () => {
    const sealed = await bytesOf(sealAge({ passphrase: "Zu\u0308rich", workFactor: 4 }, pieces(utf8("hello"), 9)));
    expect(await openAll(sealed, { passphrase: "Z\u00fcrich" })).toEqual(utf8("hello"));
    expect(await codeOf(() => openAll(sealed, { passphrase: "Zurich" }))).toBe("PASSPHRASE");
    expect(await codeOf(() => openAll(sealed, { identities: [generateKeyPair("X25519").secretKey] }))).toBe("PASSPHRASE");
  });

  it("is not written for everybody or for nobody", async () => {
    expect(await codeOf(() => bytesOf(sealAge({ passphrase: "" }, pieces(utf8("hello"), 9))))).toBe("PASSPHRASE");
    expect(await codeOf(() => bytesOf(sealAge({ recipients: [] }, pieces(utf8("hello"), 9))))).toBe("PASSPHRASE");
  });

  it("says of each file what is wrong with it", async () => {
    const bytes = new Uint8Array(150_000);
    const sealed = await bytesOf(sealAge({ passphrase: "a", workFactor: 4 }, pieces(bytes, 10_000)));
    const key = { passphrase: "a" };
    const head = sealed.length - 150_000 - 3 * 16 - 16;
    const flipped = (at: number): Uint8Array => sealed.map((byte, index) => (index === at ? byte ^ 1 : byte));
    expect(await codeOf(() => openAll(flipped(head + 16 + 5), key))).toBe("DAMAGED");
    expect(await codeOf(() => openAll(flipped(head - 3), key))).toBe("DAMAGED");
    // Cut at a piece's end, within one, within the head.
    for (const length of [head + 16 + 65_552, sealed.length - 1, sealed.length - 20_000, head + 16, head + 4, head - 9, 9]) {
      expect(await codeOf(() => openAll(sealed.slice(0, length), key))).toBe("TRUNCATED");
    }
    expect(await codeOf(() => openAll(utf8("PK\u0003\u0004 something else"), key))).toBe("FORMAT");
    expect(await codeOf(() => openAll(utf8("age-encryption.org/v2\n"), key))).toBe("NEWER");
    expect(await codeOf(() => openAll(utf8("-----BEGIN AGE ENCRYPTED FILE-----\n"), key))).toBe("FORMAT");
  });
});
