import { expect, test } from "vitest";
import { EMPTY, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { verdictOf } from "../../../client/agent/integrity.ts";

const hash = sha256(utf8("the last one"));
const other = sha256(utf8("another one"));
const last = { number: 5, hash };

test.each([
  ["the next one", 6, hash, { type: "ok" }],
  ["the next one after another message than ours", 6, other, { type: "badHash" }],
  ["the next one, which says that there was none before", 6, EMPTY, { type: "badHash" }],
  ["the one after the next", 7, hash, { type: "skipped", from: 6, to: 6 }],
  ["a much later one, whatever its hash", 100, other, { type: "skipped", from: 6, to: 99 }],
  ["the same number again", 5, hash, { type: "duplicate" }],
  ["an earlier one", 4, hash, { type: "badId", id: 4 }],
  ["a number that no message has", -1, hash, { type: "badId", id: -1 }],
])("%s", (_, sndMsgId, prevMsgHash, verdict) => {
  expect(verdictOf(last, { sndMsgId, prevMsgHash })).toStrictEqual(verdict);
});

test("the first of all messages has no hash before it", () => {
  expect(verdictOf({ number: 0, hash: EMPTY }, { sndMsgId: 1, prevMsgHash: EMPTY })).toStrictEqual({ type: "ok" });
});
