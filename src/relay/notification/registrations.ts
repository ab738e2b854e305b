import { equal } from "#crypto/bytes";
import { type AuthAlgorithm, type PublicKey, sameKey } from "#crypto/keys";
import { type Bucket, take } from "../limits.ts";
import { REGISTRATIONS } from "./limits.ts";

/** One of the registrations of a device token: by its key it is found when TNEW comes again. */
export interface Registration {
  /** Names the token inside the server (`newDevice`). */
  readonly device: Uint8Array;
  readonly verifyKey: PublicKey<AuthAlgorithm>;
  /** Whether it has been verified: it proved to belong to the device. */
  readonly isActive: boolean;
}

/** All registrations of one device token, oldest first. Plain data, kept where a device token leads without any id. */
export interface Registrations {
  readonly entries: readonly Registration[];
  /** Each registration causes a push to whoever the device token belongs to. */
  readonly attempts: Bucket | null;
}

export const NO_REGISTRATIONS: Registrations = { entries: [], attempts: null };

/** What a change leads to: the tokens of `forgotten` registrations are to be forgotten. */
export interface RegistrationsChange {
  readonly registrations: Registrations;
  readonly device: Uint8Array;
  readonly forgotten: readonly Uint8Array[];
}

/**
 * The registration that a TNEW or TRPL asks for, found or made under the name `device`. Null: too many have been asked
 * for in this minute, and the answer is QUOTA. The caller has verified the command. `now` in milliseconds.
 */
export function enroll(
  { entries, attempts }: Registrations,
  verifyKey: PublicKey<AuthAlgorithm>,
  device: Uint8Array,
  now: number,
): RegistrationsChange | null {
  const counted = take(attempts, REGISTRATIONS.perMinute, now);
  if (!counted) return null;
  const existing = entries.find((entry) => sameKey(entry.verifyKey, verifyKey));
  if (existing) return { registrations: { entries, attempts: counted }, device: existing.device, forgotten: [] };
  const all = [...entries, { device, verifyKey, isActive: false }];
  // Strangers who know a device token cannot push out who has proved to own it.
  const surplus = all.length > REGISTRATIONS.atOnce ? all.find(({ isActive }) => !isActive) : undefined;
  return {
    registrations: { entries: all.filter((entry) => entry !== surplus), attempts: counted },
    device,
    forgotten: surplus ? [surplus.device] : [],
  };
}

/** The device read its push: every other registration of its token is a leftover. */
export function activate(registrations: Registrations, device: Uint8Array): RegistrationsChange {
  const { entries } = registrations;
  const own = entries.filter((entry) => equal(entry.device, device)).map((entry) => ({ ...entry, isActive: true }));
  const forgotten = entries.filter((entry) => !equal(entry.device, device)).map((entry) => entry.device);
  return { registrations: { ...registrations, entries: own }, device, forgotten };
}

/** The token was deleted, or has another device token now. */
export function release(registrations: Registrations, device: Uint8Array): Registrations {
  return { ...registrations, entries: registrations.entries.filter((entry) => !equal(entry.device, device)) };
}
