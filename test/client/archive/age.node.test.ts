import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { generateKeyPair } from "#crypto/keys";
import { formatIdentity, formatRecipient } from "../../../client/archive/container/age-keys.ts";
import { openAge } from "../../../client/archive/container/age.ts";
import { bytesSource } from "../../../client/archive/source.ts";
import { written } from "./support/archives.ts";

const hasAge = spawnSync("age", ["--version"]).status === 0;
const folder = mkdtempSync(join(tmpdir(), "archive-age-"));
afterAll(() => rmSync(folder, { recursive: true }));

// Where the age program is installed: apt install age.
describe.skipIf(!hasAge)("the age program", () => {
  const pair = generateKeyPair("X25519");
  const identity = join(folder, "identity.txt");
  writeFileSync(identity, `${formatIdentity(pair.secretKey)}\n`);

  it("opens an archive that was sealed to a key, and tar lists and unpacks it", async () => {
    const { bytes, manifest } = await written(undefined, { recipients: [pair.publicKey] });
    const [sealed, plain] = [join(folder, "archive.age"), join(folder, "archive.tar")];
    writeFileSync(sealed, bytes);
    execFileSync("age", ["-d", "-i", identity, "-o", plain, sealed]);
    const names = execFileSync("tar", ["tf", plain], { encoding: "utf8" }).trim().split("\n");
    expect(names).toEqual(["archive.json", ...(manifest?.parts ?? []).map(({ name }) => name), "manifest.json"]);
    execFileSync("tar", ["xf", plain, "-C", folder]);
    expect(JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"))).toEqual(manifest);
    for (const { name, sha256 } of manifest?.parts ?? []) {
      expect(execFileSync("sha256sum", [join(folder, name)], { encoding: "utf8" }).slice(0, 64)).toBe(sha256);
    }
  });

  it("writes files that open here", async () => {
    const bytes = new Uint8Array(100_000).map((_, index) => index % 255);
    const sealed = execFileSync("age", ["-r", formatRecipient(pair.publicKey)], { input: bytes });
    const plain = await openAge(bytesSource(new Uint8Array(sealed)), { identities: [pair.secretKey] });
    expect(await plain.read(0, plain.size)).toEqual(bytes);
  });
});

describe.skipIf(!hasAge || spawnSync("script", ["--version"]).status !== 0)("the age program on a terminal", () => {
  it("opens an archive that was sealed with a passphrase", async () => {
    const { bytes } = await written();
    const [sealed, plain] = [join(folder, "passphrase.age"), join(folder, "passphrase.tar")];
    writeFileSync(sealed, bytes);
    const command = `age -d -o ${plain} ${sealed}`;
    execFileSync("script", ["-qec", command, "/dev/null"], { input: "correct horse\n", timeout: 20_000 });
    expect(execFileSync("tar", ["tf", plain], { encoding: "utf8" })).toContain("manifest.json");
  });
});
