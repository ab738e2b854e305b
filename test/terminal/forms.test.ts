import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { COMMANDS, findCommand } from "../../client/terminal/commands/all.ts";
import { complete, type Names } from "../../client/terminal/input/complete.ts";
import { readTyping } from "../../client/terminal/input/forms.ts";
import { quoteName, Scanner, TypedError } from "../../client/terminal/input/scanner.ts";

const bob = { type: "contact", name: "bob" } as const;
const team = { type: "group", name: "team" } as const;

describe("what is typed", () => {
  it.each([
    ["@bob hello there", { type: "send", to: bob, text: "hello there" }],
    ["@bob one\ntwo", { type: "send", to: bob, text: "one\ntwo" }],
    ["@'Bob Smith' hi", { type: "send", to: { type: "contact", name: "Bob Smith" }, text: "hi" }],
    ["#team hi all", { type: "send", to: team, text: "hi all" }],
    ["* remember", { type: "send", to: { type: "notes" }, text: "remember" }],
    ["/* remember", { type: "send", to: { type: "notes" }, text: "remember" }],
    ["> @bob (hi) yes", { type: "reply", to: bob, isOwn: false, member: null, start: "hi", text: "yes" }],
    [">@bob (hi (you)) yes", { type: "reply", to: bob, isOwn: false, member: null, start: "hi (you)", text: "yes" }],
    [">> @bob (hi) yes", { type: "reply", to: bob, isOwn: true, member: null, start: "hi", text: "yes" }],
    ["> #team @al (hi) yes", { type: "reply", to: team, isOwn: false, member: "al", start: "hi", text: "yes" }],
    ["! @bob (hi) new", { type: "edit", to: bob, start: "hi", text: "new" }],
    ["! @bob new", { type: "edit", to: bob, start: null, text: "new" }],
    ["\\ @bob hi", { type: "delete", to: bob, member: null, start: "hi" }],
    ["\\ @bob", { type: "delete", to: bob, member: null, start: null }],
    ["\\\\ #team @al hi", { type: "delete", to: team, member: "al", start: "hi" }],
    ["+1 @bob hi", { type: "react", to: bob, emoji: "👍", add: true, start: "hi" }],
    ["-^ bob hi", { type: "react", to: bob, emoji: "🚀", add: false, start: "hi" }],
    ["+❤ #team", { type: "react", to: team, emoji: "❤", add: true, start: null }],
    ["@bob <- #team hi", { type: "forward", from: team, to: bob, member: null, start: "hi" }],
    ["@#team @al psst", { type: "direct", group: "team", member: "al", text: "psst" }],
    ["/c  i", { type: "command", words: "c  i" }],
    ["  ", { type: "nothing" }],
  ])("%j", (text, expected) => {
    expect(readTyping(text)).toEqual(expected);
  });

  it.each(["hello", "@", "@bob", "@bob ", "> bob hi", "> @bob (hi yes", "\\\\ #team hi", "+ @bob", "@ bob"])("%j is not understood, and says why", (text) => {
    expect(() => readTyping(text)).toThrow(TypedError);
  });

  it("is read or refused, whatever it is", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), fc.constantFrom("", "@", "> ", "! ", "\\ ", "+", "@'", "> #a ("), (text, start) => {
      try {
        readTyping(start + text);
      } catch (error) {
        expect(error).toBeInstanceOf(TypedError);
      }
    }));
  });

  it("names anybody, whatever they are called", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (name) => {
      expect(new Scanner(`${quoteName(name)} rest`).name("somebody")).toBe(name);
    }));
  });
});

describe("commands", () => {
  it("have names and short names of their own", () => {
    const names = COMMANDS.flatMap(({ name, also }) => [name, ...also]);
    expect(names.length).toBe(new Set(names).size);
  });

  it.each([
    ["c", "connect", ""],
    ["connect incognito x", "connect", " incognito x"],
    ["set voice @bob yes", "set voice", " @bob yes"],
    ["mr #team @al admin", "member role", " #team @al admin"],
    ["delete user al", "delete user", " al"],
    ["d @al", "delete", " @al"],
    ["? @al x", "search", " @al x"],
  ])("/%s is /%s", (words, name, rest) => {
    const found = findCommand(words);
    expect([found?.command.name, found?.rest]).toEqual([name, rest]);
  });

  it.each(["cx", "setvoice", "", "nothing at all"])("/%s is none", (words) => {
    expect(findCommand(words)).toBeNull();
  });
});

describe("completion", () => {
  const names: Names = {
    contacts: async () => ["alice", "alan", "Bob Smith", "bob"],
    groups: async () => ["team", "trip to sea"],
    members: async (group) => (group === "team" ? ["carol", "dan"] : group === "trip to sea" ? ["erin"] : []),
    requests: async () => ["zoe"],
    users: async () => ["me"],
    files: async (path) => [`${path}x.jpg`],
    topics: () => ["contacts", "messages"],
  };
  const completed = async (text: string): Promise<string | null> => {
    const found = await complete(text, COMMANDS, names);
    return found && text.slice(0, found.from) + found.common;
  };

  it.each([
    ["@ali", "@alice "],
    ["@al", "@al"],
    ["@B", "@'Bob Smith' "],
    ["@'B", "@'Bob Smith' "],
    ["@BO", "@BO"],
    ["#te", "#team "],
    ["#t", "#t"],
    ["> @ali", "> @alice "],
    ["! #te", "! #team "],
    ["+1 @ali", "+1 @alice "],
    ["#team hello @ca", "#team hello @carol "],
    ["> #'trip to sea' @e", "> #'trip to sea' @erin "],
    ["/conn", "/connect "],
    ["/set vo", "/set voice "],
    ["/info @ali", "/info @alice "],
    ["/code #team @ca", "/code #team @carol "],
    ["/mute ", "/mute "],
    ["/help mes", "/help messages "],
    ["/accept zo", "/accept zoe "],
    ["/set voice @alice al", "/set voice @alice always "],
    ["/member role #team @carol ad", "/member role #team @carol admin "],
    ["/file @alice ./p", "/file @alice ./px.jpg"],
  ])("%j becomes %j", async (text, expected) => {
    expect(await completed(text)).toBe(expected);
  });

  it.each(["hello", "@nobody", "/nothing x", "/quit x"])("%j stays", async (text) => {
    expect(await completed(text)).toBeNull();
  });
});
