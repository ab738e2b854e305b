import { parseLink } from "../../agent/wire/link.ts";

/**
 * Whether a link is a whole invitation. No other link is followed that somebody sent and the user has not chosen: behind
 * an address stands who may not expect it, and what is behind a short link only its relay can tell.
 */
export function isInvitation(text: string): boolean {
  try {
    return parseLink(text).type === "invitation";
  } catch {
    return false;
  }
}
