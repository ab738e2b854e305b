import { describe, expect, test } from "vitest";
import type { ChatHappening } from "../../../client/chat/events.ts";
import { ConnectError } from "../../../client/errors.ts";
import {
  fromPlainHappening,
  type PlainHappening,
  sendHappening,
  toPlainHappening,
} from "../../../client/web/session/happenings.ts";

/** As it goes to another thread. */
const arrived = (happening: ChatHappening): unknown => fromPlainHappening(structuredClone(toPlainHappening(happening)));

/** What a message can say that nobody foresaw. */
const foreign = (content: unknown): ChatHappening => ({ type: "itemChanged", item: { content } }) as unknown as ChatHappening;

describe("what happened, on its way to the page", () => {
  test("brings its error along", () => {
    const error = new ConnectError("relay.example.org", "timeout", "too slow");
    const { name: _name, ...fields } = { ...error };
    expect(arrived({ type: "error", contact: "c", error })).toMatchObject({ type: "error", contact: "c", error: fields });
    const server = { hosts: ["relay.example.org"], port: "", keyHash: Uint8Array.of(1, 2) };
    const event = { type: "down", server, connections: ["a"], error } as const;
    const down = arrived({ type: "agent", contact: null, event }) as { readonly event: typeof event };
    expect(down).toMatchObject({ type: "agent", contact: null, event: { ...event, error: fields } });
    expect(down.event.error).toBeInstanceOf(ConnectError);
    const up: ChatHappening = { type: "agent", contact: null, event: { type: "up", server, connections: ["a"] } };
    expect(arrived(up)).toEqual(up);
  });

  test("is what somebody wrote, also when that has the form of an error", () => {
    for (const content of [{ "plain error of smp-edge": 1 }, { error: "TypeError", message: "m", fields: {}, cause: null }, { error: null }]) {
      expect(arrived(foreign(content))).toEqual(foreign(content));
    }
  });

  test("is told as an error when it cannot be sent", () => {
    const told: PlainHappening[] = [];
    const send = (plain: PlainHappening): void => void told.push(structuredClone(plain));
    sendHappening(foreign(() => "a function"), send);
    sendHappening(foreign("the next one"), send);
    expect(told.map(fromPlainHappening)).toMatchObject([
      { type: "error", contact: null, error: { name: "TypeError", cause: { name: "DataCloneError" } } },
      foreign("the next one"),
    ]);
  });
});
