import { words } from "../words/words.ts";
import { type Arrival, type Mark, type News, NOTHING_TAG, SOMETHING_TAG } from "./api.ts";

const { notified } = words;

/** What a push is about, as far as it says so to those who cannot open it. */
export type PushKind = "verification" | "messages" | "check";

/** What is known when a push was worked on. */
export interface Situation {
  readonly kind: PushKind;
  /** Null: the profile could not be opened, or not in time. */
  readonly arrival: Arrival | null;
  /** Nobody has typed the passphrase. */
  readonly isSealed: boolean;
  /** Somebody looks at the page: that tells what comes. */
  readonly isLooking: boolean;
  /** The browser ends the subscription when a push shows nothing, whatever is on the screen. */
  readonly mustShow: boolean;
  /** The notifications that are there. */
  readonly shown: readonly Mark[];
}

export interface Notice {
  readonly news: News;
  readonly isSilent: boolean;
}

function vague(tag: string, body: string): News {
  return { tag, mark: "", title: words.product, body, place: "#/" };
}

export const isVague = ({ tag }: Mark): boolean => tag === SOMETHING_TAG || tag === NOTHING_TAG;

/**
 * What is to be shown for a push. Browsers want something for each, and else show something of their own, or take the
 * subscription away: all but Safari leave out those that come while somebody looks, and some others.
 */
export function noticesFor({ kind, arrival, isSealed, isLooking, mustShow, shown }: Situation): readonly Notice[] {
  const isVerification = arrival ? arrival.isVerification : kind === "verification";
  // The first push comes while somebody turns them on.
  const isQuiet = isLooking || isVerification;
  if (isQuiet && !mustShow) return [];
  const news = arrival?.news ?? [];
  const [first] = news;
  const fresh = news.filter(({ tag, mark }) => !shown.some((one) => one.tag === tag && one.mark === mark));
  if (fresh.length > 0) return fresh.map((one) => ({ news: one, isSilent: isQuiet }));
  if (first) return mustShow ? [{ news: first, isSilent: true }] : [];
  const wasVague = shown.some(({ tag }) => tag === SOMETHING_TAG);
  if (arrival === null || !arrival.isComplete) {
    if (wasVague && !mustShow) return [];
    const body = isSealed ? notified.sealed : notified.something;
    // Of a look for messages nobody knows whether there are any.
    return [{ news: vague(SOMETHING_TAG, body), isSilent: isQuiet || wasVague || kind === "check" }];
  }
  // That there may be something, which was said before, is settled by this.
  if (shown.some(({ tag }) => tag !== SOMETHING_TAG) && !mustShow) return [];
  return [{ news: vague(NOTHING_TAG, isVerification ? notified.first : notified.nothing), isSilent: true }];
}
