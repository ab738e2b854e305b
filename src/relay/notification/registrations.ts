import { equal, utf8 } from "#crypto/bytes";
import { type AuthAlgorithm, generateKeyPair, type PublicKey, sameKey } from "#crypto/keys";
import { type AuthContext, isAuthorizedBy } from "#protocol/authorize";
import type { NtfAnswer, TNEW } from "#protocol/ntf/commands";
import { deviceBytes, type DeviceToken, endpointOf, sameDevice } from "#protocol/ntf/token";
import { type Bucket, take } from "../limits.ts";
import { REGISTRATIONS, UNUSED_TTL } from "./limits.ts";
import { ntfRefused, ntfUnauthorized } from "./outcome.ts";
import { agree } from "./tokens.ts";

/** A registration: of this device token, under this name (`newDevice`). By its key it is found when TNEW comes again. */
export interface Enrolment {
  readonly device: Uint8Array;
  readonly token: DeviceToken;
  readonly verifyKey: PublicKey<AuthAlgorithm>;
}

export interface Registration extends Enrolment {
  /** Whether it has been verified: it proved to belong to the device. */
  readonly isActive: boolean;
  /** When it was asked for last, milliseconds since 1970. */
  readonly at: number;
}

/** A registration that is over. */
export interface Forgotten extends Pick<Enrolment, "device" | "token"> {
  /** When it was told so, milliseconds since 1970; null: it has yet to be. */
  readonly toldAt: number | null;
}

/**
 * All registrations that lead to one place (`placeOf`), oldest first. Plain data, kept where a device token leads
 * without any id. At one endpoint of Web Push there can be device tokens with different keys: they share what is
 * counted, and are otherwise strangers to each other.
 */
export interface Registrations {
  readonly entries: readonly Registration[];
  /** Also those that were told a moment ago: what they said before may still be on its way. */
  readonly forgotten: readonly Forgotten[];
  /** Each registration causes a push to whoever the device token belongs to. */
  readonly attempts: Bucket | null;
}

export const NO_REGISTRATIONS: Registrations = { entries: [], forgotten: [], attempts: null };

/** Milliseconds after which attempts that were counted, and what was forgotten, say nothing any more. */
const COUNTED = 60_000;
/** Milliseconds until registrations that could not be told are told again. */
const TELL_AGAIN = 30_000;

/**
 * Where pushes to a device token go, for hashing: for Web Push the endpoint alone, however it is written. Who makes up
 * other keys for an endpoint is not another one, and gets no further pushes sent there.
 */
export function placeOf(token: DeviceToken): Uint8Array {
  if (token.provider !== "webpush" || !URL.canParse(endpointOf(token))) return deviceBytes(token);
  const { host, pathname, search } = new URL(endpointOf(token));
  const path = `${pathname}${search}`.replaceAll(
    /%[0-9a-f]{2}/gi,
    (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)),
  );
  return utf8(`endpoint ${host}${path}`);
}

/**
 * Why a TNEW can never be done; null: it can. To be asked before its device token hears of it, which would keep it for
 * long.
 */
export function refusalOf(
  { verifyKey, token, dhKey }: TNEW,
  auth: AuthContext,
  allows: (token: DeviceToken) => boolean,
): NtfAnswer | null {
  if (!isAuthorizedBy(auth, verifyKey)) return ntfUnauthorized().answer;
  if (!allows(token)) return ntfRefused("PROHIBITED").answer;
  return agree(generateKeyPair("X25519").secretKey, dhKey) ? null : ntfRefused("SYNTAX").answer;
}

type Name = Pick<Enrolment, "device" | "token">;

function isIt(a: Name, b: Name): boolean {
  return equal(a.device, b.device) && sameDevice(a.token, b.token);
}

function ended({ device, token }: Name): Forgotten {
  return { device, token, toldAt: null };
}

/**
 * The registration that a TNEW or TRPL asks for, found or made under the name `asked.device`. Null: too many have been
 * asked for in this minute, and the answer is QUOTA. The caller has verified the command. `now` in milliseconds.
 */
export function enroll(
  { entries, forgotten, attempts }: Registrations,
  asked: Enrolment,
  now: number,
): { readonly registrations: Registrations; readonly device: Uint8Array } | null {
  const counted = take(attempts, REGISTRATIONS.perMinute, now);
  if (!counted) return null;
  const existing = entries.find((entry) =>
    sameDevice(entry.token, asked.token) && sameKey(entry.verifyKey, asked.verifyKey)
  );
  if (existing) {
    const used = entries.map((entry) => (entry === existing ? { ...entry, at: now } : entry));
    return { registrations: { entries: used, forgotten, attempts: counted }, device: existing.device };
  }
  const { device, token, verifyKey } = asked;
  const all = [...entries, { device, token, verifyKey, isActive: false, at: now }];
  // Strangers who know a device token cannot push out who has proved to own it.
  const surplus = all.length > REGISTRATIONS.atOnce ? all.find(({ isActive }) => !isActive) : undefined;
  return {
    registrations: {
      entries: all.filter((entry) => entry !== surplus),
      // One that has left for another device token and comes back is not over any more.
      forgotten: [...forgotten.filter((one) => !isIt(one, asked)), ...(surplus ? [ended(surplus)] : [])],
      attempts: counted,
    },
    device,
  };
}

/**
 * The device read its push: every other registration of its token is a leftover. Null: it is one itself, as another was
 * verified before, and nothing changes. One that is merely missing is taken in again. The same object: nothing is new.
 *
 * Who read a push to the same endpoint with other keys stays. A browser has one pair, so of those the oldest give way.
 */
export function activate(registrations: Registrations, asked: Enrolment, now: number): Registrations | null {
  const { entries, forgotten } = registrations;
  if (forgotten.some((one) => isIt(one, asked))) return null;
  const others = entries.filter((entry) => !isIt(entry, asked));
  const rivals = others.filter(({ token }) => sameDevice(token, asked.token));
  const former = entries.find((entry) => isIt(entry, asked));
  if (former?.isActive && rivals.length === 0) return registrations;
  const strangers = others.filter((entry) => !rivals.includes(entry) && entry.isActive);
  const leaving = [...rivals, ...strangers.slice(0, Math.max(0, strangers.length + 1 - REGISTRATIONS.active))];
  const { device, token, verifyKey } = asked;
  return {
    ...registrations,
    entries: [
      ...others.filter((entry) => !leaving.includes(entry)),
      { device, token, verifyKey, isActive: true, at: now },
    ],
    forgotten: [...forgotten, ...leaving.map(ended)],
  };
}

/** The token was deleted, or has another device token now. The same object: it is not here. */
export function release(registrations: Registrations, name: Name): Registrations {
  const entries = registrations.entries.filter((entry) => !isIt(entry, name));
  return entries.length === registrations.entries.length ? registrations : { ...registrations, entries };
}

/** A registration knows that it is over. */
export function noteTold(registrations: Registrations, name: Name, now: number): Registrations {
  const forgotten = registrations.forgotten.map((one) => (isIt(one, name) ? { ...one, toldAt: now } : one));
  return { ...registrations, forgotten };
}

const endOf = ({ isActive, at }: Registration): number | null => (isActive ? null : at + UNUSED_TTL);

/** Without what has no meaning any more. Null: nothing is left. */
export function tidy({ entries, forgotten, attempts }: Registrations, now: number): Registrations | null {
  const left: Registrations = {
    entries: entries.filter((entry) => (endOf(entry) ?? Number.POSITIVE_INFINITY) > now),
    forgotten: forgotten.filter(({ toldAt }) => toldAt === null || toldAt + COUNTED > now),
    attempts: attempts && attempts.at + COUNTED > now ? attempts : null,
  };
  return left.entries.length + left.forgotten.length > 0 || left.attempts ? left : null;
}

/** When somebody is to be told, or something has no meaning any more; milliseconds since 1970. */
export function lookAgainAt({ entries, forgotten, attempts }: Registrations, now: number): number | null {
  const times = [
    ...entries.map(endOf),
    ...forgotten.map(({ toldAt }) => (toldAt === null ? now + TELL_AGAIN : toldAt + COUNTED)),
    // Where there is anything else attempts go with it.
    attempts && entries.length === 0 ? attempts.at + COUNTED : null,
  ].filter((at) => at !== null);
  return times.length > 0 ? Math.min(...times) : null;
}
