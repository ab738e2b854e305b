import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { utf8 } from "#crypto/bytes";
import { CryptoError, PaddingError } from "#crypto/errors";
import { randomBytes } from "#crypto/random";
import { AddressError } from "#protocol/address";
import { NOTIFICATION_DATA_PADDED } from "#protocol/ntf/limits";
import {
  CHECK_MESSAGES,
  formatMessages,
  messagesFit,
  NotificationError,
  openNotificationData,
  parseMessageNotification,
  parseMessages,
  sealMessages,
  sealVerification,
} from "#protocol/ntf/notification";
import { formatNtfQueue, parseNtfQueue } from "#protocol/ntf/queue";
import { mutated, mutations } from "../support/mutate.ts";
import { messageNotification, ntfQueue } from "../support/ntf-arbitrary.ts";

const RUNS = { numRuns: 2000 };
const SECRET = new Uint8Array(32).fill(8);
const NONCE = "A".repeat(32);
const SERVER = `smp://${"A".repeat(43)}`;

describe("notification data", () => {
  const nonce = new Uint8Array(24).fill(2);

  test("survives its journey, and always has the same size", () => {
    const sizes = new Set<number>();
    fc.assert(fc.property(fc.array(messageNotification, { minLength: 1, maxLength: 6 }), (messages) => {
      fc.pre(messagesFit(messages));
      const data = sealMessages(SECRET, nonce, messages);
      expect(openNotificationData(SECRET, JSON.parse(JSON.stringify(data)))).toStrictEqual({ type: "messages", messages });
      sizes.add(JSON.stringify(data).length);
    }), { numRuns: 200 });
    expect([...sizes]).toHaveLength(1);
    const code = randomBytes(32);
    const verification = sealVerification(SECRET, nonce, code);
    expect(openNotificationData(SECRET, verification)).toStrictEqual({ type: "verification", code });
    expect(openNotificationData(SECRET, CHECK_MESSAGES)).toStrictEqual({ type: "check" });
  });

  test("six messages of usual queues fit, seven are not told of, nor what is too long", () => {
    const usual = (notifierId: Uint8Array) => ({
      queue: { server: { hosts: ["smp12.simplex.im", `${"a".repeat(56)}.onion`], port: "5223", keyHash: SECRET }, notifierId },
      ts: 1_800_000_000,
      nonce,
      encMeta: new Uint8Array(144),
    });
    const six = Array.from({ length: 6 }, () => usual(randomBytes(24)));
    expect(messagesFit(six)).toBe(true);
    expect(messagesFit([...six, usual(randomBytes(24))])).toBe(false);
    expect(messagesFit(six, formatMessages(six).length + 1)).toBe(false);
    expect(messagesFit(six, formatMessages(six).length + 2)).toBe(true);
    expect(sealMessages(SECRET, nonce, six, formatMessages(six).length + 2)).toHaveProperty("message");
    expect(() => sealMessages(SECRET, nonce, six, formatMessages(six).length + 1)).toThrow(PaddingError);
  });

  test.each([
    null, 1, "x", [], {}, { checkMessages: false }, { checkMessages: "true" }, { __proto__: { checkMessages: 1 } },
    { nonce: 1, message: "AA" }, { nonce: "AA", message: "AA" }, { nonce: NONCE }, { nonce: NONCE, message: 5 },
    { nonce: NONCE, message: "*" }, { nonce: NONCE, verification: null }, { nonce: NONCE, message: "AA" },
    { nonce: NONCE, verification: "A".repeat(400) },
  ])("that is none is refused: %j", (json) => {
    try {
      openNotificationData(SECRET, json);
      throw new Error("it was taken");
    } catch (error) {
      expect(error instanceof NotificationError || error instanceof CryptoError).toBe(true);
    }
  });

  test("with one bit changed does not open", () => {
    const data = sealVerification(SECRET, nonce, randomBytes(32)) as { nonce: string; verification: string };
    const changed = `${data.verification.startsWith("A") ? "B" : "A"}${data.verification.slice(1)}`;
    expect(() => openNotificationData(SECRET, { ...data, verification: changed })).toThrow(CryptoError);
    expect(() => openNotificationData(new Uint8Array(32).fill(9), data)).toThrow(CryptoError);
  });

  test.each([
    "", ";", "smp://x 1 a b", "a b c d e", "smp://AAAA@h/AAAA 1 AAAA AAAA", `${SERVER}@h/AAAA -1 ${NONCE} AAAA`,
    `${SERVER}@h 1 ${NONCE} AAAA`, `${SERVER}:pw@h/AAAA 1 ${NONCE} AAAA`, `${SERVER}@h/AAAA 1 ${NONCE} `,
    `${SERVER}@h/AAAA 1e3 ${NONCE} AAAA`,
  ])("a list that is none: %j", (text) => {
    expect(() => parseMessages(text)).toThrow(NotificationError);
  });

  test("random texts and changed lists", () => {
    fc.assert(fc.property(messageNotification, mutations, (message, list) => {
      const text = String.fromCharCode(...mutated(utf8(formatMessages([message])), list));
      try {
        const read = parseMessages(text);
        expect(parseMessages(formatMessages(read))).toStrictEqual(read);
      } catch (error) {
        if (!(error instanceof NotificationError)) throw error;
      }
    }), RUNS);
    expect(() => parseNtfQueue("smp://")).toThrow(AddressError);
    expect(() => parseMessageNotification("x".repeat(100_000))).toThrow(NotificationError);
  });

  test("queues survive their journey as text", () => {
    fc.assert(fc.property(ntfQueue, (queue) => void expect(parseNtfQueue(formatNtfQueue(queue))).toStrictEqual(queue)), RUNS);
    expect(NOTIFICATION_DATA_PADDED).toBeLessThan(3072);
  });
});

