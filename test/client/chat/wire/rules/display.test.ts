import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  displayLine,
  displayName,
  displayText,
  MAX_SHOWN_NAME,
  NO_NAME,
} from "../../../../../client/chat/wire/rules/display.ts";
import { nameProblem, safeFileName } from "../../../../../client/chat/wire/rules/names.ts";

const INNOCENT = [
  "Plain words, two\nlines and a\ttab.",
  "שלום \u200fעולם\u200e, العربية ١٢٣، فارسی می\u200cخواهم",
  "नमस्ते क्षत्रिय தமிழ் ไทย ဗမာ",
  "Việt Nam, Ελληνικά, Русский, 日本語、한국어",
  "👨\u200d👩\u200d👧\u200d👦 👍🏽 ❤\u{fe0f} 🏳\u{fe0f}\u200d🌈 🇩🇪 1\u{fe0f}\u20e3",
  "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
  '<script>alert(1)</script> & "quotes" %s ${x} \\n',
  "",
];

describe("texts as they are shown", () => {
  test.each(INNOCENT)("%j stays as it is", (text) => expect(displayText(text)).toBe(text));

  test.each([
    ["\u001b[2J\u001b]0;title\u0007", "␛[2J␛]0;title␇"],
    ["\u009b31m", "\u{fffd}31m"],
    ["over\rwritten", "over\nwritten"],
    ["a\r\nb\u2028c\u2029d\u0085e\u000bf\u000cg", "a\nb\nc\nd\ne\nf\ng"],
    ["back\b\b\bspace\u007f\0", "back␈␈␈space␡␀"],
    ["photo_\u202egpj.exe", "photo_\u{fffd}gpj.exe"],
    ["\u2066isolated\u2069 \u202dleft\u202c", "\u{fffd}isolated\u{fffd} \u{fffd}left\u{fffd}"],
    ["half \ud800 pair", "half \u{fffd} pair"],
    [`Z${"\u0335".repeat(500)}algo`, `Z${"\u0335".repeat(8)}algo`],
  ])("%j becomes %j", (text, shown) => expect(displayText(text)).toBe(shown));

  test("do nothing to a terminal, whatever they are", () => {
    const control = fc.constantFrom(
      "\u001b[",
      "\u009b",
      "\u202e",
      "\u2067",
      "\r",
      "\0",
      "\ud800",
      "\u0300",
      "\u{e0041}",
      "\n",
    );
    const text = fc
      .array(fc.oneof(control, fc.string({ unit: "binary", maxLength: 5 })), { maxLength: 20 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (sent) => {
        const shown = displayText(sent);
        expect(shown).not.toMatch(/(?![\n\t])\p{Cc}|\p{Cs}|[\u202a-\u202e\u2066-\u2069\u2028\u2029]|\p{M}{9}/u);
        expect(displayText(shown)).toBe(shown);
        expect(displayLine(sent)).not.toMatch(/[\n\t]|^\s|\s$|\s\s/u);
        const name = displayName(sent);
        expect(name).not.toBe("");
        expect(displayName(name)).toBe(name);
        expect(name).not.toMatch(/[\n\t\u200b\u2060\ufeff]/u);
      }),
      { numRuns: 1000 },
    );
  });

  test("of any length take no long time", () => {
    const start = performance.now();
    displayText("\u0300".repeat(65_536));
    displayText(`${"\u{e0041}".repeat(30_000)}\u001b`);
    displayName("\u{e0041}".repeat(30_000));
    displayName(`\u{1f3f4}${"\u{e0041}".repeat(30_000)}`);
    displayName(`a${"\u200c".repeat(65_536)}b`);
    nameProblem("\u{e0041}".repeat(30_000));
    displayName(" ".repeat(65_536));
    displayLine(" ".repeat(65_536));
    safeFileName("a.".repeat(30_000));
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describe("names as they are shown", () => {
  test.each([
    ["alice", "alice"],
    ["  alice \n\t bob ", "alice bob"],
    ["al\u200bice\u2060\u00ad\ufeff", "alice"],
    ["ali\u{e0020}\u{e0041}ce", "alice"],
    ["\u200dalice\u200c", "alice"],
    ["مریم می\u200cخواهد", "مریم می\u200cخواهد"],
    [
      "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} fan",
      "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} fan",
    ],
    ["\u202ealice", "\u{fffd}alice"],
    ["", NO_NAME],
    [" \u200b\u2800\u3164 ", NO_NAME],
    ["👨\u200d👩\u200d👧".repeat(100), `${"👨\u200d👩\u200d👧".repeat(MAX_SHOWN_NAME)}…`],
  ])("%j is %j", (name, shown) => expect(displayName(name)).toBe(shown));

  test.each([
    ["alice", null],
    ["Álice Ünder 👨\u200d👩\u200d👧", null],
    ["a".repeat(50), null],
  ])("%s can be chosen", (name, problem) => {
    expect(nameProblem(name)).toBe(problem);
  });

  test.each([
    ["", "empty"],
    ["  ", "empty"],
    ["\u200b", "empty"],
    ["#alice", "# or @"],
    ["@alice", "# or @"],
    ["o'neil", "'"],
    [" alice", "invisible characters or spaces"],
    ["ali\nce", "invisible characters or spaces"],
    ["ali\u202ece", "invisible characters or spaces"],
    ["a".repeat(51), "longer than 50"],
  ])("%j cannot be chosen", (name, why) => expect(nameProblem(name)).toContain(why));
});

describe("names of files", () => {
  test.each([
    ["photo.jpg", "photo.jpg"],
    ["Отчёт 2025 (1).pdf", "Отчёт 2025 (1).pdf"],
    ["../../etc/passwd", "passwd"],
    ["..\\..\\windows\\system.ini", "system.ini"],
    ["/", "file"],
    ["..", "file"],
    ["...", "file"],
    ["", "file"],
    [".bashrc", "bashrc"],
    ["a\0b\u001b[2J\n.txt", "a_b_[2J .txt"],
    ["evil\u202egpj.exe", "evil_gpj.exe"],
    ["CON", "_CON"],
    ["nul.txt", "_nul.txt"],
    ["console.txt", "console.txt"],
    ['a<b>c:d"e|f?g*h.txt', "a_b_c_d_e_f_g_h.txt"],
    ["name. . .", "name"],
    [`${"ы".repeat(300)}.tar.gz`, `${"ы".repeat(98)}.gz`],
    [`a.${"x".repeat(300)}`, `a.${"x".repeat(198)}`],
  ])("%j becomes %j", (name, safe) => expect(safeFileName(name)).toBe(safe));

  test("are safe, whatever was sent", () => {
    const part = fc.oneof(
      fc.constantFrom("/", "\\", "..", ".", " ", "\0", "con", "\u202e", ":"),
      fc.string({ unit: "binary", maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
        const safe = safeFileName(parts.join(""));
        expect(safe).not.toMatch(/[/\\<>:"|?*]|\p{Cc}|\p{Cs}|^[.\s]|[.\s]$|^(?:con|nul)(?:\.|$)/iu);
        expect(safe).not.toBe("");
        expect(new TextEncoder().encode(safe).length).toBeLessThanOrEqual(200);
      }),
      { numRuns: 1000 },
    );
  });
});
