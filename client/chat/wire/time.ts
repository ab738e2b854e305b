import { MessageError } from "./errors.ts";
import type { JsonCodec } from "./json.ts";

/**
 * A moment in ISO 8601, with up to 12 digits of a second: `2025-01-01T10:00:00.123456789Z`. Kept as it was written.
 */
export type UtcTime = string;

const FORM = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,12}))?)?(?:Z|([+-])(\d\d):?(\d\d))$/;

/** Milliseconds since 1970, fractions of them cut off; null when the text is not such a moment. */
function parse(text: string): number | null {
  const match = FORM.exec(text);
  if (!match) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const [fraction = "", sign = "+", offsetHours = "0", offsetMinutes = "0"] = match.slice(7);
  const midnight = new Date(Date.UTC(2000, month - 1, day));
  midnight.setUTCFullYear(year, month - 1, day);
  const isDate = midnight.getUTCMonth() === month - 1 && midnight.getUTCDate() === day;
  // The last second of a day may be a leap second.
  if (!isDate || hour > 23 || minute > 59 || second > 60 || Number(offsetMinutes) > 59) return null;
  const offset = (sign === "-" ? -1 : 1) * (Number(offsetHours) * 60 + Number(offsetMinutes));
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, "0"));
  return midnight.getTime() + ((hour * 60 + minute - offset) * 60 + second) * 1000 + milliseconds;
}

export const utcTime: JsonCodec<UtcTime> = {
  read(json) {
    if (typeof json !== "string" || parse(json) === null) throw new MessageError("must be a time in ISO 8601");
    return json;
  },
  write: (value) => value,
};

/** Milliseconds since 1970. @throws MessageError when the text is no time. */
export function millisecondsOf(time: UtcTime): number {
  const milliseconds = parse(time);
  if (milliseconds === null) throw new MessageError("must be a time in ISO 8601");
  return milliseconds;
}

/** @param milliseconds since 1970, between the years 0 and 9999. */
export function utcTimeOf(milliseconds: number): UtcTime {
  return new Date(milliseconds).toISOString();
}
