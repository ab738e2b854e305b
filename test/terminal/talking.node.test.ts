import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { linkIn, meet, PATIENT, stage } from "./support/stage.ts";
import { hasTmux } from "./support/tmux.ts";

const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==",
  "base64",
);

describe.skipIf(!hasTmux)("people at terminals", { timeout: PATIENT }, () => {
  const { chat, tmux, db, relay, folder, restartRelay } = stage();

  it("choose a name, meet, and talk", async () => {
    const alice = await chat("alice");
    const bob = tmux().chat("bob", ["--db", db("bob"), "--relay", relay().info.address]);
    await bob.shows("name:");
    bob.enter("#bob");
    await bob.shows("must not begin with #");
    bob.enter("bob");
    await bob.shows("you are bob");
    await meet(alice, bob, ["alice", "bob"]);

    alice.enter("@bob hello");
    await bob.shows(/alice> hello$/mu);
    await alice.shows(/@bob hello ✓✓$/mu);
    bob.enter("> @alice (hel) hello yourself");
    await alice.shows(/bob> >> hello\n      hello yourself$/mu);
    alice.enter("! @bob hello, Bob");
    await bob.shows(/alice> \[edited\] hello, Bob$/mu);
    await alice.shows(/@bob \[edited\] hello, Bob ✓✓$/mu);
    bob.enter("+* @alice hello, B");
    await alice.shows(/bob> >> hello, Bob\n {4}\+ ❤$/mu);
    bob.enter("\\ @alice");
    await alice.shows(/bob> >> hello\n {6}\[deleted\] hello yourself$/mu);
    alice.enter("@nobody hi");
    await alice.shows("there is no contact nobody");
    alice.enter("/tail @bob 2");
    const tail = await alice.shows("❤ 1");
    expect(tail).toMatch(/@bob \[edited\] hello, Bob ✓✓\n {6}❤ 1\n/u);
  });

  it("come through an address, incognito too", async () => {
    const [alice, carol] = [await chat("ann"), await chat("carol")];
    alice.enter("/ad");
    const address = linkIn(await alice.shows("anybody can ask"));
    carol.enter(`/c ${address} may I come in?`);
    await alice.shows("carol wants to connect\n  may I come in?");
    alice.enter("/ac carol");
    await Promise.all([carol.shows("ann: contact is connected"), alice.shows("carol: contact is connected")]);
    const dave = await chat("dave");
    dave.enter(`/c i ${address}`);
    const asked = await alice.until("a second request", (text) => text.split("wants to connect").length === 3);
    const [, name = ""] = /\n(\S+) wants to connect\nto accept/u.exec(asked) ?? [];
    expect(name).not.toContain("dave");
    alice.enter(`/rc ${name}`);
    await alice.shows(`${name}: request rejected`);
  });

  it("keep what they type while messages come, and see the latest state of their own", async () => {
    const [alice, bob] = [await chat("eve"), await chat("fred", { columns: 50, rows: 12 })];
    await meet(alice, bob, ["eve", "fred"]);
    bob.type("@eve half a sentence 日本語");
    await bob.shows("> @eve half a sentence 日本語");
    for (let i = 1; i <= 15; i++) alice.enter(`@fred message ${i}`);
    await bob.shows(/eve> message 15\n> @eve half a sentence 日本語$/u);
    bob.type(" and the rest");
    bob.press("Enter");
    await alice.shows(/fred> half a sentence 日本語 and the rest$/mu);
    await bob.shows(/@eve half a sentence 日本語 and the rest ✓✓$/mu);
    const messages = [...bob.text().matchAll(/eve> message (\d+)$/gmu)].map(([, number]) => Number(number));
    expect(messages).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
  });

  it("go on after the relay was restarted, and find what came while they were away", async () => {
    const [alice, bob] = [await chat("gina"), await chat("hugo")];
    await meet(alice, bob, ["gina", "hugo"]);
    await restartRelay();
    alice.enter("@hugo after the restart");
    await bob.shows(/gina> after the restart$/mu);
    bob.enter("/q");
    await bob.shows("ended 0");
    alice.enter("@hugo while you were away");
    await alice.shows(/while you were away ✓$/mu);
    tmux().close("hugo");
    const again = await chat("hugo");
    await again.shows(/gina> while you were away$/mu);
    again.press("Up");
    await again.shows("> /q");
  });

  it("say what is unread of muted contacts", async () => {
    const [alice, bob] = [await chat("ida"), await chat("jack")];
    await meet(alice, bob, ["ida", "jack"]);
    bob.enter("/mute @ida");
    await bob.shows("muted");
    alice.enter("@jack psst");
    await alice.shows(/@jack psst ✓✓/u);
    expect(bob.text()).not.toContain("psst");
    bob.enter("/chats");
    await bob.shows(/@ida 1 unread {2}psst/u);
    bob.enter("/unread");
    await bob.shows(/ida> psst$/mu);
    bob.enter("/unread");
    await bob.shows("nothing is unread");
  });

  it("send each other files and pictures", async () => {
    const [alice, bob] = [await chat("mona"), await chat("nils")];
    await meet(alice, bob, ["mona", "nils"]);
    const content = Buffer.from(Array.from({ length: 40_000 }, (_, i) => (i * 7) % 256));
    writeFileSync(join(folder, "a file.bin"), content);
    alice.enter(`/f @nils '${join(folder, "a file.bin")}'`);
    await bob.shows(/file a file\.bin, 40\.0 kB: \/fr 1 saves it/u);
    bob.enter(`/fr 1 ${join(folder, "saved.bin")}`);
    await bob.shows("saved as");
    expect(readFileSync(join(folder, "saved.bin")).equals(content)).toBe(true);
    bob.enter(`/fr 1 ${join(folder, "saved.bin")}`);
    await bob.shows("saved_1.bin");
    writeFileSync(join(folder, "dot.png"), PIXEL);
    bob.enter(`/img @mona ${join(folder, "dot.png")}`);
    await alice.shows(/nils> \[picture/u);
    writeFileSync(join(folder, "large.bin"), Buffer.alloc(300_000));
    bob.enter(`/f @mona ${join(folder, "large.bin")}`);
    await bob.shows(/large\.bin' has 300000 bytes/u);
    bob.enter("/f @mona /nowhere/at/all");
    await bob.shows("/nowhere/at/all cannot be read");
  });

  it("make a group of three, with a link too", async () => {
    const [alice, bob, carol] = [await chat("olga"), await chat("paul"), await chat("rita")];
    await meet(alice, bob, ["olga", "paul"]);
    alice.enter("/g team we");
    await alice.shows("group #team is created");
    alice.enter("/a team paul");
    await bob.shows("olga invites you to the group team");
    await bob.shows("#team: you are invited; /j team joins");
    bob.enter("/j team");
    await bob.shows("#team: you joined the group");
    await alice.shows("#team: paul joined the group");
    alice.enter("/create link #team");
    carol.enter(`/c ${linkIn(await alice.shows("the link of #team"))}`);
    await carol.shows("#team: you joined the group");
    await bob.shows("#team: rita joined the group");
    alice.enter("#team hello all");
    await Promise.all([bob.shows(/#team olga> hello all$/mu), carol.shows(/#team olga> hello all$/mu)]);
    carol.enter("> #team @olga (hello) hello @paul");
    await bob.shows(/#team rita> >+ hello all\n {6}hello @paul$/mu);
    bob.enter("+1 #team hello all");
    await alice.shows(/#team paul> >> hello all\n {4}\+ 👍/u);
    alice.enter("/ms team");
    await alice.shows(/olga: owner, you\npaul: member, connected\nrita: member, connected/u);
    alice.enter("\\\\ #team @rita hello @");
    await bob.shows(/\[deleted by olga\] hello @paul/u);
    alice.enter("/mr team paul admin");
    await bob.shows(/#team: olga changed a role/u);
    alice.enter("/rm team rita");
    await carol.shows("#team: olga removed you from the group");
    bob.enter("/l team");
    await alice.shows("#team: paul left the group");
  });

  it("compare their security codes", async () => {
    const [alice, bob] = [await chat("kate"), await chat("liam")];
    await meet(alice, bob, ["kate", "liam"]);
    bob.enter("/code @kate");
    const [code = ""] = /(?:\d{5} ){10,}\d+/u.exec(await bob.shows("when it is the same")) ?? [];
    alice.enter(`/verify @liam ${code}`);
    await alice.shows("liam: connection verified");
    alice.enter(`/verify @liam ${code.replace(/^\d/u, (digit) => String((Number(digit) + 1) % 10))}`);
    await alice.shows("liam: connection NOT verified");
  });
});
