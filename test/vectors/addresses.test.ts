import { expect, test } from "vitest";
import { fromHex, hex } from "#crypto/bytes";
import { formatQueueUri, formatServerAddress, parseQueueUri, parseServerAddress, server } from "#protocol/address";
import { decode, encode } from "#protocol/codec";
import { queueAddresses } from "../support/vectors.ts";

test.each(queueAddresses)("$uri", (entry) => {
  const { password, ...parsed } = parseServerAddress(entry.server);
  expect(password).toBeNull();
  expect(formatServerAddress(parsed)).toBe(entry.server);

  const uri = {
    clientVersions: { min: entry.minVersion, max: entry.maxVersion },
    server: parsed,
    senderId: fromHex(entry.senderId),
    dhKey: { algorithm: "X25519", raw: fromHex(entry.dhKey.raw) },
    mode: entry.queueMode,
  } as const;
  expect(formatQueueUri(uri)).toBe(entry.uri);
  const { password: _, ...decodedServer } = parseServerAddress(entry.decodedFromUri.server);
  const decoded = { ...uri, server: decodedServer, mode: entry.decodedFromUri.mode };
  expect(parseQueueUri(entry.uri)).toStrictEqual(decoded);
  expect(formatQueueUri(parseQueueUri(entry.uri))).toBe(entry.uri);
});

test("the server stands in the binary form of an address as we write it", () => {
  for (const entry of queueAddresses) {
    const { password: _, ...parsed } = parseServerAddress(entry.server);
    const bytes = hex(encode(server, parsed));
    const AFTER_VERSIONS = 8;
    expect(entry.uriBinary.slice(AFTER_VERSIONS).startsWith(bytes), entry.uri).toBe(true);
    expect(decode(server, fromHex(bytes))).toStrictEqual(parsed);
  }
});
