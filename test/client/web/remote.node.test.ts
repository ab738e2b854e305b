import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Call, CHANNEL, type FromLeader, type Message } from "../../../client/web/session/protocol.ts";
import { Remote } from "../../../client/web/session/remote.ts";
import { isSafe } from "../../../client/web/session/safe-calls.ts";

/** Ids of leaders, in the order in which they came. */
const [FIRST, SECOND] = ["000000000000001 a", "000000000000002 b"];

let remote: Remote;
let channel: BroadcastChannel;
let calls: Call[];

beforeEach(() => {
  calls = [];
  channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", ({ data }: MessageEvent<Message>) => {
    if (data.type === "call") calls.push(data);
  });
  remote = new Remote(() => undefined);
});

afterEach(() => {
  remote.close();
  channel.close();
});

const say = (message: FromLeader): void => channel.postMessage(message);
const lead = (leader: string): void =>
  say({ type: "state", leader, version: "1", begunAt: 0, state: { phase: "open", relays: [], since: 0, failure: null, push: null } });
const answerTo = ({ from: to, id }: Call, leader: string, value: unknown): void => say({ type: "result", to, leader, id, value });

async function called(count: number): Promise<Call> {
  await vi.waitFor(() => expect(calls.length).toBe(count));
  const call = calls[count - 1];
  if (!call) throw new Error("there was no call");
  return call;
}

describe("a page and those who have the chat one after the other", () => {
  test("an answer of the one before does not stand for what the one after it is doing again", async () => {
    lead(FIRST);
    const answer = remote.call("session", "settings", []);
    const before = await called(1);
    lead(SECOND);
    const again = await called(2);
    expect([before.leader, again.leader]).toEqual([FIRST, SECOND]);
    answerTo(before, FIRST, "late");
    answerTo(again, SECOND, "of now");
    expect(await answer).toBe("of now");
  });

  test("what may not be done twice is given up", async () => {
    lead(FIRST);
    const answer = remote.call("history", "clear", ["chat"]);
    const refused = expect(answer).rejects.toMatchObject({ name: "SessionError", failure: "INTERRUPTED" });
    await called(1);
    lead(SECOND);
    await refused;
    expect(calls.length).toBe(1);
  });
});

test("only what leaves alone what came meanwhile is done again", () => {
  expect(isSafe("history", "clear", ["chat"])).toBe(false);
  expect(isSafe("history", "markRead", ["chat"])).toBe(false);
  expect(isSafe("history", "markRead", ["chat", null])).toBe(false);
  expect(isSafe("history", "markRead", ["chat", "item"])).toBe(true);
  expect(isSafe("history", "items", ["chat"])).toBe(true);
  expect(isSafe("messages", "send", ["chat", "text"])).toBe(false);
});
