import { describe, expect, test } from "vitest";
import { contentProblem, quotedContent } from "../../../../../client/chat/wire/rules/content.ts";
import {
  canDelete,
  canEdit,
  DELETE_WINDOW,
  EDIT_WINDOW,
  obeysDeletion,
  RECEIVED_DELETE_WINDOW,
} from "../../../../../client/chat/wire/rules/limits.ts";
import {
  mentionedNames,
  mentionsProblem,
  mentionText,
  receivedMentions,
} from "../../../../../client/chat/wire/rules/mentions.ts";

const mention = (name: string, memberId = name) => ({ name, memberId });

describe("mentions", () => {
  test.each([
    ["hi @bob and @'carol d'", ["bob", "carol d"]],
    ["@bob, @bob! (not@me) @eve.", ["bob", "eve"]],
    ["mail me@example.org @ @'' @", []],
    ["@ann_1\n@Жанна\t@'o p'.", ["ann_1", "Жанна", "o p"]],
    ["", []],
  ])("of %j", (text, names) => expect(mentionedNames(text)).toEqual(names));

  test("are found as they are written", () => {
    for (const name of ["bob", "carol d", "ann_1", "end.", "Жанна"]) {
      expect(mentionedNames(`to ${mentionText(name)} and others`)).toEqual([name]);
    }
  });

  test("that can be sent stand in the text, are few and of different members", () => {
    const text = "@a @b @c @'d e'";
    expect(mentionsProblem(text, [mention("a"), mention("b"), mention("d e")])).toBeNull();
    expect(mentionsProblem(text, [])).toBeNull();
    expect(
      mentionsProblem(
        text,
        ["a", "b", "c", "d e"].map((name) => mention(name)),
      ),
    ).toContain("3 members at most");
    expect(mentionsProblem(text, [mention("x")])).toBe("the text does not mention x");
    expect(mentionsProblem(text, [mention("a", "1"), mention("b", "1")])).toContain("same member");
  });

  test("that are received count up to the fifth", () => {
    const many = Array.from({ length: 9 }, (_, i) => mention(`m${i}`));
    expect(receivedMentions(many).map(({ name }) => name)).toEqual(["m0", "m1", "m2", "m3", "m4"]);
    expect(receivedMentions()).toEqual([]);
  });
});

test("times in which messages can be changed", () => {
  const hour = 3_600_000;
  expect([EDIT_WINDOW, DELETE_WINDOW, RECEIVED_DELETE_WINDOW]).toEqual([24 * hour, 24 * hour, 78 * hour]);
  expect([canEdit(0, 24 * hour - 1), canEdit(0, 24 * hour)]).toEqual([true, false]);
  expect([canDelete(0, 24 * hour - 1), canDelete(0, 24 * hour)]).toEqual([true, false]);
  expect([obeysDeletion(0, 78 * hour - 1), obeysDeletion(0, 78 * hour)]).toEqual([true, false]);
});

describe("what a message quotes", () => {
  const text = { type: "text", text: "hi" } as const;
  const picture = { type: "image", text: "", image: "data:" } as const;
  const file = { type: "file", text: "" } as const;
  const voice = { type: "voice", text: "", duration: 5 } as const;

  test("is what it was, with the name of a file that has no text", () => {
    expect(quotedContent(text, null, text)).toEqual(text);
    expect(quotedContent(picture, "a.jpg", text)).toEqual({ ...picture, text: "a.jpg" });
    expect(quotedContent({ ...picture, text: "me" }, "a.jpg", voice)).toEqual({ ...picture, text: "me" });
    expect(quotedContent(file, "a.pdf", file)).toEqual({ ...file, text: "a.pdf" });
    expect(quotedContent(voice, "a.m4a", text)).toEqual(voice);
  });

  test("is only its text when the new message is large itself", () => {
    const unknown = { type: "unknown", tag: "new", text: "new", json: { type: "new" } } as const;
    expect(quotedContent({ ...picture, text: "me" }, "a.jpg", picture)).toEqual({ type: "text", text: "me" });
    expect(quotedContent(voice, "a.m4a", picture)).toEqual({ type: "text", text: "a.m4a" });
    expect(quotedContent(picture, null, unknown)).toEqual({ type: "text", text: "" });
  });

  test("and what can be sent at all", () => {
    expect([contentProblem(text, false), contentProblem(picture, true), contentProblem(voice, true)]).toEqual([
      null,
      null,
      null,
    ]);
    expect(contentProblem({ type: "text", text: "" }, false)).toContain("empty");
    expect(contentProblem(file, false)).toContain("needs its file");
  });
});
