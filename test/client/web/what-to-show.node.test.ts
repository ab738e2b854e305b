import { describe, expect, test } from "vitest";
import { type Arrival, type News, NOTHING_TAG, SOMETHING_TAG } from "../../../client/web/push/api.ts";
import { type Notice, noticesFor, type Situation } from "../../../client/web/push/what-to-show.ts";

const NEWS: News = { tag: "bob", mark: "bob 7", title: "smp-edge", body: "New message", place: "#/chat/bob" };
const SHOWN = { tag: "bob", mark: "bob 7" };
const EARLIER = { tag: "bob", mark: "bob 6" };
const SOMETHING = { tag: SOMETHING_TAG, mark: "" };
const NOTHING = { tag: NOTHING_TAG, mark: "" };

const none: Arrival = { isVerification: false, isComplete: true, news: [] };
const one: Arrival = { ...none, news: [NEWS] };
const partly: Arrival = { ...none, isComplete: false };
const verified: Arrival = { ...none, isVerification: true };

const away: Situation = {
  kind: "messages",
  arrival: none,
  isSealed: false,
  isLooking: false,
  mustShow: false,
  shown: [],
};

const said = (notices: readonly Notice[]): string[] =>
  notices.map(({ news, isSilent }) => `${news.body}${isSilent ? " (silent)" : ""}`);

type Row = readonly [what: string, situation: Partial<Situation>, said: readonly string[]];

const SEALED = "There may be new messages. They are sealed until you type the passphrase.";

describe("what a push shows", () => {
  test.each<Row>([
    ["news", { arrival: one }, ["New message"]],
    ["news, though not everything came", { arrival: { ...one, isComplete: false } }, ["New message"]],
    ["news of a conversation that is shown with an earlier message", { arrival: one, shown: [EARLIER] }, ["New message"]],
    ["what the page has shown already", { arrival: one, shown: [SHOWN] }, []],
    ["while somebody looks", { arrival: one, isLooking: true }, []],
    ["nothing new", {}, ["No new messages. (silent)"]],
    ["nothing new beside what is shown", { shown: [SHOWN] }, []],
    ["nothing new again", { shown: [NOTHING] }, []],
    ["nothing new after what could not be looked at", { shown: [SOMETHING] }, ["No new messages. (silent)"]],
    ["a profile that does not open", { arrival: null }, ["New message"]],
    ["a profile that does not open, again", { arrival: null, shown: [SOMETHING] }, []],
    ["a sealed profile", { arrival: null, isSealed: true }, [SEALED]],
    ["not everything came", { arrival: partly }, ["New message"]],
    ["a look that did not reach all relays", { kind: "check", arrival: partly }, ["New message (silent)"]],
    ["a look that could not be taken", { kind: "check", arrival: null }, ["New message (silent)"]],
    ["a look that found nothing", { kind: "check" }, ["No new messages. (silent)"]],
    ["the first push", { kind: "verification", arrival: verified }, []],
    ["a first push that could not be opened", { kind: "verification", arrival: null }, []],
    ["a first push of before, with which news came", { kind: "verification", arrival: one }, ["New message"]],
    ["a first push of before", { kind: "verification" }, ["No new messages. (silent)"]],
  ])("%s", (_, situation, expected) => {
    expect(said(noticesFor({ ...away, ...situation }))).toEqual(expected);
  });

  test.each<Row>([
    ["news", { arrival: one }, ["New message"]],
    ["news while somebody looks", { arrival: one, isLooking: true }, ["New message (silent)"]],
    ["what the page has shown already", { arrival: one, shown: [SHOWN] }, ["New message (silent)"]],
    ["nothing new beside what is shown", { shown: [SHOWN] }, ["No new messages. (silent)"]],
    ["nothing new again", { shown: [NOTHING] }, ["No new messages. (silent)"]],
    ["nothing new while somebody looks", { isLooking: true }, ["No new messages. (silent)"]],
    ["a sealed profile, again", { arrival: null, isSealed: true, shown: [SOMETHING] }, [`${SEALED} (silent)`]],
    ["a profile that does not open while somebody looks", { arrival: null, isLooking: true }, ["New message (silent)"]],
    ["the first push", { kind: "verification", arrival: verified, isLooking: true }, ["Notifications work. (silent)"]],
    ["a first push that could not be opened", { kind: "verification", arrival: null }, ["New message (silent)"]],
  ])("in Safari: %s", (_, situation, expected) => {
    expect(said(noticesFor({ ...away, ...situation, mustShow: true }))).toEqual(expected);
  });

  test("in Safari: something in each case, for it counts those without", () => {
    for (const kind of ["verification", "messages", "check"] as const) {
      for (const arrival of [null, none, one, partly, verified]) {
        for (const isLooking of [true, false]) {
          for (const shown of [[], [SHOWN], [EARLIER], [SOMETHING], [NOTHING], [SHOWN, SOMETHING]]) {
            const situation = { ...away, kind, arrival, isLooking, shown, mustShow: true };
            expect(noticesFor(situation), JSON.stringify(situation)).not.toEqual([]);
          }
        }
      }
    }
  });
});
