import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSqliteStore } from "../../../client/node/sqlite-store.ts";
import { isMessage, textOf } from "./talker.ts";
import { world } from "./world.ts";

const { talker, folder } = world();

describe("a chat in SQLite", () => {
  it("is there again after restarts, with pages of history, unread marks and search", async () => {
    const alice = await talker("Alice", { openStore: () => openSqliteStore(join(folder, "alice.sqlite")) });
    const bob = await talker("Bob", { openStore: () => openSqliteStore(join(folder, "bob.sqlite")) });
    const { link } = await alice.chat.links.invite(alice.user.id);
    await alice.restart();
    await bob.chat.links.connect(bob.user.id, link);
    await Promise.all([alice.friend("Bob"), bob.friend("Alice")]);
    await bob.stop();
    for (let i = 1; i <= 60; i++) await alice.say("Bob", `message ${i}`);
    await alice.restart();
    await bob.start();
    await bob.message("Alice", "message 60");
    const texts = await bob.texts("Alice");
    expect(texts).toEqual(Array.from({ length: 60 }, (_, i) => `message ${i + 1}`));

    const { id } = await bob.friend("Alice");
    const last = await bob.chat.history.items(id, { limit: 10 });
    expect(last.map(textOf).at(0)).toBe("message 51");
    const before = await bob.chat.history.items(id, { limit: 10, before: last[0]?.id ?? "" });
    expect(before.map(textOf).at(-1)).toBe("message 50");
    const after = await bob.chat.history.items(id, { limit: 3, after: before.at(-1)?.id ?? "" });
    expect(after.map(textOf)).toEqual(["message 51", "message 52", "message 53"]);

    expect(await bob.chat.history.conversation(id)).toMatchObject({ unread: 60 });
    await bob.chat.history.markRead(id, last[0]?.id ?? "");
    await bob.restart();
    expect(await bob.chat.history.conversation(id)).toMatchObject({ unread: 9 });

    const page = await bob.chat.history.search(bob.user.id, "MESSAGE 4", { limit: 4 });
    expect(page.map(textOf)).toEqual(["message 49", "message 48", "message 47", "message 46"]);
    const next = await bob.chat.history.search(bob.user.id, "message 4", { limit: 10, before: page.at(-1)?.id ?? "" });
    expect(next.filter(isMessage).map(textOf)).toEqual(["message 45", "message 44", "message 43", "message 42", "message 41", "message 40", "message 4"]);
    await alice.message("Bob", "message 60", ({ status }) => status.type === "delivered");
  }, 120_000);
});
