import { describe, expect, test } from "vitest";
import { fromHex, hex, utf8 } from "#crypto/bytes";
import { parseServerAddress, server } from "#protocol/address";
import { encode } from "#protocol/codec";
import { type Command, decodeCommand, decodeMessage, encodeCommand, encodeMessage } from "#protocol/commands";
import { describeError } from "#protocol/errors";
import { reduceCommand, reduceMessage } from "../support/reduce.ts";
import { commandFrom, messageFrom } from "../support/tagged-json.ts";
import { wire } from "../support/vectors.ts";

describe("commands are written and read as by the official code", () => {
  test.each(wire.commands.map((entry, i) => ({ ...entry, title: `${entry.command.tag} (${i})` })))(
    "$title",
    ({ command: json, encodings }) => {
      const command = commandFrom(json);
      for (const encoding of encodings) {
        for (const version of encoding.versions) {
          expect(hex(encodeCommand(command, version)), `written at v${version}`).toBe(encoding.hex);
          const decoded = decodeCommand(fromHex(encoding.hex), version);
          expect(decoded, `read at v${version}`).toStrictEqual(reduceCommand(command, version));
          expect(hex(encodeCommand(decoded, version)), `written again at v${version}`).toBe(encoding.hex);
        }
      }
    },
  );
});

describe("messages are written and read as by the official code", () => {
  test.each(wire.messages.map((entry, i) => ({ ...entry, title: `${entry.message.tag} (${i})` })))(
    "$title",
    ({ message: json, encodings }) => {
      const message = messageFrom(json);
      for (const encoding of encodings) {
        for (const version of encoding.versions) {
          const decoded = decodeMessage(fromHex(encoding.hex), version);
          expect(decoded, `read at v${version}`).toStrictEqual(reduceMessage(message, version));
          expect(hex(encodeMessage(decoded, version)), `written again at v${version}`).toBe(encoding.hex);
          // JSON has no order of keys, and the vectors lost that of INFO; reading the bytes kept it.
          if (message.tag === "INFO") continue;
          expect(hex(encodeMessage(message, version)), `written at v${version}`).toBe(encoding.hex);
        }
      }
    },
  );
});

test("every command that the vectors know stands in them at thirteen versions", () => {
  const tags = new Set(wire.commands.map(({ command }) => command.tag));
  expect(tags.size).toBe(25 - 1); // RSLV came with version 20
  for (const { command, encodings } of wire.commands) {
    expect(encodings.flatMap(({ versions }) => versions), command.tag).toHaveLength(13);
  }
});

test("a server in a command has the same text and binary forms", () => {
  const servers = wire.commands.flatMap(({ command }) => (command.tag === "PRXY" ? [command["server"]] : []));
  expect(servers).toHaveLength(3);
  for (const json of servers) {
    const { uri, encoded } = json as { readonly uri: string; readonly encoded: string };
    expect(hex(encode(server, parseServerAddress(uri)))).toBe(encoded);
  }
});

test("an error reads in a log as it does in the official one", () => {
  const described = wire.messages.flatMap(({ message }) => {
    const decoded = messageFrom(message);
    // The log shows short strings without their length byte, the wire has it.
    const isShortString = /RESPONSE|UNEXPECTED/.test(String(message["text"]));
    return decoded.tag === "ERR" && !isShortString ? [[describeError(decoded.error), message["text"]]] : [];
  });
  expect(described.length).toBeGreaterThan(40);
  for (const [ours, theirs] of described) expect(ours).toBe(theirs);
});

describe("service subscriptions at v19, where two lines of official code differ", () => {
  const subs = (queues: { count: number; idsHash: Uint8Array | null } | null): Command => ({ tag: "SUBS", queues });
  const idsHash = fromHex("211459469a3d54707425604df4a1309b");

  test("the line without a hash writes the bare tag, and we read that nothing was said", () => {
    expect(decodeCommand(utf8("SUBS"), 19)).toStrictEqual(subs(null));
    expect(decodeCommand(utf8("NSUBS"), 19)).toStrictEqual({ tag: "NSUBS", queues: null });
    expect(hex(encodeCommand(subs(null), 19))).toBe(hex(utf8("SUBS")));
  });

  test("the line with a hash writes count and hash", () => {
    const bytes = `${hex(utf8("SUBS "))}000000000000000210${hex(idsHash)}`;
    expect(hex(encodeCommand(subs({ count: 2, idsHash }), 19))).toBe(bytes);
    expect(decodeCommand(fromHex(bytes), 19)).toStrictEqual(subs({ count: 2, idsHash }));
  });

  test("SOKS and ENDS carry the hash, or only the count", () => {
    for (const tag of ["SOKS", "ENDS"] as const) {
      const counted = `${hex(utf8(`${tag} `))}0000000000011170`;
      expect(decodeMessage(fromHex(counted), 19)).toStrictEqual({ tag, count: 70_000, idsHash: null });
      const hashed = `${counted}10${hex(idsHash)}`;
      expect(decodeMessage(fromHex(hashed), 19)).toStrictEqual({ tag, count: 70_000, idsHash });
      expect(hex(encodeMessage({ tag, count: 70_000, idsHash }, 19))).toBe(hashed);
      expect(hex(encodeMessage({ tag, count: 70_000, idsHash }, 18)), "no hash below v19").toBe(counted);
    }
  });
});
