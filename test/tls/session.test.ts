import { describe, expect, test } from "vitest";
import { concat, EMPTY, equal, fromUtf8, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import type { AlertName } from "../../src/tls/errors.ts";
import type { ScriptedServer } from "../support/tls-server.ts";
import { seen, shake, Talk } from "../support/tls-talk.ts";

const [CHANGE_CIPHER_SPEC, ALERT, RECORD, DATA] = [20, 21, 22, 23] as const;
const TICKET = concat(Uint8Array.of(4, 0, 0, 20), new Uint8Array(20));

const connected = (): Talk => shake().talk;

/** Bytes that look like nothing, the same in every run. */
function noise(length: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) => sha256(utf8(`block ${i}`)));
  return concat(...blocks).slice(0, length);
}

describe("data", () => {
  test("flows both ways, a megabyte and more", () => {
    const talk = connected();
    const [up, down] = [noise(1_200_000), noise(1_000_001)];
    talk.client.send(up);
    for (let offset = 0; offset < down.length; offset += 16_384) {
      talk.server.write(DATA, down.subarray(offset, offset + 16_384));
    }
    expect(equal(talk.run().data, down)).toBe(true);
    expect(equal(concat(...talk.server.data), up)).toBe(true);
  });

  test("is cut into records of 16384 bytes, so that a block of SMP is one record", () => {
    const talk = connected();
    talk.client.send(new Uint8Array(16_384 * 2 + 1));
    talk.run();
    expect(talk.server.data.map(({ length }) => length)).toStrictEqual([16_384, 16_384, 1]);
  });

  test("may come at once with the end of the handshake", () => {
    const talk = new Talk();
    talk.server.receive(talk.client.takeOutgoing());
    talk.server.write(DATA, utf8("early bird"));
    const events = talk.client.receive(talk.server.takeOutgoing());
    expect(events.map(({ type }) => type)).toStrictEqual(["connected", "data"]);
    expect(fromUtf8(seen(events).data)).toBe("early bird");
    talk.client.send(utf8("worm"));
    talk.run();
    expect(talk.server.data).toStrictEqual([utf8("worm")]);
  });

  test("of no bytes is nothing", () => {
    const talk = connected();
    talk.client.send(EMPTY);
    expect(talk.client.takeOutgoing().length).toBe(0);
    talk.server.write(DATA, EMPTY);
    expect(talk.client.receive(talk.server.takeOutgoing())).toStrictEqual([]);
  });

  test("cannot be sent before the handshake is done, nor after the end", () => {
    const talk = new Talk();
    expect(() => talk.client.send(utf8("x"))).toThrow("before the handshake is done");
    talk.run();
    talk.client.close();
    expect(() => talk.client.send(utf8("x"))).toThrow("closed or failed");
  });

  test("what waits to be sent is handed out once", () => {
    const talk = connected();
    talk.client.send(utf8("x"));
    expect(talk.client.takeOutgoing().length).toBe(5 + 1 + 1 + 16);
    expect(talk.client.takeOutgoing().length).toBe(0);
  });
});

/** After the handshake the server does this, and the connection fails with that alert, which it gets. */
function fails(acts: Readonly<Record<string, readonly [AlertName, (server: ScriptedServer) => void]>>): void {
  test.each(Object.entries(acts))("%s", (_, [alert, act]) => {
    const talk = connected();
    act(talk.server);
    talk.server.write(DATA, utf8("not believed"));
    const { error, data } = talk.run();
    expect(error?.alert, error?.message).toBe(alert);
    expect(error?.failure).toBe("protocol");
    expect(data.length).toBe(0);
    expect(talk.server.alerts).toStrictEqual([alert]);
  });
}

describe("key updates", () => {
  test("of the server change its keys and leave the client's", () => {
    const talk = connected();
    talk.server.updateKeys(false);
    talk.server.write(DATA, utf8("new keys"));
    talk.client.send(utf8("old keys"));
    expect(fromUtf8(talk.run().data)).toBe("new keys");
    expect([talk.server.keyUpdates, talk.server.data]).toStrictEqual([0, [utf8("old keys")]]);
  });

  test("that are requested are answered before anything else is sent", () => {
    const talk = connected();
    talk.server.updateKeys(true);
    expect(talk.client.receive(talk.server.takeOutgoing())).toStrictEqual([]);
    talk.client.send(utf8("new keys"));
    talk.run();
    expect([talk.server.keyUpdates, talk.server.data]).toStrictEqual([1, [utf8("new keys")]]);
  });

  test("may happen a hundred times, with data between them", () => {
    const talk = connected();
    for (let i = 0; i < 100; i++) {
      talk.server.updateKeys(i % 2 === 0);
      talk.server.write(DATA, Uint8Array.of(i));
      talk.client.send(Uint8Array.of(i));
      talk.run();
    }
    const all = Uint8Array.from({ length: 100 }, (_, i) => i);
    expect(talk.run().data).toStrictEqual(all);
    expect(concat(...talk.server.data)).toStrictEqual(all);
    expect(talk.server.keyUpdates).toBe(50);
  });

  test("are not answered after the client has closed", () => {
    const talk = connected();
    talk.client.close();
    talk.server.updateKeys(true);
    talk.server.write(DATA, utf8("still here"));
    expect(fromUtf8(talk.run().data)).toBe("still here");
    expect(talk.server.keyUpdates).toBe(0);
  });

  fails({
    "with a request that does not exist": [
      "illegal_parameter",
      (server) => server.write(RECORD, Uint8Array.of(24, 0, 0, 1, 2)),
    ],
    "with more than a request": ["decode_error", (server) => server.write(RECORD, Uint8Array.of(24, 0, 0, 2, 0, 0))],
    "with a message behind them": [
      "unexpected_message",
      (server) => server.write(RECORD, concat(Uint8Array.of(24, 0, 0, 1, 0), TICKET)),
    ],
    "after which the old keys are used": [
      "bad_record_mac",
      (server) => {
        server.write(RECORD, Uint8Array.of(24, 0, 0, 1, 0));
        server.write(DATA, utf8("old keys"));
      },
    ],
    "without end": ["unexpected_message", (server) => Array.from({ length: 33 }, () => server.updateKeys(false))],
  });
});

describe("what does not belong after the handshake", () => {
  const message = (type: number) => (server: ScriptedServer): void => server.write(RECORD, Uint8Array.of(type, 0, 0, 0));
  fails({
    "a HelloRequest, as for renegotiation": ["unexpected_message", message(0)],
    "a hello of a client": ["unexpected_message", message(1)],
    "a hello of a server": ["unexpected_message", message(2)],
    "a request for a certificate": ["unexpected_message", message(13)],
    "Finished": [
      "unexpected_message",
      (server) => server.write(RECORD, concat(Uint8Array.of(20, 0, 0, 32), new Uint8Array(32))),
    ],
    "a message of 16385 bytes": ["illegal_parameter", (server) => server.write(RECORD, Uint8Array.of(4, 0, 0x40, 1))],
    "change_cipher_spec": ["unexpected_message", (server) => server.writePlain(CHANGE_CIPHER_SPEC, Uint8Array.of(1))],
    "data that is not protected": ["bad_record_mac", (server) => server.writePlain(DATA, new Uint8Array(64))],
    "handshake that is not protected": ["unexpected_message", (server) => server.writePlain(RECORD, TICKET)],
    "an alert that is not protected": [
      "unexpected_message",
      (server) => server.writePlain(ALERT, Uint8Array.of(1, 0)),
    ],
    "data inside a ticket": [
      "unexpected_message",
      (server) => {
        server.write(RECORD, TICKET.subarray(0, 10));
        server.write(DATA, utf8("x"));
      },
    ],
    "empty records without end": [
      "unexpected_message",
      (server) => Array.from({ length: 33 }, () => server.write(DATA, EMPTY)),
    ],
    "tickets without end": [
      "unexpected_message",
      (server) => Array.from({ length: 33 }, () => server.write(RECORD, TICKET)),
    ],
  });
});

describe("somebody on the way", () => {
  /** Three records of the server. */
  const records = (): { talk: Talk; sent: [Uint8Array, Uint8Array, Uint8Array] } => {
    const talk = connected();
    const sent = ["one", "two", "three"].map((text) => {
      talk.server.write(DATA, utf8(text));
      return talk.server.takeOutgoing();
    });
    return { talk, sent: sent as [Uint8Array, Uint8Array, Uint8Array] };
  };

  test.each([
    ["repeats a record", [0, 0], "one"],
    ["swaps two", [1, 0], ""],
    ["leaves one out", [0, 2], "one"],
  ] as const)("who %s is noticed", (_, order, believed) => {
    const { talk, sent } = records();
    const { data, error } = seen(order.flatMap((i) => talk.client.receive(sent[i])));
    expect([fromUtf8(data), error?.alert]).toStrictEqual([believed, "bad_record_mac"]);
  });
});

test("tickets are ignored, also one that comes in pieces", () => {
  const talk = connected();
  talk.server.write(RECORD, TICKET);
  talk.server.write(RECORD, concat(TICKET, TICKET.subarray(0, 7)));
  talk.server.write(RECORD, TICKET.subarray(7));
  talk.server.write(DATA, utf8("hello"));
  const { error, data } = talk.run();
  expect([error, fromUtf8(data)]).toStrictEqual([null, "hello"]);
});

test("what brings nothing is forgiven as soon as data comes", () => {
  const talk = connected();
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < 32; j++) talk.server.write(DATA, EMPTY);
    talk.server.write(DATA, Uint8Array.of(i));
  }
  expect(talk.run()).toMatchObject({ error: null, data: Uint8Array.of(0, 1, 2, 3) });
});

describe("the end", () => {
  test("of what the server sends is an event; the client may still send until it closes too", () => {
    const talk = connected();
    talk.server.write(DATA, utf8("last words"));
    talk.server.write(ALERT, Uint8Array.of(1, 0));
    expect(talk.run()).toMatchObject({ isEnded: true, error: null, data: utf8("last words") });
    talk.client.send(utf8("answer"));
    talk.client.close();
    talk.run();
    expect(talk.server.data).toStrictEqual([utf8("answer")]);
    expect(talk.server.alerts).toStrictEqual(["close_notify"]);
    expect(talk.client.receiveEnd()).toStrictEqual([]);
  });

  test("is the end: what comes after close_notify is ignored, however wrong it is", () => {
    const talk = connected();
    talk.server.write(ALERT, Uint8Array.of(1, 0));
    talk.server.write(DATA, utf8("ghost"));
    talk.server.writeRaw(utf8("garbage"));
    expect(talk.run()).toMatchObject({ isEnded: true, error: null, data: EMPTY });
    expect(talk.client.receive(utf8("garbage"))).toStrictEqual([]);
  });

  test("of what the client sends leaves the server time to finish", () => {
    const talk = connected();
    talk.client.close();
    talk.client.close();
    talk.server.write(DATA, utf8("one moment"));
    talk.server.write(ALERT, Uint8Array.of(1, 0));
    expect(talk.run()).toMatchObject({ isEnded: true, error: null, data: utf8("one moment") });
    expect(talk.server.alerts).toStrictEqual(["close_notify"]);
  });

  test("of what the client sends is the last that it says, also when the server breaks TLS after it", () => {
    const talk = connected();
    talk.client.close();
    talk.run();
    talk.server.write(CHANGE_CIPHER_SPEC, Uint8Array.of(1));
    expect(talk.run().error?.alert).toBe("unexpected_message");
    expect(talk.server.alerts).toStrictEqual(["close_notify"]);
  });

  test("without close_notify is told from one with it", () => {
    const talk = connected();
    talk.server.write(DATA, utf8("half a"));
    talk.run();
    const { error } = seen(talk.client.receiveEnd());
    expect([error?.failure, error?.alert]).toStrictEqual(["truncated", null]);
    expect(error?.message).toContain("data may be missing");
    expect(talk.client.takeOutgoing().length).toBe(0);
  });

  test("may be announced by user_canceled", () => {
    const talk = connected();
    talk.server.write(ALERT, Uint8Array.of(1, 90));
    expect(talk.run()).toMatchObject({ isEnded: false, error: null });
    talk.server.write(ALERT, Uint8Array.of(1, 0));
    expect(talk.run()).toMatchObject({ isEnded: true, error: null });
  });

  test("by an alert of the server is a failure, whatever level it claims", () => {
    for (const level of [1, 2, 77]) {
      const talk = connected();
      talk.server.write(ALERT, Uint8Array.of(level, 80));
      const { error, isEnded } = talk.run();
      expect([error?.failure, error?.alert, isEnded]).toStrictEqual(["refused", "internal_error", false]);
      expect(talk.server.alerts).toStrictEqual([]);
    }
  });

  test("may be wished in the handshake: nothing comes of it then", () => {
    const talk = new Talk();
    talk.client.close();
    expect(talk.run()).toMatchObject({ session: null, error: null, isEnded: false });
    expect(talk.server.alerts).toStrictEqual(["close_notify"]);
    expect(talk.client.receiveEnd()).toStrictEqual([]);
  });
});
