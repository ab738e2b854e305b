import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { PATIENT, stage } from "./support/stage.ts";
import { PROGRAM } from "./support/tmux.ts";

type Event = Record<string, unknown> & { readonly type: string };

describe("scripts", { timeout: PATIENT }, () => {
  const { db, run, relay, restartRelay } = stage();

  /** A running `listen --json`. */
  function listen(name: string): { readonly next: (type: string) => Promise<Event>; readonly stop: () => Promise<number | null> } {
    const child = spawn(process.execPath, [PROGRAM, "listen", "--json", "--db", db(name)], { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const exited = once(child, "close") as Promise<[number | null]>;
    return {
      async next(type) {
        for (;;) {
          const { value, done } = await lines.next() as IteratorResult<string, undefined>;
          if (done === true) throw new Error(`the listener ended before '${type}'`);
          const event = JSON.parse(value) as Event;
          if (event.type === type) return event;
        }
      },
      async stop() {
        child.kill("SIGTERM");
        return (await exited)[0];
      },
    };
  }

  /** Makes two profiles that are connected. */
  async function friends(a: string, b: string): Promise<void> {
    const common = ["--relay", relay().info.address];
    const { stdout: link } = await run(["invite", "--db", db(a), "--user", a, ...common]);
    const listener = listen(a);
    const connected = await run(["connect", link.trim(), "--db", db(b), "--user", b, ...common, "--timeout", "20"]);
    expect([connected.code, connected.stdout, connected.stderr]).toEqual([0, `${a}\n`, ""]);
    expect(await listener.next("connected")).toMatchObject({ chat: { type: "contact", name: b } });
    expect(await listener.stop()).toBe(0);
  }

  it("meet, send and receive: nothing is lost, and nothing comes twice", async () => {
    await friends("alice", "bob");
    for (const text of ["one", "two", "three"]) {
      expect(await run(["send", "@bob", text, "--db", db("alice")])).toEqual({ code: 0, stdout: "", stderr: "" });
    }
    const first = await run(["recv", "--db", db("bob"), "--timeout", "10"]);
    expect([first.code, first.stdout.replace(/^\S+ /u, "")]).toEqual([0, "alice> one\n"]);
    const rest = await run(["recv", "--db", db("bob"), "--count", "2", "--json", "--from", "@alice"]);
    const events = rest.stdout.trim().split("\n").map((one) => JSON.parse(one) as Event);
    expect(events).toMatchObject([
      { type: "message", from: "alice", isOwn: false, kind: "text", text: "two", chat: { type: "contact", name: "alice" } },
      { type: "message", text: "three" },
    ]);
    const late = await run(["recv", "--db", db("bob"), "--timeout", "1"]);
    expect([late.code, late.stdout, late.stderr]).toEqual([5, "", "smp-edge recv: not done within 1 seconds\n"]);
  });

  it("send what stdin says, and wait for the other program if they are told to", async () => {
    await friends("carol", "dave");
    const listener = listen("dave");
    await listener.next("relay");
    const sent = await run(["send", "@dave", "-", "--wait", "delivered", "--json", "--db", db("carol")], { input: "first line\nsecond\n" });
    expect([sent.code, JSON.parse(sent.stdout)]).toMatchObject([0, { type: "message", isOwn: true, status: "delivered", text: "first line\nsecond" }]);
    expect(await listener.next("message")).toMatchObject({ from: "carol", text: "first line\nsecond" });
    expect(await listener.stop()).toBe(0);
    const { stdout: link } = await run(["invite", "--db", db("carol")]);
    const used = await run(["connect", link.trim(), "--db", db("dave"), "--timeout", "1"]);
    expect(used.code).toBe(5);
    const again = await run(["connect", link.trim(), "--db", db("erin"), "--user", "erin", "--relay", relay().info.address]);
    expect([again.code, again.stderr]).toEqual([4, expect.stringContaining("not valid any more")]);
    const waits = await run(["send", "@dave", "nobody is there", "--wait", "delivered", "--timeout", "2", "--db", db("carol")]);
    expect([waits.code, waits.stderr]).toEqual([5, expect.stringContaining("the message is kept")]);
    expect((await run(["recv", "--db", db("dave"), "--timeout", "10"])).stdout).toContain("nobody is there");
  });

  it("keep what could not be sent, and send it at the next start", async () => {
    await friends("eve", "fred");
    const address = relay().info.address;
    await relay().stop();
    const failed = await run(["send", "@fred", "into the dark", "--timeout", "2", "--db", db("eve")]);
    expect([failed.code, failed.stderr]).toEqual([5, expect.stringContaining("is sent at the next start")]);
    await restartRelay();
    expect(relay().info.address).toBe(address);
    expect((await run(["send", "@fred", "light", "--timeout", "20", "--db", db("eve")])).code).toBe(0);
    const { stdout } = await run(["recv", "--count", "2", "--timeout", "20", "--db", db("fred")]);
    expect(stdout).toMatch(/into the dark[\s\S]*light/u);
  });

  it("tell by their exit codes what is wrong", async () => {
    const own = ["--db", db("gina"), "--user", "gina", "--relay", relay().info.address];
    expect((await run(["send", "*", "note", ...own])).code).toBe(0);
    for (const [args, code, words] of [
      [["send", "@nobody", "x", ...own], 4, "there is no contact nobody"],
      [["send", "#nogroup", "x", ...own], 4, "there is no group nogroup"],
      [["send", "nobody", "x", ...own], 2, "say @NAME"],
      [["send", "@nobody", ...own], 2, "say to whom and what"],
      [["send", "*", "x", "--user", "otherwise", "--db", db("gina")], 2, "there is gina"],
      [["send", "*", "x", "--wait", "read", ...own], 2, "--wait must be"],
      [["recv", "--count", "0", ...own], 2, "--count must be"],
      [["connect", "https://example.org/", ...own], 4, ""],
      [["listen", "--frob"], 2, "frob"],
    ] as const) {
      const { code: actual, stdout, stderr } = await run(args);
      expect([args[0], actual, stdout]).toEqual([args[0], code, ""]);
      expect(stderr).toContain(words);
      expect(stderr.startsWith(`smp-edge ${args[0]}: `)).toBe(true);
    }
  });

  it("drive the chat itself through a pipe", async () => {
    const own = ["--db", db("hugo"), "--user", "hugo", "--relay", relay().info.address];
    const { code, stdout, stderr } = await run(["chat", ...own], { input: "* remember the milk\n/t *\n/frob\n@nobody hi\n" });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("* remember the milk");
    expect(stdout).toContain("there is no command /frob");
    expect(stdout).not.toContain("\u001b");
  });
});
