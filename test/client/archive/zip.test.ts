import { describe, expect, it } from "vitest";
import { concat, utf8 } from "#crypto/bytes";
import { crc32 } from "../../../client/archive/official/crc32.ts";
import { contentOf } from "../../../client/archive/official/unzip.ts";
import { readDirectory } from "../../../client/archive/official/zip.ts";
import { bytesSource } from "../../../client/archive/source.ts";
import { bytesOf, codeOf } from "./support/collect.ts";
import { zipOf, type ZipFile } from "./support/zip-writer.ts";

const hello: ZipFile = { name: "hello.txt", bytes: utf8("hello") };

async function deflate(bytes: Uint8Array): Promise<Uint8Array> {
  const packed = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** Every file of the zip, unpacked. */
async function unzip(zip: Uint8Array): Promise<Map<string, Uint8Array>> {
  const source = bytesSource(zip);
  const directory = await readDirectory(source);
  const out = new Map<string, Uint8Array>();
  for (const entry of directory.entries) out.set(entry.name, await bytesOf(contentOf(source, directory, entry)));
  return out;
}

describe("a zip", () => {
  it("has the check sum that everybody knows", () => {
    expect(crc32(utf8("123456789"))).toBe(0xcbf43926);
    expect(crc32(utf8("56789"), crc32(utf8("1234")))).toBe(0xcbf43926);
  });

  it("gives back what was stored and what was packed", async () => {
    const long = new Uint8Array(300_000).map((_, index) => index % 251);
    const zip = zipOf([hello, { name: "dir/long", bytes: long, deflated: await deflate(long) }, { name: "empty", bytes: new Uint8Array() }]);
    const files = await unzip(zip);
    expect([...files.keys()]).toEqual(["hello.txt", "dir/long", "empty"]);
    expect(files.get("hello.txt")).toEqual(hello.bytes);
    expect(files.get("dir/long")).toEqual(long);
  });

  it("is found behind a comment at its end", async () => {
    const zip = zipOf([hello]);
    zip[zip.length - 2] = 3;
    expect((await unzip(concat(zip, utf8("abc")))).get("hello.txt")).toEqual(hello.bytes);
  });

  it("may be one for files beyond 4 GiB", async () => {
    const long = new Uint8Array(10_000).fill(5);
    const files = await unzip(zipOf([hello, { name: "big", bytes: long, deflated: await deflate(long), isBig: true }, { ...hello, name: "last", isBig: true }]));
    expect([...files]).toEqual([["hello.txt", hello.bytes], ["big", long], ["last", hello.bytes]]);
    const far = zipOf([{ ...hello, isBig: true, offset: 2 ** 40 }]);
    expect(await codeOf(() => unzip(far))).toBe("TRUNCATED");
    expect(await codeOf(() => unzip(zipOf([{ ...hello, isBig: true, size: 2 ** 60, packedSize: 2 ** 60 }])))).toBe("DAMAGED");
  });

  it("stops as soon as more comes out than it announced", async () => {
    const bomb = await deflate(new Uint8Array(50_000_000));
    const zip = zipOf([{ name: "bomb", bytes: new Uint8Array(), deflated: bomb, size: 1000 }]);
    const source = bytesSource(zip);
    const directory = await readDirectory(source);
    const [entry] = directory.entries;
    let seen = 0;
    const read = async (): Promise<void> => {
      if (entry) for await (const chunk of contentOf(source, directory, entry)) seen += chunk.length;
    };
    expect(await codeOf(read)).toBe("HOSTILE");
    expect(seen).toBeLessThanOrEqual(1000);
  });

  const packed = utf8("never mind");
  it.each<readonly [string, string, Uint8Array]>([
    ["says a size that cannot be", "HOSTILE", zipOf([{ name: "a", bytes: packed, deflated: packed, size: 1_000_000_000 }])],
    ["holds a name twice", "HOSTILE", zipOf([hello, hello])],
    ["has one file within another", "HOSTILE", zipOf([hello, { ...hello, name: "other.txt", offset: 3 }])],
    ["has a stored file of two sizes", "HOSTILE", zipOf([{ ...hello, size: 4 }])],
    ["has the wrong check sum", "DAMAGED", zipOf([{ ...hello, crc: 1 }])],
    ["names a file in two ways", "DAMAGED", zipOf([{ ...hello, localName: "hullo.txt" }])],
    ["holds what is not packed", "DAMAGED", zipOf([{ name: "a", bytes: packed, deflated: utf8("\x07nothing that inflates") }])],
    ["reaches beyond its end", "TRUNCATED", zipOf([{ ...hello, size: 9999, packedSize: 9999 }])],
    ["is encrypted", "FORMAT", zipOf([{ ...hello, flags: 1 }])],
    ["is packed in another way", "FORMAT", zipOf([{ ...hello, method: 12 }])],
    ["lost its end", "TRUNCATED", zipOf([hello]).slice(0, -30)],
    ["is empty", "TRUNCATED", new Uint8Array()],
    ["is something else", "FORMAT", utf8("no zip at all, and long enough to be looked at")],
  ])("that %s is refused (%s)", async (_, code, zip) => {
    expect(await codeOf(() => unzip(zip))).toBe(code);
  });
});
