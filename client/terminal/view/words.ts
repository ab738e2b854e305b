import { displayName, visibleLine } from "../../chat/wire/rules/display.ts";
import { quoteName } from "../input/scanner.ts";
import { shortened } from "../text/width.ts";

/** A name that can be shown and typed. */
export function shownName(name: string): string {
  return quoteName(displayName(name));
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const two = (number: number): string => number.toString().padStart(2, "0");

/** `15:04` today, `11-23 15:04` otherwise, with the year when that was long ago. Local time. */
export function shownTime(at: number, now: number): string {
  const date = new Date(at);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.toDateString() === new Date(now).toDateString()) return time;
  const day = `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return Math.abs(now - at) > 300 * DAY ? `${date.getFullYear()}-${day} ${time}` : `${day} ${time}`;
}

export function shownDateTime(at: number): string {
  const date = new Date(at);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Bytes as people read them. */
export function shownSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** Seconds as `1:05`. */
export function shownLength(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${two(Math.floor(seconds) % 60)}`;
}

const SPANS: readonly (readonly [number, string])[] = [
  [30 * 86_400, "month"],
  [7 * 86_400, "week"],
  [86_400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
];

/** Seconds in words: `1 day`, `5 minutes`. */
export function shownSpan(seconds: number): string {
  for (const [length, word] of SPANS) {
    const count = seconds / length;
    if (count >= 1 && Number.isInteger(count)) return `${count} ${word}${count === 1 ? "" : "s"}`;
  }
  return `${seconds} seconds`;
}

const TTL: Readonly<Record<string, number>> = {
  "30s": 30,
  "5min": 300,
  "1h": 3600,
  "8h": 28_800,
  day: 86_400,
  week: 7 * 86_400,
  month: 30 * 86_400,
};

/** What can be typed for a time after which messages disappear. */
export const TTL_WORDS = Object.keys(TTL).join(", ");

/** Seconds; null when it is no such time. */
export function readTtl(text: string): number | null {
  if (Object.hasOwn(TTL, text)) return TTL[text] ?? null;
  return /^[1-9]\d{0,8}$/u.test(text) ? Number(text) : null;
}

/** The beginning of what was said, in one line. */
export function preview(text: string, columns = 60): string {
  return shortened(visibleLine(text.slice(0, 400)), columns);
}
