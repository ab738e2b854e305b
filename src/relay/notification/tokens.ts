import { equal } from "#crypto/bytes";
import { KeyError } from "#crypto/errors";
import { dh, generateKeyPair, type PublicKey, publicKeyOf, type SecretKey } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { TNEW } from "#protocol/ntf/commands";
import { MIN_CRON_MINUTES, REG_CODE_LENGTH } from "#protocol/ntf/limits";
import { isDead, isFollowed, type TokenStatus } from "#protocol/ntf/status";
import { type DeviceToken, sameDevice } from "#protocol/ntf/token";
import { answered, done, ntfError, ntfRefused, ntfUnauthorized } from "./outcome.ts";
import { type DeviceStore, type Effect, NOTHING_DELIVERED, type NtfOutcome, type TokenRecord } from "./ports.ts";

const DAY = 86_400_000;

/** Statuses in which the code of the verification push counts. */
const VERIFIABLE: ReadonlySet<TokenStatus> = new Set(["REGISTERED", "CONFIRMED", "ACTIVE"]);

/** Only a token that has passed verification, as far as one can tell, has subscriptions. */
export function mayHaveSubscriptions(status: TokenStatus): boolean {
  return status === "ACTIVE" || isDead(status);
}

function today(now: number): number {
  return now - (now % DAY);
}

/** Notes the use of a token, by at most one write a day. */
export function use(store: DeviceStore, record: TokenRecord, now: number): TokenRecord {
  const usedAt = today(now);
  if (record.usedAt === usedAt) return record;
  const used = { ...record, usedAt };
  store.save(used);
  return used;
}

/** Raw X25519 of the device's key and the server's; null when the device's is unusable. */
export function agree(secretKey: SecretKey<"X25519">, publicKey: PublicKey<"X25519">): Uint8Array | null {
  try {
    return dh(secretKey, publicKey);
  } catch (error) {
    if (error instanceof KeyError) return null;
    throw error;
  }
}

function newCode(): Uint8Array {
  return randomBytes(REG_CODE_LENGTH);
}

function wantVerification(store: DeviceStore): void {
  const state = store.delivery();
  // A device that asks again waits for it: what failed before does not put it off.
  if (!state.verification || state.failures) store.saveDelivery({ ...state, verification: true, failures: null });
}

function idtkn({ tokenId, dhKey: secret }: TokenRecord): NtfOutcome {
  return answered({ tag: "IDTKN", tokenId, dhKey: publicKeyOf({ algorithm: "X25519", secret }) });
}

/** TNEW for a token that is not known. The caller has verified it. */
export function register(
  store: DeviceStore,
  { token, verifyKey, dhKey }: TNEW,
  tokenId: Uint8Array,
  now: number,
): NtfOutcome {
  const { secretKey } = generateKeyPair("X25519");
  const dhSecret = agree(secretKey, dhKey);
  if (!dhSecret) return ntfRefused("SYNTAX");
  const record: TokenRecord = {
    tokenId,
    token,
    status: "REGISTERED",
    verifyKey,
    dhKey: secretKey.secret,
    dhSecret,
    regCode: newCode(),
    cronMinutes: 0,
    cronSentAt: 0,
    usedAt: today(now),
  };
  store.save(record);
  store.saveDelivery({ ...NOTHING_DELIVERED, verification: true });
  return idtkn(record);
}

/**
 * TNEW that comes again. The device's key must be the same too: pushes that are still on their way are sealed with
 * the secret that both sides have. The code stays the same as well.
 */
export function registerAgain(store: DeviceStore, record: TokenRecord, { dhKey }: TNEW): NtfOutcome {
  const dhSecret = agree({ algorithm: "X25519", secret: record.dhKey }, dhKey);
  if (!dhSecret || !equal(dhSecret, record.dhSecret)) return ntfUnauthorized();
  if (!VERIFIABLE.has(record.status)) store.save({ ...record, status: "REGISTERED" });
  wantVerification(store);
  return idtkn(record);
}

/** TVFY; may be repeated, as its answer can get lost. */
export function verifyCode(store: DeviceStore, record: TokenRecord, code: Uint8Array): NtfOutcome {
  if (!VERIFIABLE.has(record.status) || !equal(code, record.regCode)) return ntfUnauthorized();
  const activated: Effect = { type: "activated", token: record.token };
  if (record.status === "ACTIVE") return done(activated);
  store.save({ ...record, status: "ACTIVE" });
  // What was not followed while the token was dead: whatever is believed of them, asking again does no harm.
  const subscriptions = store.subscriptions().filter(({ status }) => isFollowed(status));
  return subscriptions.length > 0 ? done(activated, { type: "follow", subscriptions }) : done(activated);
}

/** TRPL: another device token under the same id, keys and subscriptions; it must be verified anew. */
export function replaceToken(store: DeviceStore, record: TokenRecord, token: DeviceToken): NtfOutcome {
  store.save({ ...record, token, status: "REGISTERED", regCode: newCode() });
  // A new token starts with a clean sheet, but not with pushes of its own for what the former one was told.
  store.saveDelivery({ ...store.delivery(), verification: true, failures: null });
  return sameDevice(record.token, token) ? done() : done({ type: "replaced", from: record.token, to: token });
}

/** Removes a token with all that belongs to it. */
export function forget(store: DeviceStore, record: TokenRecord): readonly Effect[] {
  const subscriptions = store.subscriptions();
  store.erase();
  const released: Effect = { type: "released", token: record.token };
  return subscriptions.length > 0 ? [released, { type: "unfollow", subscriptions }] : [released];
}

/** TCRN. The interval counts from when it is switched on, and is not moved when it is set to what it is. */
export function setInterval(store: DeviceStore, record: TokenRecord, minutes: number, now: number): NtfOutcome {
  if (minutes > 0 && minutes < MIN_CRON_MINUTES) return ntfError({ type: "QUOTA" });
  if (minutes === record.cronMinutes) return done();
  const cronSentAt = record.cronMinutes === 0 ? now : record.cronSentAt;
  store.save({ ...record, cronMinutes: minutes, cronSentAt });
  return done();
}
