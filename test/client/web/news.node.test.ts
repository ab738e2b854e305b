import { beforeEach, describe, expect, test } from "vitest";
import { MemoryFile, MemoryStore } from "../../../client/store/memory.ts";
import { keepTold, newsOf } from "../../../client/web/worker/news.ts";

type Profile = Parameters<typeof newsOf>[0];

interface Talk {
  isMuted: boolean;
  kind: "contact" | "notes";
  /** Whether each of its items, the oldest first, is still to be read. */
  unread: boolean[];
}

const idOf = (chat: string, at: number): string => `${chat} ${String(at + 1).padStart(4, "0")}`;

/** What a chat answers, as far as news are made of it. */
class Stand {
  readonly file = new MemoryFile();
  readonly talks = new Map<string, Talk>();
  readonly requests = new Map<string, string>();
  store = new MemoryStore(this.file);
  /** The browser ends the worker, and starts it again for the next push. */
  async restart(): Promise<void> {
    await this.store.close();
    this.store = new MemoryStore(this.file);
  }

  #items(chat: string): object[] {
    return (this.talks.get(chat)?.unread ?? []).map((isUnread, at) => ({
      id: idOf(chat, at),
      chat,
      member: null,
      deletedAt: null,
      status: { type: isUnread ? "unread" : "read" },
      body: { type: "message", container: { content: { type: "text", text: `message ${at + 1}` }, file: null } },
    }));
  }

  get profile(): Profile {
    const overview = ([id, { isMuted, kind, unread }]: [string, Talk]): object => ({
      conversation: { id, kind, unread: unread.filter(Boolean).length },
      contact: kind === "contact" ? { id, name: id, profile: {}, alias: null, isMuted } : null,
      group: null,
      lastItem: this.#items(id).at(-1) ?? null,
    });
    const chat = {
      users: { list: async () => [{ id: "me" }] },
      history: {
        conversations: async () => [...this.talks].map(overview),
        items: async (id: string) => this.#items(id),
      },
      links: {
        requests: async () =>
          [...this.requests].map(([id, request]) => ({ id, request, profile: { displayName: "Carol" } })),
      },
    };
    return { store: this.store, chat } as unknown as Profile;
  }

  async bodies(isNaming = true): Promise<string[]> {
    return (await newsOf(this.profile, isNaming)).map(({ title, body }) => `${title}: ${body}`);
  }

  /** The news are shown. */
  async tell(): Promise<void> {
    await keepTold(this.store, await newsOf(this.profile, false));
  }
}

let stand: Stand;

beforeEach(() => {
  stand = new Stand();
  stand.talks.set("bob", { isMuted: false, kind: "contact", unread: [] });
});

const bob = (): Talk => stand.talks.get("bob") as Talk;

describe("what is news", () => {
  test("a message stays news until it was told, whoever received it", async () => {
    bob().unread.push(true);
    expect(await stand.bodies()).toEqual(["bob: message 1"]);
    await stand.restart();
    expect(await stand.bodies()).toEqual(["bob: message 1"]);
    await stand.tell();
    await stand.restart();
    expect(await stand.bodies()).toEqual([]);
  });

  test("the next message of a conversation that nobody has read is news again, with all that are unread", async () => {
    bob().unread.push(true);
    await stand.tell();
    bob().unread.push(true);
    expect(await stand.bodies(false)).toEqual(["smp-edge: 2 new messages"]);
  });

  test("what was read, is muted, or was written to oneself is none", async () => {
    bob().unread.push(true, true);
    bob().unread.fill(false);
    stand.talks.set("loud", { isMuted: true, kind: "contact", unread: [true] });
    stand.talks.set("notes", { isMuted: false, kind: "notes", unread: [true] });
    expect(await stand.bodies()).toEqual([]);
  });

  test("a message after which the conversation says something of itself still is", async () => {
    bob().unread.push(true, false, false);
    expect(await stand.bodies()).toEqual(["bob: message 1"]);
  });

  test("somebody who asks to connect is, and again when something of it changed", async () => {
    stand.requests.set("r", "first");
    expect(await stand.bodies()).toEqual(["Carol: Wants to connect"]);
    await stand.tell();
    expect(await stand.bodies()).toEqual([]);
    stand.requests.set("r", "second");
    expect(await stand.bodies()).toEqual(["Carol: Wants to connect"]);
  });

  test("of what is gone nothing is kept", async () => {
    bob().unread.push(true);
    stand.requests.set("r", "first");
    await stand.tell();
    stand.talks.clear();
    stand.requests.clear();
    expect(await stand.bodies()).toEqual([]);
    expect(await stand.store.tables()).toEqual([]);
  });
});
