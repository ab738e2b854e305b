import fc from "fast-check";
import { ALGORITHMS } from "#crypto/algorithms";
import { hex } from "#crypto/bytes";
import type { AuthAlgorithm, PublicKey } from "#crypto/keys";
import type { AuthSecretKey } from "#protocol/authorize";
import type { ErrorType } from "#protocol/errors";
import type { NtfAnswer, NtfCommand } from "#protocol/ntf/commands";
import type { MessageNotification } from "#protocol/ntf/notification";
import type { NtfQueue } from "#protocol/ntf/queue";
import type { SubscriptionStatus, TokenStatus } from "#protocol/ntf/status";
import type { DeviceToken } from "#protocol/ntf/token";
import { authKey, bytes, dhKey, short } from "./arbitrary.ts";

const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true }) as unknown as fc.Arbitrary<T>;

export const ntfVersion = fc.constantFrom(1, 2, 3);

const apns = record({
  provider: fc.constantFrom("apns_dev" as const, "apns_prod" as const, "apns_test" as const, "apns_null" as const),
  token: bytes(1, 100).map(hex),
});
const webPush = record({
  provider: fc.constant("webpush" as const),
  host: fc.stringMatching(/^[a-z0-9-]{1,20}(\.[a-z0-9]{1,10}){0,4}$/),
  port: fc.oneof(fc.constant(""), fc.integer({ min: 1, max: 65_535 }).map(String)),
  path: fc.stringMatching(/^\/[A-Za-z0-9._~:?@!$&'()*+,;=%/-]{0,200}$/),
  auth: bytes(16),
  p256dh: bytes(64).map((point) => Uint8Array.of(4, ...point)),
});
const fcm = record({ provider: fc.constant("fcm" as const), token: fc.stringMatching(/^[A-Za-z0-9_:-]{1,200}$/) });
export const deviceToken: fc.Arbitrary<DeviceToken> = fc.oneof(apns, webPush, fcm);

const server = record({
  hosts: fc.array(fc.stringMatching(/^[a-z]{1,12}\.example(\.org)?$/), { minLength: 1, maxLength: 3 }),
  port: fc.oneof(fc.constant(""), fc.constant("5223")),
  keyHash: bytes(32),
});
export const ntfQueue: fc.Arbitrary<NtfQueue> = record({ server, notifierId: bytes(1, 40) });

const notifierKey: fc.Arbitrary<AuthSecretKey> = fc.constantFrom("Ed25519" as const, "Ed448" as const, "X25519" as const).chain(
  (algorithm) => bytes(ALGORITHMS[algorithm].secretLength).map((secret) => ({ algorithm, secret }) as AuthSecretKey),
);

const verifyKey = authKey as fc.Arbitrary<PublicKey<AuthAlgorithm>>;

const plain = <T extends string>(tag: T): fc.Arbitrary<{ tag: T }> => fc.constant({ tag });

export const ntfCommands: { readonly [K in NtfCommand["tag"]]: fc.Arbitrary<NtfCommand> } = {
  TNEW: record({ tag: fc.constant("TNEW" as const), token: deviceToken, verifyKey, dhKey }),
  TVFY: record({ tag: fc.constant("TVFY" as const), code: short }),
  TCHK: plain("TCHK"),
  TRPL: record({ tag: fc.constant("TRPL" as const), token: deviceToken }),
  TDEL: plain("TDEL"),
  TCRN: record({ tag: fc.constant("TCRN" as const), minutes: fc.nat(65_535) }),
  SNEW: record({ tag: fc.constant("SNEW" as const), tokenId: short, queue: ntfQueue, notifierKey }),
  SCHK: plain("SCHK"),
  SDEL: plain("SDEL"),
  PING: plain("PING"),
};
export const ntfCommand: fc.Arbitrary<NtfCommand> = fc.oneof(...Object.values(ntfCommands));

const tokenStatus = fc.constantFrom<TokenStatus>(
  "NEW",
  "REGISTERED",
  "INVALID",
  "INVALID,BAD",
  "INVALID,TOPIC",
  "INVALID,EXPIRED",
  "INVALID,UNREGISTERED",
  "CONFIRMED",
  "ACTIVE",
  "EXPIRED",
);
const subscriptionStatus = fc.oneof(
  fc.constantFrom<SubscriptionStatus>("NEW", "PENDING", "ACTIVE", "INACTIVE", "END", "DELETED", "AUTH", "SERVICE"),
  fc.string({ unit: "binary", maxLength: 80 }).map((text): SubscriptionStatus => `ERR ${text}`),
);
const error = fc.constantFrom<ErrorType>(
  { type: "AUTH" },
  { type: "QUOTA" },
  { type: "BLOCK" },
  { type: "CMD", cmdErr: { type: "PROHIBITED" } },
  { type: "BLOCKED", blockInfo: { reason: "spam" } },
  { type: "STORE", storeErr: "try again" },
);

export const ntfAnswers: { readonly [K in NtfAnswer["tag"]]: fc.Arbitrary<NtfAnswer> } = {
  IDTKN: record({ tag: fc.constant("IDTKN" as const), tokenId: short, dhKey }),
  IDSUB: record({ tag: fc.constant("IDSUB" as const), subId: short }),
  OK: plain("OK"),
  TKN: record({ tag: fc.constant("TKN" as const), status: tokenStatus }),
  SUB: record({ tag: fc.constant("SUB" as const), status: subscriptionStatus }),
  ERR: record({ tag: fc.constant("ERR" as const), error }),
  PONG: plain("PONG"),
};
export const ntfAnswer: fc.Arbitrary<NtfAnswer> = fc.oneof(...Object.values(ntfAnswers));

export const messageNotification: fc.Arbitrary<MessageNotification> = record({
  queue: ntfQueue,
  ts: fc.nat(4_000_000_000),
  nonce: bytes(24),
  encMeta: bytes(144),
});
