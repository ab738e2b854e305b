import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PATIENT, stage } from "./support/stage.ts";
import { hasTmux } from "./support/tmux.ts";

describe.skipIf(!hasTmux)("the profile of a terminal", { timeout: PATIENT }, () => {
  const { chat, tmux, db, run, folder, relay } = stage();
  const file = (name: string): string => join(db(name), "profile.sqlite");

  it("is for its owner only, and for one program at a time", async () => {
    const alice = await chat("alice");
    expect(statSync(db("alice")).mode & 0o777).toBe(0o700);
    expect(statSync(file("alice")).mode & 0o777).toBe(0o600);
    const other = await run(["send", "*", "x", "--db", db("alice")]);
    expect([other.code, other.stdout]).toEqual([3, ""]);
    expect(other.stderr).toContain("is open in another program: end that one first");
    const second = tmux().chat("second", ["--db", db("alice")]);
    await second.shows("ended 3");
    alice.press("C-d");
    await alice.shows("ended 0");
    expect((await run(["send", "*", "x", "--db", db("alice")])).code).toBe(0);
  });

  it("is encrypted with a passphrase that nobody sees", async () => {
    const bob = await chat("bob");
    bob.enter("* a note that only bob may read");
    await bob.shows("* a note");
    bob.enter("/db encrypt");
    await bob.shows("New passphrase:");
    bob.enter("correct horse");
    await bob.shows("Once more:");
    bob.enter("correct horse");
    await bob.shows("the profile is encrypted");
    bob.enter("* and another one");
    await bob.shows("* and another one");
    bob.press("C-d");
    expect(await bob.shows("ended 0")).not.toContain("horse");
    const stored = readFileSync(file("bob"));
    expect(stored.includes("only bob may read")).toBe(false);
    tmux().close("bob");

    const again = tmux().chat("bob", ["--db", db("bob")]);
    await again.shows("Passphrase:");
    again.enter("wrong horse");
    await again.shows("This is not it.");
    again.enter("correct horse");
    await again.shows("you are bob");
    expect(again.text()).not.toContain("horse");
    again.enter("/t *");
    await again.shows("* a note that only bob may read");
    // What was typed before is remembered inside of what is encrypted.
    again.press("Up", "Up", "Up");
    await again.shows("> /db encrypt");
    again.press("C-c");
    again.enter("/db key");
    await again.shows("Passphrase:");
    again.enter("wrong horse");
    again.enter("new");
    again.enter("new");
    await again.shows("this is not the passphrase");
    again.enter("/db key 'correct battery' new");
    await again.shows("this is not the passphrase");
    again.press("Up");
    await again.shows(/> \/db key$/mu);
    again.press("C-c", "C-d");
    await again.shows("ended 0");
  });

  it("is opened by scripts with a passphrase from a file, a descriptor or the environment", async () => {
    const secret = join(folder, "secret");
    writeFileSync(secret, "pass phrase\n", { mode: 0o600 });
    const common = ["send", "*", "hi", "--db", db("carol")];
    const made = await run([...common, "--user", "carol", "--relay", relay().info.address, "--passphrase-file", secret]);
    expect([made.code, made.stderr]).toEqual([0, ""]);
    expect((await run(common, { env: { SMP_EDGE_PASSPHRASE: "pass phrase" } })).code).toBe(0);
    expect((await run([...common, "--passphrase-fd", "0"], { input: "pass phrase\n" })).code).toBe(0);
    const missing = await run(common);
    expect([missing.code, missing.stderr]).toEqual([3, expect.stringContaining("--passphrase-file")]);
    expect((await run(common, { env: { SMP_EDGE_PASSPHRASE: "wrong" } })).code).toBe(3);
  });

  it("says what can be done when it is damaged, and does not make it worse", async () => {
    await run(["send", "*", "hi", "--db", db("dan"), "--user", "dan", "--relay", relay().info.address]);
    const bytes = readFileSync(file("dan"));
    bytes.fill(0xff, 100, 3000);
    writeFileSync(file("dan"), bytes);
    const { code, stderr } = await run(["send", "*", "hi", "--db", db("dan")]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/damaged.*backup/u);
    expect(readFileSync(file("dan")).equals(bytes)).toBe(true);
  });

  it("needs a relay once", async () => {
    const none = await run(["invite", "--db", db("eva"), "--user", "eva"]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("--relay local")]);
    const bad = await run(["invite", "--db", db("eva"), "--user", "eva", "--relay", "smp://nonsense"]);
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining("is not the address of a relay")]);
    const plain = await run(["invite", "--db", db("eva"), "--user", "eva", "--relay", "http://relay.example.org"]);
    expect([plain.code, plain.stderr]).toEqual([2, expect.stringContaining("is not https")]);
    const page = relay().info.url.replace("ws:", "http:");
    expect((await run(["invite", "--db", db("eva"), "--user", "eva", "--relay", page])).code).toBe(0);
    expect((await run(["invite", "--db", db("eva")])).code).toBe(0);
    expect(existsSync(file("eva"))).toBe(true);
  });
});
