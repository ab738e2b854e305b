import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Candidate } from "../../../client/web/session/candidate.ts";
import { CHANNEL, type FromLeader, type Message, type Order } from "../../../client/web/session/protocol.ts";
import { Remote } from "../../../client/web/session/remote.ts";

const LEADER = "000000000000001 a";
const META: Readonly<Record<string, string>> = { version: "mine", "chat-worker": "/app/chat-00000000.js" };

/** What the page tells its workers. */
let orders: Order[];
let running: number;
let asked: Message[];
let page: EventTarget;
let channel: BroadcastChannel;
let remote: Remote;
let candidate: Candidate;

class Listener extends EventTarget {
  constructor() {
    super();
    running++;
  }

  postMessage(order: Order): void {
    orders.push(order);
  }

  terminate(): void {
    running--;
  }
}

beforeEach(() => {
  [orders, asked, running] = [[], [], 0];
  page = new EventTarget();
  const querySelector = (selector: string): { content: string | undefined } =>
    ({ content: META[/name="(.+)"/.exec(selector)?.[1] ?? ""] });
  vi.stubGlobal("document", Object.assign(new EventTarget(), { querySelector, visibilityState: "visible" }));
  vi.stubGlobal("location", { origin: "https://relay.example.org" });
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("Worker", Listener);
  vi.useFakeTimers({ toFake: ["setInterval"] });
  channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", ({ data }: MessageEvent<Message>) => asked.push(data));
  remote = new Remote((passphrase) => candidate.learn(passphrase));
  candidate = new Candidate(remote, () => undefined);
});

afterEach(() => {
  remote.close();
  channel.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const say = (message: FromLeader): void => channel.postMessage(message);
function lead(version: string, begunAt: number): void {
  const state = { phase: "open", relays: [], since: 0, failure: null, push: null } as const;
  say({ type: "state", leader: LEADER, version, begunAt, state });
}
const takeOvers = (): number => orders.filter(({ type }) => type === "takeOver").length;

test("a page of a newer version takes the profile from one of an older version, once", async () => {
  let told = 0;
  remote.onChange(() => told++);
  lead("another", performance.timeOrigin - 1);
  lead("another", performance.timeOrigin - 1);
  await vi.waitFor(() => expect(told).toBe(2));
  expect([takeOvers(), candidate.failure, running]).toEqual([1, null, 1]);
});

test("a page of an older version says that it is outdated, and does not stand", async () => {
  const waiting = expect(remote.call("messages", "send", [])).rejects.toMatchObject({ failure: "OUTDATED" });
  lead("another", performance.timeOrigin + 1);
  await waiting;
  expect(candidate.failure).toMatchObject({ name: "SessionError", failure: "OUTDATED" });
  expect([running, takeOvers(), remote.leader, remote.state]).toEqual([0, 0, null, null]);
  candidate.restart();
  expect(running).toBe(0);
  await expect(remote.call("users", "list", [])).rejects.toMatchObject({ failure: "OUTDATED" });
});

test("pages of one version stay as they are", async () => {
  lead("mine", performance.timeOrigin + 1);
  await vi.waitFor(() => expect(remote.leader).toBe(LEADER));
  expect([running, takeOvers(), candidate.failure]).toEqual([1, 0, null]);
});

test("a page that is kept for going back forgets the passphrase, and asks for it when it is shown again", async () => {
  candidate.learn("open sesame");
  page.dispatchEvent(new Event("pagehide"));
  expect(running).toBe(0);
  await vi.waitFor(() => expect(asked.some(({ type }) => type === "heir")).toBe(true));
  [orders, asked] = [[], []];
  page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  expect(orders[0]).toEqual({ type: "secret", passphrase: null });
  await vi.waitFor(() => expect(asked).toContainEqual({ type: "heir", from: remote.id }));
});
