import { afterEach, beforeAll, afterAll, describe, expect, it } from "vitest";
import { EMPTY, fromUtf8, utf8 } from "#crypto/bytes";
import type { LinkFailure } from "../../../client/agent/wire/link-error.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { HostilePeer } from "../../hostile/support/agent-peer.ts";
import { Person } from "./person.ts";

let relay: RelayProcess;
let folder: string;
beforeAll(async () => {
  folder = temporaryFolder();
  relay = await RelayProcess.start(folder);
});
afterAll(async () => {
  await relay.stop();
  removeFolder(folder);
});

const people: (Person | HostilePeer)[] = [];
afterEach(async () => {
  for (const one of people.splice(0)) await (one instanceof Person ? one.stop() : one.close());
});

async function person(name: string): Promise<Person> {
  const one = await new Person(name, [relay.info]).start();
  people.push(one);
  return one;
}

async function aliceAndBob(): Promise<readonly [Person, Person]> {
  return [await person("Alice"), await person("Bob")];
}

/** `link` is one of `alice`'s for one person; the two talk through it. */
async function connectsThrough(alice: Person, a: string, bob: Person, link: string): Promise<void> {
  const b = await bob.agent.join(link, utf8("Bob"));
  const { confirmation, info } = await alice.next("confirmation");
  expect(fromUtf8(info)).toBe("Bob");
  await alice.agent.allow(a, confirmation, utf8("Alice"));
  await Promise.all([alice.next("connected"), bob.next("connected")]);
  await alice.send(a, "hello");
  expect(await bob.receive()).toBe("hello");
  await bob.send(b, "hello");
  expect(await alice.receive()).toBe("hello");
}

const failure = (action: Promise<unknown>): Promise<LinkFailure | string> =>
  action.then(() => "works", (error: { failure?: LinkFailure; refusal?: string; error?: { type: string }; name: string }) =>
    error.failure ?? error.refusal ?? error.error?.type ?? error.name);

function short(link: string | null): string {
  if (!link) throw new Error("there is no short link");
  return link;
}

describe("the short link of an invitation", () => {
  it("shows its data to whoever opens it first, as often as wanted, and connects", async () => {
    const [alice, bob] = await aliceAndBob();
    const { connection, shortLink } = await alice.agent.invite({ data: utf8("Alice's link") });
    const link = short(shortLink);
    for (let i = 0; i < 2; i++) {
      expect(await bob.agent.preview(link)).toMatchObject({ type: "invitation", data: utf8("Alice's link") });
    }
    await bob.restart();
    expect((await bob.agent.preview(link)).data).toEqual(utf8("Alice's link"));
    const eve = await person("Eve");
    expect(await failure(eve.agent.preview(link))).toBe("AUTH");
    expect(await failure(eve.agent.join(link, EMPTY))).toBe("AUTH");
    await connectsThrough(alice, connection, bob, link);
  });

  it("shows what it was changed to before it was opened", async () => {
    const [alice, bob] = await aliceAndBob();
    const { connection, shortLink } = await alice.agent.invite({ data: utf8("before") });
    await alice.restart();
    await alice.agent.setLinkData(connection, utf8("after"));
    expect(await failure(alice.agent.setLinkData(connection, new Uint8Array(14_000)))).toBe("LARGE");
    await alice.agent.setLinkData(connection, new Uint8Array(13_000).fill(0x61));
    expect((await bob.agent.preview(short(shortLink))).data).toHaveLength(13_000);
    expect(await failure(alice.agent.setLinkData(connection, utf8("too late")))).toBe("AUTH");
    await connectsThrough(alice, connection, bob, short(shortLink));
  });

  it("leads nowhere once it was removed; the long one still does", async () => {
    const [alice, bob] = await aliceAndBob();
    const { connection, link, shortLink } = await alice.agent.invite();
    await alice.agent.removeShortLink(connection);
    expect(await failure(bob.agent.preview(short(shortLink)))).toBe("AUTH");
    expect(await failure(alice.agent.removeShortLink(connection))).toBe("PROHIBITED");
    expect(await failure(alice.agent.setLinkData(connection, EMPTY))).toBe("PROHIBITED");
    await connectsThrough(alice, connection, bob, link);
  });

  it("is taken by looking at it: the long one is of no use to others then", async () => {
    const [alice, bob] = await aliceAndBob();
    const eve = await person("Eve");
    const { connection, link, shortLink } = await alice.agent.invite();
    await bob.agent.preview(short(shortLink));
    await eve.agent.join(link, utf8("Eve"));
    expect(await eve.next("failed")).toMatchObject({ reason: "NOT_AVAILABLE" });
    await connectsThrough(alice, connection, bob, short(shortLink));
  });
});

describe("the short link of an address", () => {
  it("shows its data to everybody, what it was changed to, and nothing once it was removed", async () => {
    const [alice, bob] = await aliceAndBob();
    const eve = await person("Eve");
    const { connection, link, shortLink } = await alice.agent.createAddress({ data: utf8("before") });
    for (const one of [bob, eve]) {
      expect(await one.agent.preview(short(shortLink))).toMatchObject({ type: "contact", data: utf8("before") });
    }
    await alice.agent.setLinkData(connection, utf8("after"));
    expect((await eve.agent.preview(short(shortLink))).data).toEqual(utf8("after"));
    await bob.agent.join(short(shortLink), utf8("Bob"));
    expect(fromUtf8((await alice.next("request")).info)).toBe("Bob");
    await alice.agent.removeShortLink(connection);
    expect(await failure(eve.agent.join(short(shortLink), utf8("Eve")))).toBe("AUTH");
    await eve.agent.join(link, utf8("Eve by the long link"));
    expect(fromUtf8((await alice.next("request")).info)).toBe("Eve by the long link");
  });
});

describe("a link as people pass it on", () => {
  it.each<[string, (link: string) => string]>([
    ["as it was made", (link) => link],
    ["in the scheme https", (link) => link.replace("simplex:/", "https://simplex.chat/")],
    ["of another page", (link) => link.replace("simplex:/", "https://chat.example.com:8443/")],
    ["with a slash before the number sign", (link) => link.replace("invitation#", "invitation/#")],
    ["between blanks and line breaks", (link) => `\n\t  ${link} \r\n`],
  ])("long, %s, connects", async (_, change) => {
    const [alice, bob] = await aliceAndBob();
    const { connection, link } = await alice.agent.invite({ short: false });
    expect(await bob.agent.preview(change(link))).toMatchObject({ type: "invitation", data: null });
    await connectsThrough(alice, connection, bob, change(link));
  });

  it.each([[true], [false]])("long, with the key of the KEM in it: %s, is safe against quantum computers soon", async (longKem) => {
    const [alice, bob] = await aliceAndBob();
    const { connection, link } = await alice.agent.invite({ short: false, longKem });
    expect(link.includes("kem_key")).toBe(longKem);
    expect(link.length).toBeLessThan(longKem ? 3_000 : 1_000);
    await connectsThrough(alice, connection, bob, link);
    await alice.send(connection, "more");
    await bob.receive();
    expect((await alice.agent.connection(connection)).quantumSafe).toEqual({ sending: true, receiving: true });
  });

  it.each<[string, (link: string) => string]>([
    ["in the scheme simplex", (link) => link.replace("https://127.0.0.1/", "simplex:/").replace("?p=", "?h=127.0.0.1&p=")],
    ["between blanks and line breaks", (link) => `\n ${link}\t`],
    ["with a slash before the number sign", (link) => link.replace("/i#", "/i/#")],
  ])("short, %s, connects", async (_, change) => {
    const [alice, bob] = await aliceAndBob();
    const { connection, shortLink } = await alice.agent.invite();
    await connectsThrough(alice, connection, bob, change(short(shortLink)));
  });
});

describe("a link that does not work", () => {
  it("says why, and nothing is left of it", async () => {
    const [alice, bob] = await aliceAndBob();
    const { link, shortLink } = await alice.agent.invite();
    const address = await alice.agent.createAddress();
    const inner = (text: string, from: string, to: string): string => text.replace(encodeURIComponent(from), encodeURIComponent(to));
    const keyed = short(address.shortLink);
    const key = /#([\w-]+)/.exec(keyed)?.[1] ?? "";
    const broken: [string, string, LinkFailure | "AUTH"][] = [
      ["nothing", "", "SYNTAX"],
      ["some text", "see you there", "SYNTAX"],
      ["a page", "https://simplex.chat/", "SYNTAX"],
      ["the half of a link", link.slice(0, link.length / 2), "SYNTAX"],
      ["no queue", link.replace(/&smp=[^&]*/, ""), "SYNTAX"],
      ["no keys", link.replace(/&e2e=[^&]*/, ""), "SYNTAX"],
      ["a key of another kind", inner(link, "MEIwBQYDK2Vv", "MEIwBQYDK2Vw"), "SYNTAX"],
      ["a key of low order", link.replace(/(MEIwBQYDK2VvAzkA)[\w-]{75}/, `$1${"A".repeat(75)}`), "KEY"],
      ["an agent of later", link.replace("?v=2-7", "?v=8-9"), "VERSION"],
      ["encryption of later", inner(link, "v=2-3", "v=4-5"), "VERSION"],
      ["a queue of later", inner(link, "/?v=1-4", "/?v=5-6"), "VERSION"],
      ["an address of later", address.link.replace("?v=2-7", "?v=8-9"), "VERSION"],
      ["the half of a short link", short(shortLink).slice(0, 50), "SYNTAX"],
      ["a short link of nobody", short(shortLink).replace(/#[\w-]{10}/, "#aaaaaaaaaa"), "AUTH"],
      ["a short address of nobody", keyed.replace(key, `aaaaaaaaaa${key.slice(10)}`), "AUTH"],
    ];
    for (const [what, text, why] of broken) {
      expect([what, await failure(bob.agent.join(text, EMPTY))]).toEqual([what, why]);
      expect([what, await failure(bob.agent.preview(text))]).toEqual([what, why === "VERSION" || why === "KEY" ? "works" : why]);
    }
    expect(await bob.agent.connections()).toEqual([]);
  });

  it("is told at once, not when the relay is asked, if what I say of myself does not fit", async () => {
    const [alice, bob] = await aliceAndBob();
    const { connection, link } = await alice.agent.invite();
    const { link: address } = await alice.agent.createAddress();
    const long = new Uint8Array(11_000);
    expect(await failure(bob.agent.join(link, long))).toBe("LARGE");
    expect(await failure(bob.agent.join(address, long))).toBe("LARGE");
    await bob.agent.join(link, long.subarray(0, 10_500));
    const { confirmation, info } = await alice.next("confirmation");
    expect(info).toHaveLength(10_500);
    expect(await failure(alice.agent.allow(connection, confirmation, long))).toBe("LARGE");
    await alice.agent.allow(connection, confirmation, long.subarray(0, 10_500));
    expect((await bob.next("info")).info).toHaveLength(10_500);
    await Promise.all([alice.next("connected"), bob.next("connected")]);
  });
});

describe("where senders do not secure queues", () => {
  /** What an older agent would have written: the queue has no mode. */
  const old = (link: string): string => link.replace(encodeURIComponent("&q=m&k=s"), "");

  it("the joiner tells its key, with which the queue is secured", async () => {
    const [alice, bob] = await aliceAndBob();
    const eve = await person("Eve");
    const { connection, link } = await alice.agent.invite({ short: false });
    expect(old(link)).not.toBe(link);
    await connectsThrough(alice, connection, bob, old(link));
    await eve.agent.join(old(link), utf8("Eve"));
    expect(await eve.next("failed")).toMatchObject({ reason: "NOT_AVAILABLE" });
  });

  it("an old joiner is connected after both said HELLO", async () => {
    const alice = await person("Alice");
    const { connection, link } = await alice.agent.invite({ short: false });
    const joiner = HostilePeer.take(relay.info, old(link));
    people.push(joiner);
    await joiner.joinAsOld(relay.info);
    const { confirmation } = await alice.next("confirmation");
    await alice.agent.allow(connection, confirmation, utf8("Alice"));
    expect(await joiner.hear()).toEqual({ type: "connInfo", connInfo: utf8("Alice") });
    await joiner.secureOwn();
    await joiner.say(joiner.peer.message({ type: "HELLO" }));
    expect(await joiner.hear()).toMatchObject({ message: { type: "HELLO" } });
    await alice.next("connected");
    await alice.send(connection, "hello");
    expect(await joiner.hear()).toMatchObject({ sndMsgId: 3, message: { type: "A_MSG" } });
  });

  it("an old initiator is connected after both said HELLO", async () => {
    const bob = await person("Bob");
    const { peer: initiator, link } = await HostilePeer.invite(relay.info);
    people.push(initiator);
    const b = await bob.agent.join(link, utf8("Bob"));
    expect((await initiator.meet()).connInfo).toEqual(utf8("Bob"));
    await initiator.secureOwn();
    await initiator.confirmAsOld();
    await bob.next("info");
    expect(await initiator.hear()).toMatchObject({ sndMsgId: 2, message: { type: "HELLO" } });
    expect((await bob.agent.connection(b)).status).toBe("pending");
    await expect(bob.send(b, "too early")).rejects.toMatchObject({ refusal: "PROHIBITED" });
    await initiator.say(initiator.peer.message({ type: "HELLO" }));
    await bob.next("connected");
    await bob.send(b, "hello");
    expect(await initiator.hear()).toMatchObject({ sndMsgId: 3, message: { type: "A_MSG" } });
  });
});
