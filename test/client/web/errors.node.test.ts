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
import { fromPlain, portable, restored, toPlain } from "../../../client/web/session/errors.ts";

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

  test("stand in what happened, wherever they are in it", () => {
    const down = {
      type: "agent",
      contact: null,
      event: { type: "down", server: { keyHash: Uint8Array.of(1, 2) }, connections: ["a"], error: ALL[7] },
    };
    const arrived = restored(sent(portable(down))) as typeof down;
    expect(arrived.event.error).toBeInstanceOf(ConnectError);
    expect(arrived.event.server.keyHash).toEqual(Uint8Array.of(1, 2));
    expect(arrived.event.connections).toEqual(["a"]);
    expect(restored(sent(portable([null, undefined, 1, "x", { error: new Error("e") }])))).toMatchObject([null, undefined, 1, "x", {}]);
  });
});
