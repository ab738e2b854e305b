import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ChatHappening } from "../../../client/chat/events.ts";
import type { Session, SessionStatus } from "../../../client/web/session/api.ts";
import type { App } from "../../../client/web/state/app.ts";
import type { Attachment } from "../../../client/web/state/attachment.ts";

/** A session of two contacts, with what a test wants to see or to hold back. */
class Stand {
  readonly drafts = new Map<string, string>();
  readonly sent: string[] = [];
  readonly read = { agreement: 0, members: 0 };
  /** What the next messages wait for. */
  send: () => Promise<void> = () => Promise.resolve();
  happen: (happening: ChatHappening) => void = () => {};
  turn: (status: SessionStatus) => void = () => {};

  open(): Session {
    const user = { id: "me", name: "me" };
    const conversation = (id: string): object =>
      ({ id, user: "me", kind: "contact", unread: 0, readUpTo: "", lastItem: null, lastAt: 0, draft: this.drafts.get(id) ?? "" });
    const contact = (id: string): object => ({ id, user: "me", name: id, profile: {}, alias: null, status: "connected" });
    const chat = {
      users: { list: async () => [user], active: async () => user },
      links: { requests: async () => [] },
      contacts: {
        agreement: async () => {
          this.read.agreement++;
          return {};
        },
      },
      history: {
        conversations: async () => ["ann", "ben"].map((id) =>
          ({ conversation: conversation(id), contact: contact(id), group: null, lastItem: null })),
        conversation: async (id: string) => conversation(id),
        items: async () => [],
        setDraft: async (id: string, draft: string) => void this.drafts.set(id, draft),
      },
      messages: {
        send: async (_: string, { text }: { readonly text: string }) => {
          await this.send();
          this.sent.push(text);
        },
      },
    };
    const session = {
      chat,
      status: { phase: "ready", generation: 1 },
      subscribe: (tell: Stand["happen"]) => (this.happen = tell),
      subscribeStatus: (tell: Stand["turn"]) => (this.turn = tell),
      lock: async () => {},
    };
    return session as unknown as Session;
  }
}

let stand: Stand;
let app: App;

beforeEach(async () => {
  const location = { hash: "" };
  const move = (_: unknown, __: string, address: string): void => void (location.hash = address);
  vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => {} });
  vi.stubGlobal("matchMedia", () => ({ matches: true, addEventListener: () => {} }));
  vi.stubGlobal("addEventListener", () => {});
  vi.stubGlobal("location", location);
  vi.stubGlobal("history", { pushState: move, replaceState: move });
  vi.stubGlobal("navigator", { onLine: true, languages: ["en"] });
  vi.stubGlobal("document", { visibilityState: "visible", hasFocus: () => true, addEventListener: () => {} });
  const { App: Opened } = await import("../../../client/web/state/app.ts");
  stand = new Stand();
  app = new Opened(async () => stand.open(), () => Promise.resolve());
  await app.start();
});

afterEach(() => vi.unstubAllGlobals());

async function goTo(chat: string | null): Promise<void> {
  app.go(chat === null ? { page: "list" } : { page: "chat", chat });
  await vi.waitFor(() => expect(app.talk.value?.isReady.value ?? chat === null).toBe(true));
  await settled();
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

function composer(): NonNullable<App["talk"]["value"]>["composer"] {
  if (!app.talk.value) throw new Error("no conversation is open");
  return app.talk.value.composer;
}

const VOICE: Attachment = {
  kind: "voice", name: "voice.m4a", size: 100, content: (text) => ({ type: "voice", text, duration: 1 }),
};

const notices = (): string[] => app.questions.notices.value.map(({ text }) => text);

describe("what is being written", () => {
  test("comes back when it could not be sent after one went elsewhere, and one is told", async () => {
    await goTo("ann");
    const held = Promise.withResolvers<void>();
    stand.send = () => held.promise;
    composer().type("the first");
    const sending = composer().send();
    composer().type("and more");
    await goTo("ben");
    expect(stand.drafts.get("ann")).toBe("the first\nand more");
    held.reject(new TypeError("no way through"));
    expect(await sending).toBe(false);
    expect(notices().join()).toContain("No way through");
    await goTo("ann");
    expect(composer().text.value).toBe("the first\nand more");
    expect(composer().trouble.value).toContain("No way through");
  });

  test("is gone when it was sent after all", async () => {
    await goTo("ann");
    const held = Promise.withResolvers<void>();
    stand.send = () => held.promise;
    composer().type("the first");
    const sending = composer().send();
    await goTo("ben");
    await goTo("ann");
    expect(composer().text.value).toBe("");
    held.resolve();
    expect(await sending).toBe(true);
    expect([stand.sent, stand.drafts.get("ann")]).toEqual([["the first"], ""]);
    await goTo(null);
    await goTo("ann");
    expect(composer().text.value).toBe("");
  });

  test("is sent even when the conversation cannot be read afterwards", async () => {
    await goTo("ann");
    vi.spyOn(app.talk.value ?? expect.fail(), "toLatest").mockRejectedValue(new TypeError("cannot be read"));
    composer().type("once");
    expect(await composer().send()).toBe(true);
    expect([composer().text.value, composer().trouble.value]).toEqual(["", null]);
  });

  test("a voice message that could not be sent can be sent again", async () => {
    await goTo("ann");
    stand.send = () => Promise.reject(new TypeError("no way through"));
    await composer().sendVoice(VOICE);
    expect(composer().attachment.value).toBe(VOICE);
    await goTo("ben");
    await goTo("ann");
    expect(composer().attachment.value).toBe(VOICE);
    stand.send = () => Promise.resolve();
    expect(await composer().send()).toBe(true);
    expect(composer().attachment.value).toBeNull();
  });

  test("a picture that goes along waits for one to come back, and goes with everything else when it is locked", async () => {
    const revoke = vi.spyOn(URL, "revokeObjectURL");
    await goTo("ann");
    composer().attachment.value = { ...VOICE, kind: "picture", url: "blob:a" };
    await goTo("ben");
    await goTo("ann");
    expect(composer().attachment.value?.url).toBe("blob:a");
    expect(revoke).not.toHaveBeenCalled();
    const before = composer();
    await app.lock();
    expect(revoke).toHaveBeenCalledWith("blob:a");
    expect([before.attachment.value, before.text.value]).toEqual([null, ""]);
    revoke.mockRestore();
  });
});

const item = (id: string, chat: string): ChatHappening => ({
  type: "item",
  isLoud: true,
  item: {
    id, chat, isOwn: false, member: null, deletedAt: null,
    body: { type: "message", container: { content: { type: "text", text: `secret ${id}` } } },
  },
} as unknown as ChatHappening);

const heard = (): string => app.heard.value.map(({ text }) => text).join();

describe("what was received", () => {
  test("is nowhere any more when it is locked", async () => {
    await goTo("ann");
    stand.happen(item("1", "ann"));
    stand.happen({ type: "error", contact: "ann", error: new TypeError("of Ann") });
    app.link.value = "simplex:/contact#secret";
    app.questions.tell("said of Ann");
    const answer = app.questions.confirm("Delete Ann?", "", "Delete");
    expect(heard()).toContain("secret 1");
    stand.turn({ phase: "locked", generation: 1 } as SessionStatus);
    expect(app.stage.value.is).toBe("locked");
    expect([app.heard.value, app.troubles.value, notices()]).toEqual([[], [], []]);
    expect([app.link.value, app.lastChat, app.talk.value, app.questions.asked.value]).toEqual([null, null, null, null]);
    expect(await answer).toBe(false);
  });

  test("is not heard any more when it is gone", () => {
    stand.happen(item("1", "ann"));
    stand.happen(item("2", "ben"));
    stand.happen({ type: "itemGone", item: "1", chat: "ann" });
    expect(heard()).not.toContain("secret 1");
    expect(heard()).toContain("secret 2");
    stand.happen({ type: "contactDeleted", contact: "ben" });
    expect(heard()).toBe("");
  });
});

describe("an open conversation", () => {
  test("reads again what is agreed on when its own contact changed, and once for many changes", async () => {
    await goTo("ann");
    const before = stand.read.agreement;
    const changed = (id: string): ChatHappening =>
      ({ type: "contact", contact: { id, user: "me", name: id, profile: {}, alias: null, status: "connected" } }) as unknown as ChatHappening;
    for (let i = 0; i < 20; i++) stand.happen(changed("ben"));
    await settled();
    expect(stand.read.agreement).toBe(before);
    for (let i = 0; i < 20; i++) stand.happen(changed("ann"));
    await settled();
    expect(stand.read.agreement - before).toBeGreaterThan(0);
    expect(stand.read.agreement - before).toBeLessThanOrEqual(2);
  });
});

test("without locks, as on an origin that is not secure, the page still begins", async () => {
  const { watchLooking } = await import("../../../client/web/state/notifications.ts");
  expect(watchLooking).not.toThrow();
});
