import { describe, expect, test } from "vitest";
import {
  type Allow,
  DEFAULT_GROUP_PREFERENCES,
  DEFAULT_PREFERENCES,
  type Feature,
  ROLES,
} from "../../../../../client/chat/wire/preferences.ts";
import {
  effectivePreference,
  effectivePreferences,
  fullGroupPreferences,
  fullPreferences,
  isAllowedInGroup,
  isAtLeast,
  MAX_TTL,
  receivedTtl,
  timedMessages,
} from "../../../../../client/chat/wire/rules/preferences.ts";

const ALLOWS: readonly Allow[] = ["always", "yes", "no"];
const BOTH = { forMe: true, forContact: true };
const NOBODY = { forMe: false, forContact: false };
const ONLY_ME = { forMe: true, forContact: false };
const ONLY_CONTACT = { forMe: false, forContact: true };

/** Mine against theirs, each always, yes, no. */
function table(feature: Feature): unknown[][] {
  return ALLOWS.map((mine) =>
    ALLOWS.map((theirs) => effectivePreference(feature, { allow: mine }, { allow: theirs })),
  );
}

describe("what two sides agree on", () => {
  const features = Object.keys(DEFAULT_PREFERENCES) as Feature[];
  test.each(features.filter((feature) => feature !== "timedMessages"))("%s", (feature) => {
    expect(table(feature)).toEqual([
      [BOTH, BOTH, ONLY_CONTACT],
      [BOTH, BOTH, NOBODY],
      [ONLY_ME, NOBODY, NOBODY],
    ]);
  });

  test("timedMessages: both or nobody", () => {
    expect(table("timedMessages")).toEqual([
      [BOTH, BOTH, NOBODY],
      [BOTH, BOTH, NOBODY],
      [NOBODY, NOBODY, NOBODY],
    ]);
  });

  test("is what the other side sees with the sides changed", () => {
    for (const mine of ALLOWS) {
      for (const theirs of ALLOWS) {
        const [seen, other] = [
          [mine, theirs],
          [theirs, mine],
        ].map(([a = "no", b = "no"]) => effectivePreference("voice", { allow: a as Allow }, { allow: b as Allow }));
        expect(seen).toEqual({ forMe: other?.forContact, forContact: other?.forMe });
      }
    }
  });

  test("by default", () => {
    const all = effectivePreferences(DEFAULT_PREFERENCES, DEFAULT_PREFERENCES);
    const on = Object.entries(all)
      .filter(([, { forMe }]) => forMe)
      .map(([feature]) => feature);
    expect(on).toEqual(["timedMessages", "reactions", "voice", "files", "calls"]);
    expect(Object.keys(all)).toEqual(features);
  });
});

describe("preferences", () => {
  test("for a contact come before those of the profile, and these before the default", () => {
    const mine = fullPreferences(
      { voice: { allow: "no" }, calls: { allow: "always" }, commands: [] },
      { voice: { allow: "yes" } },
    );
    expect(mine).toEqual({ ...DEFAULT_PREFERENCES, calls: { allow: "always" }, voice: { allow: "yes" } });
    expect(fullPreferences(undefined)).toEqual(DEFAULT_PREFERENCES);
  });

  test("of a group have defaults as well", () => {
    expect(fullGroupPreferences()).toEqual(DEFAULT_GROUP_PREFERENCES);
    expect(fullGroupPreferences({ history: { enable: "on" }, commands: [] })).toEqual({
      ...DEFAULT_GROUP_PREFERENCES,
      history: { enable: "on" },
    });
  });
});

describe("disappearing messages", () => {
  test("go by the sender's own time, if both sides want them", () => {
    const mine = fullPreferences({ timedMessages: { allow: "yes", ttl: 60 } });
    expect(timedMessages(mine, fullPreferences({ timedMessages: { allow: "always", ttl: 5 } }))).toEqual({
      isOn: true,
      ttl: 60,
    });
    expect(timedMessages(mine, fullPreferences({ timedMessages: { allow: "no" } }))).toEqual({
      isOn: false,
      ttl: null,
    });
    expect(timedMessages(DEFAULT_PREFERENCES, mine)).toEqual({ isOn: true, ttl: null });
  });

  test("stay when they are not wanted, or their time is nothing", () => {
    expect([receivedTtl(true, 5), receivedTtl(false, 5), receivedTtl(true, undefined), receivedTtl(true, 0)]).toEqual(
      [5, null, null, null],
    );
  });

  test("last ten years at most, so that their end can be stored", () => {
    expect(receivedTtl(true, Number.MAX_SAFE_INTEGER)).toBe(MAX_TTL);
    expect(Number.isSafeInteger(Date.now() + 1000 * MAX_TTL)).toBe(true);
  });
});

test("roles have an order", () => {
  for (const [i, higher] of ROLES.entries()) {
    for (const [j, lower] of ROLES.entries()) expect(isAtLeast(higher, lower)).toBe(i >= j);
  }
  expect(isAtLeast("moderator", "member")).toBe(true);
  expect(isAllowedInGroup({ enable: "on" }, "observer")).toBe(true);
  expect(isAllowedInGroup({ enable: "on", role: "admin" }, "moderator")).toBe(false);
  expect(isAllowedInGroup({ enable: "on", role: "admin" }, "owner")).toBe(true);
  expect(isAllowedInGroup({ enable: "off", role: "observer" }, "owner")).toBe(false);
});
