import { describe, expect, test } from "vitest";
import { pictureHeader } from "../../../client/web/media/picture-size.ts";
import { richText, safeImage } from "../../../client/web/state/rich-text.ts";

const linksIn = (text: string): string[] =>
  richText(text).flatMap((piece) => ("href" in piece ? [piece.text] : []));

describe("links in what somebody wrote", () => {
  test.each([
    ["see https://a.example/b.", "https://a.example/b"],
    ["(https://a.example/b)", "https://a.example/b"],
    ["https://a.example/b_(c)", "https://a.example/b_(c)"],
    ["(https://a.example/b_(c)), and", "https://a.example/b_(c)"],
    ["[https://a.example/[x]]...", "https://a.example/[x]"],
    ["*https://a.example/b*", "https://a.example/b"],
    ["https://a.example/b)]}.)", "https://a.example/b"],
  ])("end before what belongs to the sentence: %s", (text, link) => {
    expect(linksIn(text)).toEqual([link]);
  });

  test("are found at once in what was made to take long", () => {
    const dots = ".".repeat(2690);
    const texts = [
      `https://a.example/${dots}x${")".repeat(1380)}`,
      `https://a.example/${"(".repeat(1000)}${")".repeat(3000)}`,
      `https://a.example/${".)".repeat(2000)}`,
      `https://a.example/${`${dots}x `.repeat(5)}`,
    ];
    const from = performance.now();
    for (const text of texts) expect(linksIn(text)).not.toEqual([]);
    expect(performance.now() - from).toBeLessThan(500);
  });
});

const word = (value: number): number[] => [value >> 8, value & 255];
const little = (value: number): number[] => [value & 255, value >> 8];
const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0));

const png = (width: number, height: number): number[] => [
  0x89, ...ascii("PNG\r\n\x1a\n"), 0, 0, 0, 13, ...ascii("IHDR"), 0, 0, ...word(width), 0, 0, ...word(height), 1, 0, 0, 0, 0,
];
/** With something before the frame that looks like one, and filling. */
const jpeg = (width: number, height: number, frame = 0xc2): number[] => [
  0xff, 0xd8, 0xff, 0xe0, ...word(9), 0xff, 0xc0, 0, 0, 0, 1, 0, 0xff, 0xc4, ...word(4), 1, 2,
  0xff, 0xff, frame, ...word(17), 8, ...word(height), ...word(width), 3,
];
const gif = (width: number, height: number, inner = [1, 1]): number[] => [
  ...ascii("GIF89a"), ...little(width), ...little(height), 0x80, 0, 0, ...Array<number>(6).fill(0),
  0x21, 0xf9, 4, 0, 0, 0, 0, 0,
  0x2c, 0, 0, 0, 0, ...inner.flatMap(little), 0x80, ...Array<number>(6).fill(0), 2, 3, 1, 2, 3, 0, 0x3b,
];
const webp = (chunk: string, data: readonly number[]): number[] => [
  ...ascii("RIFF"), 0, 0, 0, 0, ...ascii("WEBP"), ...ascii(chunk), 0, 0, 0, 0, ...data,
];
const lossy = (width: number, height: number): number[] =>
  webp("VP8 ", [0, 0, 0, 0x9d, 0x01, 0x2a, ...little(width), ...little(height)]);
function lossless(width: number, height: number): number[] {
  const sizes = (width - 1) | ((height - 1) << 14);
  return webp("VP8L", [0x2f, sizes & 255, (sizes >> 8) & 255, (sizes >> 16) & 255, (sizes >> 24) & 255]);
}
const extended = (width: number, height: number): number[] =>
  webp("VP8X", [0x10, 0, 0, 0, ...little((width - 1) & 0xffff), (width - 1) >> 16, ...little((height - 1) & 0xffff), (height - 1) >> 16]);

const uri = (bytes: readonly number[], type = "jpg"): string =>
  `data:image/${type};base64,${Buffer.from(bytes).toString("base64")}`;

const KINDS = { png, jpeg, gif, lossy, lossless, extended };

describe("pictures that somebody sent", () => {
  test.each(Object.entries(KINDS))("are measured before they are shown: %s", (_, make) => {
    expect(pictureHeader(Uint8Array.from(make(640, 481)))?.pixels).toBe(640 * 481);
    expect(safeImage(uri(make(1920, 1080)))).toBe(uri(make(1920, 1080), "jpeg"));
    expect(safeImage(uri(make(9200, 9200)))).toBeNull();
    expect(safeImage(uri(make(0x3fff, 0x3fff)))).toBeNull();
  });

  test("are measured by their largest frame, whatever the screen is said to be", () => {
    expect(safeImage(uri(gif(16, 16, [9200, 9200])))).toBeNull();
  });

  test("are not shown when they are of no known kind, cut off, or have no size", () => {
    for (const make of Object.values(KINDS)) expect(safeImage(uri(make(640, 480).slice(0, 9)))).toBeNull();
    expect(safeImage(uri(jpeg(640, 480, 0xd9)))).toBeNull();
    expect(safeImage(uri(png(0, 480)))).toBeNull();
    expect(safeImage(uri(ascii("<svg xmlns='http://www.w3.org/2000/svg'/>"), "png"))).toBeNull();
    for (const other of ["", "data:image/svg+xml;base64,AAAA", "data:image/png;base64,A", "https://a.example/b.png", null]) {
      expect(safeImage(other)).toBeNull();
    }
  });
});
