import { describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import type { Talker } from "./talker.ts";
import { textOf } from "./talker.ts";
import { world } from "./world.ts";

const { friends } = world();

/** Has Bob's agent send whatever bytes. */
async function sendRaw(bob: Talker, body: Uint8Array | object): Promise<void> {
  const { connection } = await bob.friend("Alice");
  const bytes = body instanceof Uint8Array ? body : utf8(JSON.stringify(body));
  await bob.agent.send(connection ?? "", bytes);
}

const event = (name: string, params: object, msgId = "YWFhYWFhYWFhYWFhYWFhYQ=="): object => ({ v: "1-16", msgId, event: name, params });

describe("what a hostile or newer contact sends", () => {
  it("is noted in the conversation, and the conversation goes on", async () => {
    const [alice, bob] = await friends();
    await sendRaw(bob, utf8("{"));
    await sendRaw(bob, Uint8Array.of());
    await sendRaw(bob, utf8("X"));
    await sendRaw(bob, Uint8Array.of(0x46, 0, 1, 1, 1, 1));
    await sendRaw(bob, [{ event: "evil" }, { event: 1 }, event("x.msg.new", { content: { type: "text", text: "among them" } })]);
    await sendRaw(bob, event("x.future", { deep: [1.5, { a: null }] }));
    await sendRaw(bob, event("x.msg.react", { msgId: "bm90aGluZw==", reaction: { type: "emoji", emoji: "🚀" }, add: true }));
    await sendRaw(bob, event("x.msg.del", { msgId: "bm90aGluZw==" }));
    await sendRaw(bob, event("x.info", { profile: { displayName: "\u202Eevil\u0007", fullName: "" } }));
    await sendRaw(bob, event("x.msg.new", { content: { type: "text", text: "\uD800 half" } }, "Ym5uYm5uYm5uYm5uYm5uYg=="));
    await bob.say("Alice", "still here");
    const [contact] = await alice.until("all of it", async () => {
      const contacts = await alice.chat.contacts.list(alice.user.id);
      const items = await alice.chat.history.items(contacts[0]?.id ?? "");
      return items.some((item) => textOf(item) === "still here") ? contacts : null;
    });
    const items = await alice.chat.history.items(contact?.id ?? "");
    expect(items.map(textOf)).toEqual([
      "(connected)", "(unreadable)", "(unreadable)", "(unreadable)", "(filePart)", "among them", "(unreadable)", "(x.future?)",
      "(profileChanged)", "\u{fffd} half", "still here",
    ]);
    expect(contact?.name).toBe("\u{fffd}evil\u2407");
    // A reaction that came before its message waits for it.
    await sendRaw(bob, event("x.msg.new", { content: { type: "text", text: "late" } }, "bm90aGluZw=="));
    const late = await alice.message(contact?.name ?? "", "late");
    expect(late.reactions).toMatchObject([{ isOwn: false, reaction: { emoji: "🚀" } }]);
  });

  it("does not change what is not theirs, nor come twice", async () => {
    const [alice, bob] = await friends();
    const own = await alice.say("Bob", "my words");
    await bob.message("Alice", "my words");
    await sendRaw(bob, event("x.msg.del", { msgId: own.msgId }));
    await sendRaw(bob, event("x.msg.update", { msgId: own.msgId, content: { type: "text", text: "put into the mouth" } }));
    const twice = event("x.msg.new", { content: { type: "text", text: "once" } });
    await sendRaw(bob, [twice, twice]);
    await sendRaw(bob, twice);
    for (const emoji of ["👍", "👎", "😀", "😂"]) {
      await sendRaw(bob, event("x.msg.react", { msgId: own.msgId, reaction: { type: "emoji", emoji }, add: true }));
    }
    await bob.say("Alice", "the end");
    await alice.message("Bob", "the end");
    // The edit is of a message of Bob's that nobody knows: it stands as one of his.
    expect(await alice.texts("Bob")).toEqual(["my words", "put into the mouth", "once", "the end"]);
    const mine = await alice.message("Bob", "my words");
    expect(mine).toMatchObject({ isOwn: true, isEdited: false, deletedAt: null });
    expect(mine.reactions).toHaveLength(3);
  });

  it("is marked as read, though it is to disappear at the end of time", async () => {
    const [alice, bob] = await friends();
    const content = { type: "text", text: "for ever" };
    await sendRaw(bob, event("x.msg.new", { content, ttl: Number.MAX_SAFE_INTEGER }));
    await alice.message("Bob", "for ever");
    const { id } = await alice.friend("Bob");
    await alice.chat.history.markRead(id);
    expect(await alice.chat.history.conversation(id)).toMatchObject({ unread: 0 });
  });

  it("is thrown away when the contact is blocked, and brings no receipt", async () => {
    const [alice, bob] = await friends();
    const { id } = await alice.friend("Bob");
    await alice.chat.contacts.set(id, { isBlocked: true });
    await bob.say("Alice", "unheard");
    await bob.message("Alice", "unheard", ({ status }) => status.type === "sent");
    await sendRaw(bob, event("x.info", { profile: { displayName: "Bob", fullName: "says something" } }));
    await bob.chat.contacts.signal((await bob.friend("Alice")).id, { type: "x.ok", params: {} });
    await alice.until("nothing waits", async () => (await alice.mortal.store.list("events")).length === 0);
    await alice.chat.contacts.set(id, { isBlocked: false });
    await bob.say("Alice", "heard");
    await alice.message("Bob", "heard");
    await bob.message("Alice", "heard", ({ status }) => status.type === "delivered");
    expect(await alice.texts("Bob")).toEqual(["heard"]);
    expect(await bob.message("Alice", "unheard")).toMatchObject({ status: { type: "sent" } });
  });

  it("may be a call, which is passed on", async () => {
    const [alice, bob] = await friends();
    const invitation = { callType: { media: "audio", capabilities: { encryption: false } } } as const;
    await bob.chat.contacts.signal((await bob.friend("Alice")).id, { type: "x.call.inv", params: { callId: "YWFh", invitation } });
    const { message } = await alice.happened("call");
    expect(message.event).toEqual({ type: "x.call.inv", params: { callId: "YWFh", invitation } });
  });
});
