import { describe, expect, it } from "vitest";
import { EMPTY_INPUT } from "../../client/terminal/input/input.ts";
import { layoutInput } from "../../client/terminal/screen/layout.ts";
import { meet, PATIENT, stage } from "./support/stage.ts";
import { hasTmux, PROGRAM } from "./support/tmux.ts";

describe.skipIf(!hasTmux)("typing at a terminal", { timeout: PATIENT }, () => {
  const { chat, tmux, db } = stage();

  it("wraps, moves and fits itself to every new size", async () => {
    const window = await chat("alice", { columns: 40, rows: 12 });
    await window.shows(/connected to|\/help/u);
    const text = "a long line with wide 日本語 letters and emoji 🙂 that takes some rows";
    window.type(text);
    await window.shows("takes some rows");
    for (const columns of [20, 33, 80, 12, 60]) {
      window.resize({ columns, rows: 12 });
      const { rows } = layoutInput("> ", { ...EMPTY_INPUT, text, at: text.length }, { columns, rows: 12 });
      const expected = rows.map((row) => row.trimEnd()).join("\n");
      await window.until(`the line in ${columns} columns`, () => window.rows().slice(-rows.length).join("\n") === expected);
      expect(window.rows().filter((row) => row.startsWith("> a"))).toHaveLength(1);
    }
    window.press("Home");
    window.type("X");
    await window.shows("> Xa long line");
    expect(window.cursor()[0]).toBe(3);
    window.press("C-c");
    await window.until("an empty line", () => window.rows().at(-1) === ">");
    // What tmux pushed into its scrollback, because it had less room all at once, nobody can take back.
    expect(window.rows().join("\n")).not.toContain("long line");
  });

  it("keeps a pasted text of several lines as one message, and knows it again", async () => {
    const [bob, carol] = [await chat("bob"), await chat("carol", { columns: 50, rows: 15 })];
    await meet(bob, carol, ["bob", "carol"]);
    bob.type("@carol ");
    bob.paste("first\nsecond 🙂\n\tthird");
    await bob.shows("> @carol first\nsecond 🙂\n    third");
    expect(bob.text()).not.toContain("…");
    bob.press("Enter");
    await carol.shows("bob> first\n      second 🙂\n          third");
    bob.press("Up");
    await bob.shows("> @carol first\nsecond 🙂\n    third");
    bob.press("C-c", "C-r");
    bob.type("sec");
    await bob.shows("(search: sec) @carol first");
    bob.press("Escape", "C-c");
    carol.type("@bob one");
    carol.press("M-Enter");
    carol.type("two");
    carol.press("Enter");
    await bob.shows("carol> one\n      two");
  });

  it("shows more than fits around the cursor only", async () => {
    const window = await chat("dora", { columns: 40, rows: 10 });
    window.type("@x ");
    window.paste(Array.from({ length: 40 }, (_, i) => `line ${i}`).join("\n"));
    await window.until("the end of it", () => window.rows().at(-1) === "line 39");
    expect(window.rows().find((row) => row === "…")).toBe("…");
    window.press("C-c");
    await window.until("nothing of it", () => window.rows().at(-1) === ">");
    window.enter("/version");
    await window.shows("smp-edge chat, Node");
    expect(window.text()).not.toContain("line 39");
  });

  it("completes names and commands", async () => {
    const [emil, fay] = [await chat("emil"), await chat("fay lee")];
    await meet(emil, fay, ["emil", "'fay lee'"]);
    emil.type("@f");
    emil.press("Tab");
    await emil.shows("> @'fay lee'");
    emil.type("hi");
    emil.press("Enter");
    await fay.shows("emil> hi");
    emil.type("/db ");
    emil.press("Tab", "Tab");
    await emil.shows("/db decrypt  /db encrypt  /db key");
    emil.press("C-u");
    emil.type(`/f @'fay lee' ${db("emil")}/pro`);
    emil.press("Tab");
    await emil.shows("profile.sqlite");
  });

  it("edits the last message with Alt-Up", async () => {
    const [gus, hal] = [await chat("gus"), await chat("hal")];
    await meet(gus, hal, ["gus", "hal"]);
    gus.enter("@hal a tpyo");
    await hal.shows("gus> a tpyo");
    gus.press("M-Up");
    await gus.shows("> ! @hal a tpyo");
    gus.press("M-BSpace");
    gus.type("typo");
    gus.press("Enter");
    await hal.shows("gus> [edited] a typo");
  });

  it.each([
    ["Ctrl-C twice", ["C-c", "C-c"]],
    ["Ctrl-D", ["C-d"]],
  ])("ends with %s and leaves the terminal as it was", async (_, keys) => {
    const window = await chat("ivy");
    window.press(...keys);
    await window.shows(/ended 0\n icanon echo/u);
    tmux().close("ivy");
  });

  it("empties the screen, is suspended and comes back", async () => {
    const window = tmux().open("sh", ["bash", "--norc", "-i"], { env: { PS1: "shell " } });
    await window.shows("shell");
    const { execPath } = process;
    window.enter(`${execPath} ${PROGRAM} chat --db ${db("ivy")}`);
    await window.shows("you are ivy");
    window.press("C-l");
    await window.until("an empty screen", () => window.rows().join("") === ">");
    window.type("@half");
    window.press("C-z");
    await window.shows("Stopped");
    window.enter("echo in between");
    await window.shows("in between");
    window.enter("fg");
    await window.until("the line of before", () => window.rows().at(-1) === "> @half");
    window.press("C-c", "C-d");
    await window.until("the shell", () => window.rows().at(-1) === "shell");
  });

  it("has no colours where none are wanted", async () => {
    const plain = await chat("jo", {}, ["--no-color"]);
    plain.enter("/help");
    await plain.shows("quick start");
    expect(plain.coloured()).not.toContain("\u001b[3");
    plain.press("C-d");
    await plain.shows("ended 0");
    tmux().close("jo");
    const coloured = await chat("jo");
    coloured.enter("/help");
    await coloured.shows("quick start");
    expect(coloured.coloured()).toContain("\u001b[36m");
  });
});
