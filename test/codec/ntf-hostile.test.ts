import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, utf8 } from "#crypto/bytes";
import { PaddingError } from "#crypto/errors";
import { decode, DecodeError } from "#protocol/codec";
import { openNtfBlock, readNtfContent, readNtfTransmission } from "#protocol/ntf/block";
import { decodeNtfAnswer, decodeNtfCommand, encodeNtfAnswer, encodeNtfCommand } from "#protocol/ntf/commands";
import { readNtfClientHello, readNtfServerHello } from "#protocol/ntf/handshake";
import { deviceToken as deviceTokenCodec } from "#protocol/ntf/token";
import { UnknownTagError } from "#protocol/tagged";
import { TransmissionError } from "#protocol/transmission";
import { bytes } from "../support/arbitrary.ts";
import { mutated, mutations } from "../support/mutate.ts";
import { ntfAnswer, ntfAnswers, ntfCommand, ntfCommands, ntfVersion } from "../support/ntf-arbitrary.ts";

const RUNS = { numRuns: 2000 };

/** Fails unless `run` succeeds or throws one of the errors that tell of a peer's bytes. */
function survives<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    const expected = [DecodeError, UnknownTagError, TransmissionError, PaddingError];
    if (expected.some((kind) => error instanceof kind)) return undefined;
    throw new Error("another error than the decoders promise", { cause: error });
  }
}

describe("a hostile peer", () => {
  const TAGS = [...Object.keys(ntfCommands), ...Object.keys(ntfAnswers)];

  test("random bytes, alone and behind a tag that exists", () => {
    fc.assert(fc.property(fc.constantFrom("", ...TAGS.map((tag) => `${tag} `)), bytes(0, 500), ntfVersion, (tag, rest, v) => {
      survives(() => decodeNtfCommand(concat(utf8(tag), rest), v));
      survives(() => decodeNtfAnswer(concat(utf8(tag), rest), v));
    }), RUNS);
  });

  test("every mutation of a valid command or answer is refused, or means something that can be said again", () => {
    fc.assert(fc.property(ntfCommand, ntfAnswer, ntfVersion, mutations, (command, answer, v, list) => {
      const decoded = survives(() => decodeNtfCommand(mutated(encodeNtfCommand(command, v), list), v));
      if (decoded) expect(decodeNtfCommand(encodeNtfCommand(decoded, v), v)).toStrictEqual(decoded);
      const answered = survives(() => decodeNtfAnswer(mutated(encodeNtfAnswer(answer, v), list), v));
      if (!answered) return;
      const again = encodeNtfAnswer(answered, v);
      expect(encodeNtfAnswer(decodeNtfAnswer(again, v), v)).toStrictEqual(again);
    }), { numRuns: 4000 });
  });

  test("every truncation", () => {
    for (const arbitrary of Object.values(ntfCommands)) {
      const [command] = fc.sample(arbitrary, { numRuns: 1, seed: 3 });
      if (!command) continue;
      const whole = encodeNtfCommand(command, 3);
      for (let length = 0; length < whole.length; length++) survives(() => decodeNtfCommand(whole.slice(0, length), 3));
    }
  });

  test("hellos, blocks and transmissions of random bytes", () => {
    fc.assert(fc.property(bytes(0, 512), ntfVersion, (input, version) => {
      survives(() => readNtfServerHello(input));
      survives(() => readNtfClientHello(input));
      survives(() => readNtfContent(version, input));
      survives(() => readNtfTransmission({ version, sessionId: new Uint8Array(32) }, input));
      survives(() => openNtfBlock(input));
      survives(() => decode(deviceTokenCodec, input));
    }), RUNS);
  });

  test("JavaScript's own names are no tags, statuses or providers; the wrong letter is no entity", () => {
    for (const name of ["__proto__", "constructor", "toString"]) {
      expect(() => decodeNtfCommand(utf8(name), 3)).toThrow(UnknownTagError);
      expect(() => decodeNtfAnswer(utf8(`TKN ${name}`), 3)).toThrow(DecodeError);
      expect(() => decodeNtfAnswer(utf8(`SUB ${name}`), 3)).toThrow(DecodeError);
    }
    const commands = ["TNEW S", "SNEW T", "TNEW", "TCHK ", "TCRN 1", "TRPL AZ\u0001a", "TRPL WX"];
    for (const text of [...commands, "TKN INVALID,", "TKN INVALID,X", "TKN ACTIVE "]) {
      const read = text.startsWith("TKN") ? decodeNtfAnswer : decodeNtfCommand;
      expect(() => read(utf8(text), 3), text).toThrow(DecodeError);
    }
  });
});
