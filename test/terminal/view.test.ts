import { describe, expect, it } from "vitest";
import type { Item } from "../../client/chat/records.ts";
import type { MsgContainer } from "../../client/chat/wire/container.ts";
import { utcTimeOf } from "../../client/chat/wire/time.ts";
import { paint } from "../../client/terminal/text/styled.ts";
import { itemLines } from "../../client/terminal/view/events.ts";
import { changeLines, type Place } from "../../client/terminal/view/item.ts";
import { preview, readTtl, shownName, shownSize, shownSpan, shownTime } from "../../client/terminal/view/words.ts";

const NOW = new Date(2026, 10, 23, 15, 4).getTime();

function message(container: MsgContainer, part: Partial<Item> = {}): Item {
  return {
    id: "c/000000000001",
    chat: "c",
    isOwn: false,
    member: null,
    at: NOW,
    sentAt: NOW,
    msgId: "AAAA",
    body: { type: "message", container },
    status: { type: "read" },
    isEdited: false,
    editionCount: 0,
    deletedBy: null,
    file: null,
    deletedAt: null,
    reactions: [],
    ttl: null,
    deleteAt: null,
    ...part,
  } as Item;
}

const text = (words: string): MsgContainer => ({ content: { type: "text", text: words } });
const place: Place = { type: "contact", name: "bob", member: null, deletedBy: null, now: NOW, file: null };
const shown = (item: Item, at: Place = place, isListed = false): string[] => itemLines(item, at, isListed).map((one) => paint(one, false));

describe("messages on the screen", () => {
  it("say who speaks to whom, and when", () => {
    expect(shown(message(text("hi")))).toEqual(["15:04 bob> hi"]);
    expect(shown(message(text("hi"), { isOwn: true, status: { type: "sending" } }))).toEqual(["15:04 @bob hi …"]);
    expect(shown(message(text("hi")), { ...place, type: "group", name: "team", member: "al" })).toEqual(["15:04 #team al> hi"]);
    expect(shown(message(text("hi"), { isOwn: true }), { ...place, type: "group", name: "our team" })).toEqual(["15:04 #'our team' hi"]);
    expect(shown(message(text("milk"), { isOwn: true }), { ...place, type: "notes" })).toEqual(["15:04 * milk"]);
    expect(shown(message(text("hi"), { sentAt: NOW - 86_400_000 }))).toEqual(["11-22 15:04 bob> hi"]);
  });

  it("show what became of them", () => {
    const status = (one: Item["status"]): string => shown(message(text("hi"), { isOwn: true, status: one }))[0] ?? "";
    expect(status({ type: "sent", isProxied: false })).toBe("15:04 @bob hi ✓");
    expect(status({ type: "delivered", isIntact: true })).toBe("15:04 @bob hi ✓✓");
    expect(status({ type: "error", reason: "QUOTA", detail: "full" })).toBe("15:04 @bob hi [not sent: full]");
  });

  it("stand on as many lines as they have, behind what they answer", () => {
    const quote = { msgRef: { sentAt: utcTimeOf(NOW), sent: false, msgId: "BBBB" }, content: { type: "text", text: "how are\nyou?" } } as const;
    expect(shown(message({ ...text("fine\nand you?"), quote }))).toEqual(["15:04 bob> >> how are you?", "      fine", "      and you?"]);
    expect(shown(message({ ...text("news"), forward: true }))).toEqual(["15:04 bob> -> forwarded", "      news"]);
  });

  it("show everything that is no text as what it is", () => {
    const file = { fileName: "photo.jpg", fileSize: 123_456 };
    expect(shown(message({ content: { type: "image", text: "look", image: "data:" }, file }))).toEqual([
      "15:04 bob> [picture, 123.5 kB] look",
      "      file photo.jpg, 123.5 kB",
    ]);
    expect(shown(message({ content: { type: "voice", text: "", duration: 65 } }))).toEqual(["15:04 bob> [voice message 1:05] "]);
    expect(shown(message({ content: { type: "unknown", tag: "poll", text: "yes or no", json: {} } }))).toEqual([
      "15:04 bob> [message of an unknown kind: poll] yes or no",
    ]);
    expect(shown(message(text("gone"), { deletedAt: NOW }))).toEqual(["15:04 bob> [deleted] gone"]);
    expect(shown(message(text("soon"), { ttl: 3600 }))).toEqual(["15:04 bob> soon [disappears after 1 hour]"]);
    expect(shown(message(text("x"), { body: { type: "unknown", event: "x.future", json: "{}" } }))).toEqual([
      "15:04 bob> [something of a later version: x.future]",
    ]);
    expect(shown(message(text("x"), { body: { type: "event", event: "contactLeft", detail: "" } }))).toEqual(["15:04 bob deleted the contact with you"]);
  });

  it("tell what changed, once", () => {
    const before = message(text("hi"));
    const lines = (after: Item): string[] => changeLines(before, after, place).map((one) => paint(one, false));
    const heart = { isOwn: false, member: null, reaction: { type: "emoji", emoji: "❤" } } as const;
    expect(lines(before)).toEqual([]);
    expect(lines(message(text("hello")))).toEqual(["15:04 bob> [edited] hello"]);
    expect(lines(message(text("hi"), { deletedAt: NOW }))).toEqual(["15:04 bob> [deleted] hi"]);
    expect(lines(message(text("hi"), { reactions: [heart] }))).toEqual(["15:04 bob> > hi", "    + ❤"]);
    expect(shown(message(text("hi"), { reactions: [heart] }), place, true)).toEqual(["15:04 bob> hi", "      ❤ 1"]);
  });

  it("cannot do anything to the terminal or to the lines around them", () => {
    const evil = "\u001b[2J\u001b]0;title\u0007\u009b31m\u202eevil\u0000\r\u2028next";
    const name = `${evil}\u200b`;
    const items = [
      message(text(evil)),
      message({ content: { type: "file", text: evil }, file: { fileName: evil, fileSize: 1 } }),
      message({ content: { type: "link", text: evil, preview: { uri: evil, title: evil, description: evil, image: evil } } }),
      message({ ...text(evil), quote: { msgRef: { sentAt: utcTimeOf(NOW), sent: true }, content: { type: "text", text: evil } } }),
      message({ content: { type: "unknown", tag: evil, text: evil, json: {} } }),
      message(text(evil), { body: { type: "event", event: "profileChanged", detail: evil } }),
      message(text(evil), { body: { type: "unknown", event: evil, json: "{}" } }),
      message(text(evil), { isOwn: true, status: { type: "error", reason: "x", detail: evil } }),
    ];
    for (const item of items) {
      for (const where of [{ ...place, name }, { ...place, type: "group", name, member: name }] as const) {
        const lines = shown(item, where, true);
        expect(lines.join("")).not.toMatch(/\p{Cc}|[\u202a-\u202e\u2066-\u2069\u2028\u2029]/u);
        expect(lines.length).toBeLessThan(8);
      }
    }
  });
});

describe("words", () => {
  it("are those that people read", () => {
    expect(shownTime(NOW, NOW)).toBe("15:04");
    expect(shownTime(new Date(2025, 0, 2, 3, 4).getTime(), NOW)).toBe("2025-01-02 03:04");
    expect([999, 1000, 126_000, 2_500_000].map(shownSize)).toEqual(["999 bytes", "1.0 kB", "126.0 kB", "2.5 MB"]);
    expect([30, 300, 3600, 86_400, 604_800, 90].map(shownSpan)).toEqual(["30 seconds", "5 minutes", "1 hour", "1 day", "1 week", "90 seconds"]);
    expect(["30s", "5min", "day", "90", "soon", "0"].map(readTtl)).toEqual([30, 300, 86_400, 90, null, null]);
    expect(shownName("Bob Smith")).toBe("'Bob Smith'");
    expect(preview("one\n two\u001b", 20)).toBe("one two␛");
  });
});
