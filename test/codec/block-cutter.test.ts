import fc from "fast-check";
import { expect, test } from "vitest";
import { concat } from "#crypto/bytes";
import { BlockCutter } from "#protocol/block-cutter";
import { BLOCK_SIZE } from "#protocol/limits";

const STREAM = Uint8Array.from({ length: 3 * BLOCK_SIZE + 100 }, (_, i) => (i * 31) >> 3);

test.each([BLOCK_SIZE, 512])("a stream gives the same blocks of %i bytes, however it is cut", (size) => {
  const whole = Math.floor(STREAM.length / size);
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: STREAM.length }), { maxLength: 12 }), (cuts) => {
    const cutter = new BlockCutter(size);
    const edges = [0, ...cuts.toSorted((a, b) => a - b), STREAM.length];
    const blocks = edges.slice(1).flatMap((end, i) => cutter.push(STREAM.subarray(edges[i], end)));
    expect(blocks.map(({ length }) => length)).toEqual(Array<number>(whole).fill(size));
    expect(concat(...blocks)).toEqual(STREAM.subarray(0, whole * size));
  }));
});

test("what waits for its end is not changed by what becomes of the chunk", () => {
  const cutter = new BlockCutter();
  const chunk = STREAM.slice(0, 100);
  expect(cutter.push(chunk)).toEqual([]);
  chunk.fill(0);
  expect(cutter.push(STREAM.subarray(100, BLOCK_SIZE))).toEqual([STREAM.subarray(0, BLOCK_SIZE)]);
});
