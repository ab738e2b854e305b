import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { block, marked } from "../../client/terminal/text/markdown.ts";
import { bold, cyan, line, paint, plain, textOfLine } from "../../client/terminal/text/styled.ts";
import { graphemes, rowsOf, shortened, widthOf } from "../../client/terminal/text/width.ts";

describe("columns", () => {
  it.each([
    ["", 0],
    ["hello", 5],
    ["日本語", 6],
    ["한국어", 6],
    ["ｆｕｌｌ", 8],
    ["e\u0301", 1],
    ["🙂", 2],
    ["👍🏽", 2],
    ["👩‍👩‍👧", 2],
    ["🇩🇪", 2],
    ["a\u200bb", 2],
    ["ไทย", 3],
    ["नमस्ते", 4],
  ])("%j takes %i", (text, columns) => {
    expect(widthOf(text)).toBe(columns);
  });

  it("counts rows as a terminal wraps: a wide character that does not fit goes to the next row", () => {
    expect(rowsOf("", 10)).toBe(1);
    expect(rowsOf("a".repeat(10), 10)).toBe(1);
    expect(rowsOf("a".repeat(11), 10)).toBe(2);
    expect(rowsOf("日本語", 5)).toBe(2);
    expect(rowsOf(`${"日".repeat(5)}a`, 9)).toBe(2);
  });

  it("does not count what terminals count differently", () => {
    expect(rowsOf("👍🏽", 80)).toBe(1);
    expect(rowsOf("❤\ufe0f".repeat(8), 10)).toBeNull();
  });

  it("shortens by graphemes to what fits", () => {
    expect(shortened("hello", 5)).toBe("hello");
    expect(shortened("hello!", 5)).toBe("hell…");
    expect(shortened("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 5)).toBe("👩‍👩‍👧👩‍👩‍👧…");
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 20 }), (text, columns) => {
      expect(widthOf(shortened(text, columns))).toBeLessThanOrEqual(columns);
      expect(graphemes(text).join("")).toBe(text);
    }));
  });
});

describe("lines", () => {
  it("are painted with colours only where there are any", () => {
    const one = line(cyan("@bob"), " hi ", bold("!"));
    expect(paint(one, true)).toBe("\u001b[36m@bob\u001b[0m hi \u001b[1m!\u001b[0m");
    expect(paint(one, false)).toBe("@bob hi !");
    expect(textOfLine(one)).toBe("@bob hi !");
  });

  it("let nothing out that a terminal obeys, whatever a view lets in", () => {
    const hostile = fc.string({ unit: fc.oneof(fc.constantFrom("\u001b", "\u009b", "\u0007", "\r", "\n", "\t", "\u202e", "\u2066", "[2J", "\u2028"), fc.string({ unit: "binary" })) });
    fc.assert(fc.property(hostile, (text) => {
      const painted = paint([cyan(text), plain(text)], false);
      expect(painted).not.toMatch(/\p{Cc}|[\u202a-\u202e\u2066-\u2069\u2028\u2029]/u);
      expect(painted.isWellFormed()).toBe(true);
    }));
  });

  it("show what is marked in a text, with its signs", () => {
    const styles = (text: string): string[] => marked(text).map((span) => `${span.style}:${span.text}`);
    expect(styles("a *bold one* and _it_, `x=1`")).toEqual(["plain:a ", "bold:*bold one*", "plain: and ", "underline:_it_", "plain:, ", "dim:`x=1`"]);
    expect(styles("see https://example.org/?a=1 there")).toEqual(["plain:see ", "cyan:https://example.org/?a=1", "plain: there"]);
    expect(styles("2*3*4 snake_case_name * no * **")).toEqual(["plain:2*3*4 snake_case_name * no * **"]);
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom("*", "_", "`", " ", "a", "\n", "h", "ttps://") }), (text) => {
      expect(marked(text).map((span) => span.text).join("")).toBe(text);
    }));
  });

  it("break where a text does", () => {
    expect(block([plain("bob> ")], "one\r\ntwo\nthree", "  ").map(textOfLine)).toEqual(["bob> one", "  two", "  three"]);
  });
});
