import { describe, expect, it } from "vitest";
import { befriend } from "./talker.ts";
import { world } from "./world.ts";

const { talker, friends } = world();

describe("two people", () => {
  it("talk, answer, edit, react, delete, and see what became of it", async () => {
    const [alice, bob] = await friends();
    const hello = await alice.say("Bob", "hello Bob");
    const heard = await bob.message("Alice", "hello Bob");
    await alice.message("Bob", "hello Bob", ({ status }) => status.type === "delivered");
    await bob.chat.messages.send(heard.chat, "hello yourself", { quote: heard.id });
    const answer = await alice.message("Bob", "hello yourself");
    expect(answer.body.container.quote).toMatchObject({
      msgRef: { msgId: hello.msgId, sent: false },
      content: { type: "text", text: "hello Bob" },
    });

    await alice.chat.messages.edit(hello.id, "hello, dear Bob");
    const edited = await bob.message("Alice", "hello, dear Bob");
    expect(edited).toMatchObject({ id: heard.id, isEdited: true });
    expect(await bob.chat.history.editions(edited.id)).toMatchObject([{ content: { text: "hello Bob" } }]);

    await bob.chat.messages.react(edited.id, "❤️");
    await alice.message("Bob", "hello, dear Bob", ({ reactions }) => reactions.length === 1);
    await bob.chat.messages.react(edited.id, "❤", false);
    await alice.message("Bob", "hello, dear Bob", ({ reactions }) => reactions.length === 0);

    await alice.chat.messages.delete(hello.id, "everyone");
    // Full deletion is off unless both want it, so the text stays with a mark.
    await bob.message("Alice", "hello, dear Bob", ({ deletedAt }) => deletedAt !== null);

    const [line] = await bob.chat.history.conversations(bob.user.id);
    expect(line).toMatchObject({ contact: { name: "Alice" }, conversation: { unread: 1 } });
    await bob.chat.history.markRead(heard.chat);
    expect(await bob.chat.history.conversation(heard.chat)).toMatchObject({ unread: 0 });
  });

  it("send content of every type", async () => {
    const [alice, bob] = await friends();
    const { id } = await alice.friend("Bob");
    const image = "data:image/jpg;base64,AAAA";
    const preview = { uri: "https://example.org", title: "A page", description: "", image };
    await alice.chat.messages.send(id, { type: "link", text: "look: https://example.org", preview });
    await alice.chat.messages.send(id, { type: "image", text: "a picture", image });
    const json = { type: "dance", text: "a dance", steps: 1.5 };
    await alice.chat.messages.send(id, { type: "unknown", tag: "dance", text: "a dance", json });
    await alice.chat.messages.send(id, "x".repeat(13_000));
    expect((await bob.message("Alice", "a dance")).body.container.content).toMatchObject({ tag: "dance", json });
    expect((await bob.message("Alice", "a picture")).body.container.content).toMatchObject({ type: "image", image });
    await bob.message("Alice", "x".repeat(13_000));
    // Longer than a connection with post-quantum encryption carries, and still sent: it is compressed.
    await alice.chat.messages.send(id, "long ".repeat(3000));
    await bob.message("Alice", "long ".repeat(3000));
    await expect(alice.chat.messages.send(id, "x".repeat(16_000))).rejects.toMatchObject({ refusal: "LARGE" });
    await expect(alice.chat.messages.send(id, { type: "voice", text: "", duration: 3 })).rejects.toMatchObject({ refusal: "CONTENT" });
    expect((await alice.texts("Bob"))).toHaveLength(5);
  });

  it("type live, and keep a draft", async () => {
    const [alice, bob] = await friends();
    const { id } = await alice.friend("Bob");
    const typed = await alice.chat.messages.send(id, "I am", { isLive: true });
    const seen = await bob.message("Alice", "I am", ({ body }) => body.type === "message" && body.container.live === true);
    await alice.chat.messages.edit(typed.id, "I am typ", { isLive: true });
    await bob.message("Alice", "I am typ");
    await alice.chat.messages.edit(typed.id, "I am typing");
    const done = await bob.message("Alice", "I am typing", ({ body }) => body.type === "message" && body.container.live !== true);
    expect(done).toMatchObject({ id: seen.id, isEdited: false });
    await alice.chat.history.setDraft(id, "not yet");
    await alice.restart();
    expect(await alice.chat.history.conversation(id)).toMatchObject({ draft: "not yet" });
  });

  it("agree on preferences, and are told when they change", async () => {
    const [alice, bob] = await friends();
    const { id } = await alice.friend("Bob");
    await alice.chat.contacts.setPreferences(id, { voice: { allow: "no" }, fullDelete: { allow: "always" } });
    await bob.event("Alice", "preferencesChanged");
    const agreement = await bob.chat.contacts.agreement((await bob.friend("Alice")).id);
    expect(agreement.effective).toMatchObject({
      voice: { forMe: false, forContact: false },
      fullDelete: { forMe: true, forContact: false },
    });
    const said = await bob.say("Alice", "take this back");
    await alice.message("Bob", "take this back");
    await bob.chat.messages.delete(said.id, "everyone");
    await alice.until("its end", async () => !(await alice.texts("Bob")).includes("take this back"));
    expect(await bob.texts("Alice")).toEqual([]);
  });

  it("change their profiles, and names stay unique", async () => {
    const [alice, bob] = await friends();
    await bob.chat.users.update(bob.user.id, { displayName: "Robert", shortDescr: "was Bob" });
    const robert = await alice.friend("Robert");
    expect(robert.profile).toMatchObject({ shortDescr: "was Bob" });
    const other = await talker("Robert");
    await befriend(alice, other);
    await alice.friend("Robert_1");
    await expect(alice.chat.contacts.set(robert.id, { alias: "Robert_1" })).rejects.toMatchObject({ refusal: "PROHIBITED" });
    await alice.chat.contacts.set(robert.id, { alias: "Bobby" });
    await bob.say("Alice", "it is me");
    await alice.message("Bobby", "it is me");
  });

  it("compare the code of their connection", async () => {
    const [alice, bob] = await friends();
    const [b, a] = [await alice.friend("Bob"), await bob.friend("Alice")];
    const { code } = await bob.chat.contacts.securityCode(a.id);
    expect(code).toMatch(/^(?:\d{5} ){10,}\d{1,5}$/);
    expect(await alice.chat.contacts.verify(b.id, code.replaceAll(" ", ""))).toBe(true);
    expect(await alice.chat.contacts.securityCode(b.id)).toEqual({ code, isVerified: true });
    expect(await bob.chat.contacts.verify(a.id, "00".repeat(32))).toBe(false);
  });

  it("are told when the code changes, and have to compare it again", async () => {
    const [alice, bob] = await friends();
    const [b, a] = [await alice.friend("Bob"), await bob.friend("Alice")];
    const { code } = await alice.chat.contacts.securityCode(b.id);
    expect(await alice.chat.contacts.verify(b.id, code)).toBe(true);
    await alice.agent.synchronise(b.connection ?? "", { force: true });
    await alice.event("Bob", "codeChanged");
    const later = await alice.chat.contacts.securityCode(b.id);
    expect(later.isVerified).toBe(false);
    expect(later.code).not.toBe(code);
    expect(await bob.until("the same code", async () => (await bob.chat.contacts.securityCode(a.id)).code === later.code)).toBe(true);
    // Who has not compared it is not told.
    expect((await bob.items("Alice")).filter(({ body }) => body.type === "event" && body.event === "codeChanged")).toEqual([]);
    await alice.say("Bob", "still you?");
    await bob.message("Alice", "still you?");
    expect(await alice.chat.contacts.verify(b.id, later.code)).toBe(true);
  });

  it("part: the other side keeps what was said", async () => {
    const [alice, bob] = await friends();
    await alice.say("Bob", "farewell");
    await bob.message("Alice", "farewell");
    await alice.chat.contacts.delete((await alice.friend("Bob")).id);
    await bob.event("Alice", "contactLeft");
    await alice.until("the end", async () => (await alice.chat.contacts.list(alice.user.id)).length === 0);
    expect(await bob.texts("Alice")).toEqual(["farewell"]);
    const left = await bob.chat.contacts.named(bob.user.id, "Alice");
    await expect(bob.chat.messages.send(left?.id ?? "", "wait")).rejects.toMatchObject({ refusal: "PROHIBITED" });
    await bob.until("no connection", async () => (await bob.agent.connections()).length === 0);
  });
});
