import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, hex, utf8 } from "#crypto/bytes";
import {
  type CommandTag,
  decodeCommand,
  decodeMessage,
  encodeCommand,
  encodeMessage,
  type MessageTag,
} from "#protocol/commands";
import { commands, messages, version, VERSIONS } from "../support/arbitrary.ts";
import { reduceCommand, reduceMessage } from "../support/reduce.ts";

const RUNS = { numRuns: 150 };

describe("what a session of any version can say survives its journey", () => {
  test.each(Object.keys(commands) as CommandTag[])("command %s", (tag) => {
    for (const v of VERSIONS) {
      fc.assert(
        fc.property(commands[tag], (command) => {
          const bytes = encodeCommand(command, v);
          const decoded = decodeCommand(bytes, v);
          expect(decoded).toStrictEqual(reduceCommand(command, v));
          expect(hex(encodeCommand(decoded, v))).toBe(hex(bytes));
        }),
        { numRuns: 20 },
      );
    }
  });

  test.each(Object.keys(messages) as MessageTag[])("message %s", (tag) => {
    for (const v of VERSIONS) {
      fc.assert(
        fc.property(messages[tag], (message) => {
          const bytes = encodeMessage(message, v);
          const decoded = decodeMessage(bytes, v);
          expect(decoded).toStrictEqual(reduceMessage(message, v));
          expect(hex(encodeMessage(decoded, v))).toBe(hex(bytes));
        }),
        { numRuns: 20 },
      );
    }
  });
});

test("commands and messages without parameters refuse any", () => {
  const bare = ["SUB", "LDEL", "GET", "OFF", "DEL", "QUE", "PING", "LGET", "NDEL", "NSUB"];
  const bareMessages = ["OK", "PONG", "END", "DELD", "ALLS"];
  const extra = fc.uint8Array({ minLength: 1, maxLength: 20 });
  const text = (tag: string, more: Uint8Array): Uint8Array => concat(utf8(`${tag} `), more);
  fc.assert(
    fc.property(fc.constantFrom(...bare), extra, version, (tag, more, v) => {
      expect(() => decodeCommand(text(tag, more), v)).toThrow();
      expect(() => decodeCommand(text(tag, new Uint8Array(0)), v), "a lone space").toThrow();
    }),
    RUNS,
  );
  fc.assert(
    fc.property(fc.constantFrom(...bareMessages), extra, version, (tag, more, v) => {
      expect(() => decodeMessage(text(tag, more), v)).toThrow();
    }),
    RUNS,
  );
});

test("what is decoded does not hold on to its block", () => {
  const body = new Uint8Array(10).fill(1);
  const bytes = encodeCommand({ tag: "SEND", notification: true, body }, 19);
  const decoded = decodeCommand(bytes, 19);
  bytes.fill(0);
  expect(decoded).toStrictEqual({ tag: "SEND", notification: true, body });
});
