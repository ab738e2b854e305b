import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, EMPTY, equal, hex } from "#crypto/bytes";
import { BoxError, PaddingError } from "#crypto/errors";
import { clearBlock, openBlock, openClearBlock, sealBlock } from "#protocol/block";
import { DecodeError, EncodeError } from "#protocol/codec";
import { BATCH_SIZE, BLOCK_SIZE } from "#protocol/limits";
import {
  authorizedBytes,
  encodeBatch,
  encodeTransmission,
  packBatches,
  readBatch,
  readTransmission,
  TransmissionError,
} from "#protocol/transmission";
import { bytes, short, version } from "../support/arbitrary.ts";

const authorization = fc.oneof(
  fc.constant(null),
  bytes(64).map((signature) => ({ kind: "Ed25519", bytes: signature })),
  bytes(80).map((authenticator) => ({ kind: "X25519", bytes: authenticator })),
  bytes(114).map((signature) => ({ kind: "Ed448", bytes: signature })),
);
const transmission = fc.record({
  authorization,
  serviceSig: fc.option(bytes(64), { nil: null }),
  corrId: short,
  entityId: short,
  command: bytes(0, 500),
}, { noNullPrototype: true });
const sessionId = bytes(1, 255);

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("transmissions", () => {
  test("survive their journey at any version, with all that is authorized", () => {
    fc.assert(
      fc.property(transmission, sessionId, version, (sent, session, v) => {
        const params = { version: v, sessionId: session };
        const authorized = authorizedBytes(session, sent.corrId, sent.entityId, sent.command);
        const written = encodeTransmission(params, authorized, sent.authorization?.bytes ?? null, sent.serviceSig);
        const serviceSig = v >= 16 && sent.authorization ? sent.serviceSig : null;
        expect(readTransmission(params, written)).toStrictEqual({ ...sent, serviceSig, authorized });
      }),
      { numRuns: 2000 },
    );
  });

  test("at v6 one for another session is refused with SESSION and its corrId", () => {
    fc.assert(
      fc.property(transmission, sessionId, sessionId, (sent, own, other) => {
        fc.pre(!equal(own, other));
        const authorized = authorizedBytes(other, sent.corrId, sent.entityId, sent.command);
        const written = encodeTransmission({ version: 6, sessionId: other }, authorized, null, null);
        const error = thrownBy(() => readTransmission({ version: 6, sessionId: own }, written));
        expect(error).toBeInstanceOf(TransmissionError);
        expect(error).toMatchObject({ type: "SESSION", corrId: sent.corrId });
      }),
    );
  });

  test("an authorization of an impossible length is refused with BLOCK and its corrId", () => {
    const params = { version: 15, sessionId: Uint8Array.of(1) };
    const corrId = new Uint8Array(24).fill(7);
    const authorized = authorizedBytes(params.sessionId, corrId, EMPTY, EMPTY);
    for (let length = 1; length <= 255; length++) {
      if ([64, 80, 114].includes(length)) continue;
      const written = encodeTransmission(params, authorized, new Uint8Array(length), null);
      const error = thrownBy(() => readTransmission(params, written));
      expect(error, `${length}`).toMatchObject({ name: "TransmissionError", type: "BLOCK", corrId });
    }
  });

  test("cut within its ids a transmission is refused with BLOCK and no corrId", () => {
    const params = { version: 16, sessionId: Uint8Array.of(1) };
    const authorized = authorizedBytes(params.sessionId, new Uint8Array(24), new Uint8Array(24), EMPTY);
    const written = encodeTransmission(params, authorized, new Uint8Array(64), new Uint8Array(64));
    for (let length = 0; length < written.length; length++) {
      const error = thrownBy(() => readTransmission(params, written.slice(0, length)));
      expect(error, `${length}`).toMatchObject({ name: "TransmissionError", type: "BLOCK", corrId: EMPTY });
    }
  });

  test("ids that do not fit their length byte are a mistake of the caller", () => {
    expect(() => authorizedBytes(EMPTY, new Uint8Array(256), EMPTY, EMPTY)).toThrow(EncodeError);
  });
});

describe("batches", () => {
  const items = fc.array(
    fc.oneof({ weight: 8, arbitrary: fc.nat(300) }, { weight: 1, arbitrary: fc.nat(BATCH_SIZE - 2) }),
    { maxLength: 700 },
  ).map((lengths) => lengths.map((length, i) => new Uint8Array(length).fill(i)));

  test("keep order and content, and every block keeps to its limits", () => {
    fc.assert(
      fc.property(items, (transmissions) => {
        const packed = packBatches(transmissions);
        const read = packed.map(readBatch);
        expect(read.flat().length).toBe(transmissions.length);
        expect(read.flat().every((item, i) => equal(item, transmissions[i] ?? EMPTY))).toBe(true);
        for (const content of packed) expect(content.length).toBeLessThanOrEqual(1 + BATCH_SIZE);
        for (const batch of read) expect(batch.length).toBeLessThanOrEqual(255);
      }),
      { numRuns: 100 },
    );
  });

  test("no two neighbouring blocks would fit into one", () => {
    fc.assert(
      fc.property(items, (transmissions) => {
        const read = packBatches(transmissions).map(readBatch);
        const size = (batch: readonly Uint8Array[]): number => batch.reduce((sum, { length }) => sum + 2 + length, 0);
        for (let i = 1; i < read.length; i++) {
          const both = [...(read[i - 1] ?? []), ...(read[i] ?? [])];
          expect(size(both) > BATCH_SIZE || both.length > 255).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("the fullest batch fits a block, encrypted or not", () => {
    const [content] = packBatches([new Uint8Array(BATCH_SIZE - 2)]);
    if (!content) throw new Error("nothing was packed");
    expect(openClearBlock(clearBlock(content))).toStrictEqual(content);
    const chainKey = new Uint8Array(32).fill(1);
    expect(openBlock(chainKey, sealBlock(chainKey, content).block).content()).toStrictEqual(content);
  });

  test("one byte more fits no block, and nothing gives no blocks", () => {
    expect(() => packBatches([new Uint8Array(BATCH_SIZE - 1)])).toThrow(EncodeError);
    expect(packBatches([])).toStrictEqual([]);
    expect(packBatches(Array.from({ length: 256 }, () => EMPTY)).map((content) => content[0])).toStrictEqual([1, 255]);
  });

  test("a count or a length that its field cannot hold is never written", () => {
    expect(() => encodeBatch(Array.from({ length: 256 }, () => EMPTY))).toThrow(EncodeError);
    expect(() => encodeBatch([new Uint8Array(65_536)])).toThrow(EncodeError);
    expect(() => encodeBatch([])).toThrow(EncodeError);
  });

  test("an empty batch, a count too high or too low, and cut ones are refused", () => {
    const good = encodeBatch([Uint8Array.of(1, 2, 3), EMPTY, Uint8Array.of(4)]);
    for (const count of [0, 1, 2, 4, 255]) {
      const wrong = concat(Uint8Array.of(count), good.slice(1));
      expect(() => readBatch(wrong), `count ${count}`).toThrow(DecodeError);
    }
    for (let length = 0; length < good.length; length++) {
      expect(() => readBatch(good.slice(0, length)), `${length}`).toThrow(DecodeError);
    }
  });
});

describe("blocks", () => {
  const start = new Uint8Array(32).fill(9);

  test("a block that does not open costs a step of the chain, not the session", () => {
    const first = sealBlock(start, Uint8Array.of(1));
    const second = sealBlock(first.next, Uint8Array.of(2));
    const altered = first.block.map((byte, i) => (i === 100 ? byte ^ 1 : byte));
    const opened = openBlock(start, altered);
    expect(() => opened.content()).toThrow(BoxError);
    expect(hex(openBlock(opened.next, second.block).content())).toBe("02");
  });

  test("a block replayed, or read by the other direction's key, does not open", () => {
    const { block, next } = sealBlock(start, Uint8Array.of(1));
    expect(() => openBlock(next, block).content()).toThrow(BoxError);
    expect(() => openBlock(new Uint8Array(32).fill(8), block).content()).toThrow(BoxError);
  });

  test("blocks of a wrong size do not open", () => {
    for (const length of [0, 15, 16, 17, BLOCK_SIZE - 1, BLOCK_SIZE]) {
      expect(() => openBlock(start, new Uint8Array(length)).content(), `${length}`).toThrow(BoxError);
    }
    expect(() => openClearBlock(new Uint8Array(1))).toThrow(PaddingError);
  });

  test("the longest contents are 16,382 bytes in clear and 16,366 encrypted", () => {
    expect(clearBlock(new Uint8Array(16_382))).toHaveLength(BLOCK_SIZE);
    expect(() => clearBlock(new Uint8Array(16_383))).toThrow(PaddingError);
    expect(sealBlock(start, new Uint8Array(16_366)).block).toHaveLength(BLOCK_SIZE);
    expect(() => sealBlock(start, new Uint8Array(16_367))).toThrow(PaddingError);
  });
});
