import type { VersionRange } from "./version.ts";

/** Percent-encodes as the official code does: all but letters, digits and `-_.~`. */
export function percentEncode(text: string): string {
  const wellFormed = text.toWellFormed();
  return encodeURIComponent(wellFormed).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** `1-4`, or `4` when both ends are the same. */
export function formatVersions({ min, max }: VersionRange): string {
  return min === max ? `${min}` : `${min}-${max}`;
}

/** The reverse of {@link formatVersions}; null for anything else. */
export function parseVersions(text: string): VersionRange | null {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!match) return null;
  const min = Number(match[1]);
  const max = match[2] === undefined ? min : Number(match[2]);
  return min <= max && max <= 0xffff ? { min, max } : null;
}
