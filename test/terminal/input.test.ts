import { describe, expect, it } from "vitest";
import type { Key } from "../../client/terminal/input/editor.ts";
import { type Act, EMPTY_INPUT, type Input, press, remembered } from "../../client/terminal/input/input.ts";
import { layoutInput } from "../../client/terminal/screen/layout.ts";

function key(name: string): Key {
  const [, ctrl = "", meta = "", plain = ""] = /^(\^?)(~?)(.+)$/su.exec(name) ?? [];
  return { name: plain, sequence: plain, ctrl: ctrl !== "", meta: meta !== "", shift: false };
}

const letter = (text: string): Key => ({ name: undefined, sequence: text, ctrl: false, meta: false, shift: false });

/** Types letters; names of keys stand in angle brackets. */
function type(keys: string, from: Input = EMPTY_INPUT): { readonly input: Input; readonly acts: Act[] } {
  let input = from;
  const acts: Act[] = [];
  for (const [, name, one = ""] of keys.matchAll(/<([^>]+)>|([\s\S])/gu)) {
    const pressed = press(input, name === undefined ? letter(one) : key(name));
    input = pressed.input;
    if (pressed.act.type !== "none") acts.push(pressed.act);
  }
  return { input, acts };
}

/** The text with the cursor as a bar. */
const shown = ({ text, at }: Input): string => `${text.slice(0, at)}|${text.slice(at)}`;

describe("the line that is typed", () => {
  it.each([
    ["hello<left><left>X", "helX|lo"],
    ["one two<^w>", "one |"],
    ["one two<~b>X", "one X|two"],
    ["one two<^a><~f>X", "oneX| two"],
    ["one two<^a><^k>", "|"],
    ["one<^a><^k>a<^y>", "aone|"],
    ["one two<^left><^u><^y>", "one |two"],
    ["👩‍👩‍👧🇩🇪<backspace>", "👩‍👩‍👧|"],
    ["👩‍👩‍👧🇩🇪<left><delete>", "👩‍👩‍👧|"],
    ["e\u0301x<left><left>y", "y|e\u0301x"],
    ["ab<~return>cd", "ab\ncd|"],
    ["ab<~return>cd<^a>X", "ab\nX|cd"],
    ["ab<~return>cd<up>X", "abX|\ncd"],
    ["ab<^a><^d>", "|b"],
    ["one<^c>", "|"],
  ])("%s makes %j", (keys, expected) => {
    expect(shown(type(keys).input)).toBe(expected);
  });

  it("goes as a whole with Enter, and then is empty", () => {
    const { input, acts } = type("hi<return>");
    expect(acts).toEqual([{ type: "submit", text: "hi" }]);
    expect([input.text, input.history]).toEqual(["", ["hi"]]);
  });

  it("takes a pasted text of several lines as one text", () => {
    const paste: Key[] = [key("paste-start"), ...["a", "\r", "\n", "b", "\r", "c", "\n", "d"].map((one) => {
      return { ...letter(one), name: one === "\r" ? "return" : one === "\n" ? "enter" : undefined };
    }), key("paste-end")];
    const input = paste.reduce((before, one) => press(before, one).input, EMPTY_INPUT);
    expect(input.text).toBe("a\nb\nc\nd");
    expect(press(input, key("return")).act).toEqual({ type: "submit", text: "a\nb\nc\nd" });
  });

  it("ends and interrupts only when nothing is typed", () => {
    expect(type("<^c>").acts).toEqual([{ type: "interrupt" }]);
    expect(type("<^d>").acts).toEqual([{ type: "end" }]);
    expect(type("x<^c>").acts).toEqual([]);
    expect(type("x<^d>").acts).toEqual([]);
  });

  it("goes back and forth in what was typed before, and keeps what was begun", () => {
    const from = { ...EMPTY_INPUT, history: ["one", "two\nlines"] };
    expect(shown(type("new<up>", from).input)).toBe("two\nlines|");
    expect(shown(type("new<up><up>", from).input)).toBe("two|\nlines");
    expect(shown(type("new<up><up><up>", from).input)).toBe("one|");
    expect(shown(type("new<up><up><up><down><down>", from).input)).toBe("new|");
    expect(type("<up><up><up><up>", from).acts).toEqual([{ type: "bell" }]);
  });

  it("looks for lines of before", () => {
    const from = { ...EMPTY_INPUT, history: ["@bob the first", "@bob the second", "/help"] };
    expect(type("<^r>the", from).input.text).toBe("@bob the second");
    expect(type("<^r>the<^r>", from).input.text).toBe("@bob the first");
    expect(type("<^r>the<^r><return>", from).acts).toEqual([{ type: "submit", text: "@bob the first" }]);
    expect(type("begun<^r>the<^g>", from).input.text).toBe("begun");
    expect(type("<^r>nowhere", from).acts.at(-1)).toEqual({ type: "bell" });
  });

  it("keeps no passphrase", () => {
    expect(remembered([], "/db encrypt secret")).toEqual([]);
    expect(remembered([], " /db  key one two")).toEqual([]);
    expect(remembered([], "/db encrypt")).toEqual(["/db encrypt"]);
    expect(remembered(["a"], "a")).toEqual(["a"]);
    expect(remembered([], "  ")).toEqual([]);
  });

  it("goes to who was written to last, unless it says another", () => {
    const from = { ...EMPTY_INPUT, prefix: "@bob " };
    expect(type("hi", from).input.text).toBe("@bob hi");
    expect(type("@al", from).input.text).toBe("@al");
    expect(type("/help", from).input.text).toBe("/help");
    expect(type("> hi", from).input.text).toBe("> @bob hi");
    expect(type("> @al (x)", from).input.text).toBe("> @al (x)");
    expect(type("> #team @al (x)", { ...from, prefix: "#team " }).input.text).toBe("> #team @al (x)");
    expect(type("> <left><right>@", from).input.text).toBe("> @bob @");
    expect(type("! #team x", from).input.text).toBe("! #team x");
    expect(type("mail me @work", from).input.text).toBe("@bob mail me @work");
    expect(type("hi<return>yes", from).input.text).toBe("@bob yes");
  });
});

describe("the rows of what is typed", () => {
  const rows = (text: string, at: number, columns: number, height = 24): readonly [readonly string[], number, string] => {
    const { rows: all, row, before } = layoutInput("> ", { ...EMPTY_INPUT, text, at }, { columns, rows: height });
    return [all, row, before];
  };

  it("wrap before the last column", () => {
    expect(rows("abcdefgh", 8, 6)).toEqual([["> abc", "defgh"], 1, "defgh"]);
    expect(rows("日本語", 0, 6)).toEqual([["> 日", "本語"], 0, "> "]);
  });

  it("show the part around the cursor when not all fit", () => {
    const text = Array.from({ length: 50 }, (_, i) => `line ${i}`).join("\n");
    const [all, row, before] = rows(text, text.length, 40, 10);
    expect([all.length, all[0], all.at(-1), row, before]).toEqual([9, "…", "line 49", 8, "line 49"]);
    const [first, top] = rows(text, 0, 40, 10);
    expect([first.length, first[0], first.at(-1), top]).toEqual([9, "> line 0", "…", 0]);
  });

  it("show control characters as pictures and passphrases not at all", () => {
    expect(rows("a\u001b[2J\u202eb", 8, 40)[0]).toEqual(["> a␛[2J\u{fffd}b"]);
    const hidden = layoutInput("Passphrase: ", { ...EMPTY_INPUT, text: "secret", at: 6 }, { columns: 40, rows: 24 }, true);
    expect(hidden.rows).toEqual(["Passphrase: ******"]);
  });
});
