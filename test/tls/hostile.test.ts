import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, EMPTY, utf8 } from "#crypto/bytes";
import { TlsClient, type TlsEvent } from "../../src/tls/client.ts";
import { TlsError } from "../../src/tls/errors.ts";
import type { HandshakeName } from "../../src/tls/messages/message.ts";
import { writeRecordHeader } from "../../src/tls/record.ts";
import { mutated, mutations } from "../support/mutate.ts";
import { ScriptedServer } from "../support/tls-server.ts";
import { ED25519, NOW, seen, Talk } from "../support/tls-talk.ts";

const DATA = 23;
const HEADER = 5;
const TAG = 16;

/** A client that has said its hello, and all that an honest server answers. */
function answered(): { readonly client: TlsClient; readonly flight: Uint8Array } {
  const client = new TlsClient({ fingerprint: ED25519.fingerprint, now: NOW });
  const server = new ScriptedServer(ED25519);
  server.receive(client.takeOutgoing());
  return { client, flight: server.takeOutgoing() };
}

function flip(bytes: Uint8Array, at: number, mask: number): Uint8Array {
  const altered = bytes.slice();
  altered[at] = (altered[at] ?? 0) ^ mask;
  return altered;
}

/** Where the records of a stream begin and how long they are. */
function recordsOf(stream: Uint8Array): { readonly start: number; readonly length: number }[] {
  const records = [];
  for (let start = 0; start < stream.length;) {
    const length = HEADER + (stream[start + 3] ?? 0) * 256 + (stream[start + 4] ?? 0);
    records.push({ start, length });
    start += length;
  }
  return records;
}

const isConnected = (events: readonly TlsEvent[]): boolean => events.some(({ type }) => type === "connected");

/** Every failure is typed, and is the last thing that happens. */
function expectCalm(events: readonly TlsEvent[]): void {
  const at = events.findIndex(({ type }) => type === "failed");
  expect([-1, events.length - 1]).toContain(at);
  const { error } = seen(events);
  if (error) expect(error).toBeInstanceOf(TlsError);
}

describe("an honest flight", () => {
  const { client, flight } = answered();

  test("connects, and has a record for each message and one for change_cipher_spec", () => {
    expect(isConnected(client.receive(flight))).toBe(true);
    expect(recordsOf(flight).length).toBe(6);
  });
});

describe("somebody on the way who flips one bit of the server's flight", () => {
  test("is noticed anywhere in the hello, which nothing protects yet", () => {
    const [hello] = recordsOf(answered().flight);
    for (let at = 0; at < (hello?.length ?? 0); at++) {
      const { client, flight } = answered();
      expect(isConnected(client.receive(flip(flight, at, 1 << (at % 8)))), `byte ${at}`).toBe(false);
    }
  });

  test("is noticed in the header, the content and the tag of every other record", () => {
    for (const { start, length } of recordsOf(answered().flight).slice(1)) {
      for (let at = 0; at < length; at++) {
        if (at >= HEADER && at < length - TAG && at % 9 !== 0) continue;
        const { client, flight } = answered();
        const events = client.receive(flip(flight, start + at, 1 << (at % 8)));
        expect(isConnected(events), `byte ${start + at}`).toBe(false);
        expectCalm(events);
      }
    }
  });
});

test("a flight that ends early, wherever, is no connection", () => {
  const { length } = answered().flight;
  for (let at = 0; at < length; at += 23) {
    const { client, flight } = answered();
    expect(isConnected(client.receive(flight.subarray(0, at))), `${at} bytes`).toBe(false);
    const { error } = seen(client.receiveEnd());
    expect(error?.failure).toBe("truncated");
  }
});

test("how the carrier cuts the server's bytes changes nothing", () => {
  const conversation = (carry?: (bytes: Uint8Array) => Uint8Array[]): unknown[] => {
    const talk = new Talk({ asksForCertificate: true, recordSize: 50 });
    talk.run(carry);
    talk.server.write(DATA, utf8("one"));
    talk.server.updateKeys(true);
    talk.server.write(DATA, new Uint8Array(16_384));
    talk.server.write(21, Uint8Array.of(1, 0));
    talk.run(carry);
    talk.client.send(utf8("end"));
    talk.client.close();
    talk.run(carry);
    const events = talk.events.map((event) => (event.type === "data" ? event.bytes : event.type));
    return [events, talk.server.data, talk.server.alerts, talk.server.keyUpdates];
  };
  const whole = conversation();
  expect(whole[0]).toStrictEqual(["connected", utf8("one"), new Uint8Array(16_384), "ended"]);
  expect(conversation((bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte)))).toStrictEqual(whole);
  const size = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 4000 }));
  fc.assert(
    fc.property(fc.array(size, { minLength: 1 }), (sizes) => {
      const cut = (bytes: Uint8Array): Uint8Array[] => {
        const pieces: Uint8Array[] = [];
        for (let offset = 0, i = 0; offset < bytes.length; i++) {
          const length = sizes[i % sizes.length] ?? 1;
          pieces.push(bytes.subarray(offset, offset + length), EMPTY);
          offset += length;
        }
        return pieces;
      };
      expect(conversation(cut)).toStrictEqual(whole);
    }),
    { numRuns: 40 },
  );
});

describe("nothing that a server sends is a crash", () => {
  const bytes = fc.uint8Array({ maxLength: 400 });

  test("random bytes, and random content in well-formed records", () => {
    const record = fc.tuple(fc.constantFrom(20, 21, 22, 23), bytes).map(([type, content]) =>
      concat(writeRecordHeader(type as 20, content.length), content)
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(bytes, record), { maxLength: 4 }), (pieces) => {
        const client = new TlsClient({ fingerprint: ED25519.fingerprint, now: NOW });
        const events = [...pieces.flatMap((piece) => client.receive(piece)), ...client.receiveEnd()];
        expect(isConnected(events)).toBe(false);
        expectCalm(events);
      }),
      { numRuns: 200 },
    );
  });

  test("an honest flight that was damaged", () => {
    fc.assert(
      fc.property(mutations, (list) => {
        const { client, flight } = answered();
        const events = [...client.receive(mutated(flight, list)), ...client.receiveEnd()];
        expectCalm(events);
      }),
      { numRuns: 150 },
    );
  });

  test("a server that damages its own messages before it signs and protects them", () => {
    const names: HandshakeName[] = [
      "server_hello",
      "encrypted_extensions",
      "certificate_request",
      "certificate",
      "certificate_verify",
      "finished",
    ];
    fc.assert(
      fc.property(fc.constantFrom(...names), mutations, fc.boolean(), (name, list, keepsLength) => {
        const damage = (honest: Uint8Array): Uint8Array => {
          const body = mutated(honest.slice(4), list);
          const length = keepsLength ? honest.subarray(1, 4) : Uint8Array.of(0, body.length >> 8, body.length & 0xff);
          return concat(honest.subarray(0, 1), length, body);
        };
        const client = new TlsClient({ fingerprint: ED25519.fingerprint, now: NOW });
        const server = new ScriptedServer(ED25519, { asksForCertificate: true, rewrite: { [name]: damage } });
        server.receive(client.takeOutgoing());
        const events = [...client.receive(server.takeOutgoing()), ...client.receiveEnd()];
        expectCalm(events);
        const { session } = seen(events);
        if (session) expect(session.certificates).toStrictEqual(ED25519.chain);
      }),
      { numRuns: 250 },
    );
  });

  test("random records under the right keys, in and after the handshake", () => {
    const record = fc.tuple(fc.oneof(fc.constantFrom(0, 20, 21, 22, 23), fc.nat(255)), bytes);
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 6 }), fc.boolean(), (records, isEarly) => {
        const act = (server: ScriptedServer): void => records.forEach(([type, content]) => server.write(type, content));
        const client = new TlsClient({ fingerprint: ED25519.fingerprint, now: NOW });
        const server = new ScriptedServer(ED25519, isEarly ? { before: { certificate: act } } : {});
        server.receive(client.takeOutgoing());
        const events = client.receive(server.takeOutgoing());
        if (!isEarly) act(server);
        events.push(...client.receive(server.takeOutgoing()), ...client.receiveEnd());
        expectCalm(events);
      }),
      { numRuns: 250 },
    );
  });
});
