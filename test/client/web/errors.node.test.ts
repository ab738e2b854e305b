import { describe, expect, test } from "vitest";
import { AddressError } from "#protocol/address";
import { AgentError, PeerError } from "../../../client/agent/errors.ts";
import { LinkError } from "../../../client/agent/wire/link-error.ts";
import { ChatError } from "../../../client/chat/errors.ts";
import { MessageError, TooLargeError } from "../../../client/chat/wire/errors.ts";
import {
  ConnectError,
  DisconnectedError,
  ProtocolError,
  ProxyError,
  TimeoutError,
  UnexpectedAnswerError,
  UsageError,
} from "../../../client/errors.ts";
import { StoreError } from "../../../client/store/store.ts";
import { SessionError } from "../../../client/web/session/api.ts";
import { fromPlain, toPlain } from "../../../client/web/session/errors.ts";

const ALL: readonly Error[] = [
  new AddressError("no address"),
  new AgentError("VERSION", "no version in common"),
  new PeerError("A_CRYPTO", "cannot be decrypted"),
  new LinkError("SIGNATURE", "signed by somebody else"),
  new ChatError("FEATURE", "not agreed on"),
  new MessageError("not a text", "params.content"),
  new TooLargeError(20_000, 15_000, true),
  new ConnectError("relay.example.org", "timeout", "too slow"),
  new ProtocolError("relay.example.org", "NEW", { type: "AUTH" }),
  new ProxyError({ host: "a", destination: "b" }, "host", "not reached"),
  new TimeoutError("relay.example.org", "SUB", 1000),
  new UnexpectedAnswerError("relay.example.org", "what?"),
  new DisconnectedError("relay.example.org", "gone", { sent: true }),
  new UsageError("not so"),
  new StoreError("FULL", "no room"),
  new SessionError("INTERRUPTED", "look whether it was done"),
  new TypeError("is not a function"),
];

/** As it goes to another thread. */
const sent = <T>(value: T): T => structuredClone(value);

describe("errors that go from one thread to another", () => {
  test.each(ALL.map((error) => [error.name, error] as const))("%s arrives as one of its class, with everything in it", (_, error) => {
    const arrived = fromPlain(sent(toPlain(error)));
    expect(arrived).toBeInstanceOf(error.constructor);
    expect(arrived).toBeInstanceOf(Error);
    expect([arrived.name, arrived.message, String(arrived)]).toEqual([error.name, error.message, String(error)]);
    const { name: _name, ...fields } = { ...error };
    expect({ ...arrived }).toMatchObject(fields);
  });

  test("bring their causes along, but not without end", () => {
    const cause = new StoreError("DAMAGED", "a record", { cause: new RangeError("cut off") });
    const arrived = fromPlain(sent(toPlain(new ChatError("UNREADABLE", "this item", { cause }))));
    expect(arrived.cause).toBeInstanceOf(StoreError);
    expect((arrived.cause as Error).cause).toMatchObject({ name: "RangeError", message: "cut off" });
    let deep = new Error("0");
    for (let i = 1; i < 100; i++) deep = new Error(`${i}`, { cause: deep });
    expect(JSON.stringify(toPlain(deep)).length).toBeLessThan(1000);
    const circle = new Error("round");
    circle.cause = circle;
    expect(fromPlain(sent(toPlain(circle))).message).toBe("round");
  });

  test("of classes that are not known are errors all the same, and so is what is none", () => {
    class Strange extends Error {
      override readonly name = "Strange";
    }
    expect(fromPlain(sent(toPlain(new Strange("odd"))))).toMatchObject({ name: "Strange", message: "odd" });
    expect(fromPlain(sent(toPlain("only a text")))).toMatchObject({ name: "Error", message: "only a text" });
    expect(fromPlain({ error: "constructor", message: "m", fields: {}, cause: null })).toBeInstanceOf(Error);
  });

  test("lose what of their fields cannot be sent, and arrive all the same", () => {
    const error = Object.assign(new Error("odd"), { retry: () => 1, id: Symbol("x"), inner: { at: 7, act: () => 2 }, list: ["a", new WeakMap()] });
    const arrived = fromPlain(sent(toPlain(error)));
    expect(arrived).toMatchObject({ message: "odd", retry: undefined, inner: { at: 7, act: undefined }, list: ["a", undefined] });
  });

  test("that are none when they arrive are told as such", () => {
    for (const none of [null, 7, "x", {}, { error: 1, message: "m", fields: {} }, { error: "Error", message: "m", fields: null }]) {
      expect(fromPlain(none)).toBeInstanceOf(Error);
    }
    expect(fromPlain({ error: "Error", message: "m", fields: {}, cause: 5 }).cause).toBeInstanceOf(Error);
  });
});
