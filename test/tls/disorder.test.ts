import { describe, expect, test } from "vitest";
import { concat, EMPTY, fromHex, utf8 } from "#crypto/bytes";
import { writeFinished } from "../../src/tls/messages/finished.ts";
import { HANDSHAKE } from "../../src/tls/messages/message.ts";
import { before, leftOut, refuses } from "../support/tls-refusals.ts";
import type { Script, ScriptedServer } from "../support/tls-server.ts";
import { shake } from "../support/tls-talk.ts";

const [CHANGE_CIPHER_SPEC, ALERT, RECORD, DATA] = [20, 21, 22, 23] as const;

describe("messages in the wrong place", () => {
  const finished = writeFinished(new Uint8Array(32));

  refuses({
    "a hello after the hello": [
      "unexpected_message",
      before("encrypted_extensions", (server) => server.write(RECORD, Uint8Array.of(HANDSHAKE.server_hello, 0, 0, 0))),
    ],
    "something after the hello in its record": [
      "unexpected_message",
      { rewrite: { server_hello: (honest) => concat(honest, Uint8Array.of(8)) } },
    ],
    "a HelloRequest, as for renegotiation": [
      "unexpected_message",
      before("encrypted_extensions", (server) => server.write(RECORD, new Uint8Array(4))),
    ],
    "Finished before the certificate": [
      "unexpected_message",
      before("certificate", (server) => server.write(RECORD, finished)),
    ],
    "no certificate": ["unexpected_message", leftOut("certificate")],
    "no certificate and no proof of its key": [
      "unexpected_message",
      { rewrite: { certificate: () => EMPTY, certificate_verify: () => EMPTY } },
    ],
    "no encrypted extensions": ["unexpected_message", leftOut("encrypted_extensions")],
    "a KeyUpdate in the handshake": [
      "unexpected_message",
      before("certificate", (server) => server.write(RECORD, Uint8Array.of(HANDSHAKE.key_update, 0, 0, 1, 0))),
    ],
    "a second request for a certificate": [
      "unexpected_message",
      {
        asksForCertificate: true,
        rewrite: { certificate_request: (honest) => concat(honest, honest) },
      },
    ],
    "a message that does not exist": [
      "unexpected_message",
      before("certificate", (server) => server.write(RECORD, Uint8Array.of(99, 0, 0, 0))),
    ],
    "a message of 16385 bytes, before they are sent": [
      "illegal_parameter",
      before("certificate", (server) => server.write(RECORD, Uint8Array.of(HANDSHAKE.certificate, 0, 0x40, 1))),
    ],
  });
});

describe("records that are refused", () => {
  const start = Uint8Array.of(HANDSHAKE.encrypted_extensions, 0);
  const inside = (run: (server: ScriptedServer) => void): Script =>
    before("encrypted_extensions", (server) => {
      server.write(RECORD, start);
      run(server);
    });
  const first = (run: (server: ScriptedServer) => void): Script => before("server_hello", run);
  const sealed = (run: (server: ScriptedServer) => void): Script => before("certificate", run);
  const one = Uint8Array.of(1);

  refuses({
    "of HTTP": ["unexpected_message", first((server) => server.writeRaw(utf8("HTTP/1.1 400 Bad Request\r\n\r\n")))],
    "of SSH": ["unexpected_message", first((server) => server.writeRaw(utf8("SSH-2.0-OpenSSH_9.2p1\r\n")))],
    "of zeros": ["unexpected_message", first((server) => server.writeRaw(new Uint8Array(100)))],
    "of TLS 1.0": ["protocol_version", first((server) => server.writePlain(RECORD, start, 0x0301))],
    "of alerts that are not of TLS": [
      "protocol_version",
      first((server) => server.writePlain(ALERT, Uint8Array.of(2, 70), 0x0200)),
    ],
    "heartbeats": ["unexpected_message", first((server) => server.writePlain(24, one))],
    "data before the hello": ["unexpected_message", first((server) => server.writePlain(DATA, one))],
    "empty ones of the handshake": ["unexpected_message", first((server) => server.writePlain(RECORD, EMPTY))],
    "16385 bytes long before they are sent": [
      "record_overflow",
      first((server) => server.writeRaw(fromHex("1603034001"))),
    ],
    "protected and 16641 bytes long": ["record_overflow", sealed((server) => server.writeRaw(fromHex("1703034101")))],
    "protected, with 2^14 + 1 bytes inside": [
      "record_overflow",
      sealed((server) => server.write(RECORD, new Uint8Array(16_385))),
    ],
    "protected and too short to be": ["bad_record_mac", sealed((server) => server.writeRaw(fromHex("170303000101")))],
    "protected and empty": ["bad_record_mac", sealed((server) => server.writeRaw(fromHex("1703030000")))],
    "under other keys": ["bad_record_mac", sealed((server) => server.writePlain(DATA, new Uint8Array(40)))],
    "protected, with nothing but padding": [
      "unexpected_message",
      sealed((server) => server.write(0, new Uint8Array(20))),
    ],
    "protected, of a type that does not exist": ["unexpected_message", sealed((server) => server.write(25, one))],
    "protected, of the handshake and empty": ["unexpected_message", sealed((server) => server.write(RECORD, EMPTY))],
    "not protected after the hello": ["unexpected_message", sealed((server) => server.writePlain(RECORD, one))],
    "alerts not protected after the hello": [
      "unexpected_message",
      sealed((server) => server.writePlain(ALERT, Uint8Array.of(2, 40))),
    ],
    "a protected change_cipher_spec": [
      "unexpected_message",
      sealed((server) => server.write(CHANGE_CIPHER_SPEC, one)),
    ],
    "a change_cipher_spec of 2": [
      "unexpected_message",
      sealed((server) => server.writePlain(CHANGE_CIPHER_SPEC, Uint8Array.of(2))),
    ],
    "a change_cipher_spec of two bytes": [
      "unexpected_message",
      sealed((server) => server.writePlain(CHANGE_CIPHER_SPEC, Uint8Array.of(1, 1))),
    ],
    "a change_cipher_spec inside a message": [
      "unexpected_message",
      inside((server) => server.writePlain(CHANGE_CIPHER_SPEC, one)),
    ],
    "an alert inside a message": ["unexpected_message", inside((server) => server.write(ALERT, Uint8Array.of(1, 0)))],
    "data inside a message": ["unexpected_message", inside((server) => server.write(DATA, one))],
    "an alert of one byte": ["decode_error", sealed((server) => server.write(ALERT, one))],
    "an alert of three bytes": ["decode_error", sealed((server) => server.write(ALERT, Uint8Array.of(2, 40, 0)))],
    "two alerts in one record": ["decode_error", sealed((server) => server.write(ALERT, Uint8Array.of(1, 90, 1, 0)))],
    "change_cipher_spec without end": [
      "unexpected_message",
      first((server) => Array.from({ length: 33 }, () => server.writePlain(CHANGE_CIPHER_SPEC, one))),
    ],
  });
});

describe("alerts of the server end the handshake, and get no answer", () => {
  test.each([
    ["before its hello", "server_hello", "handshake_failure"],
    ["after its hello", "certificate", "internal_error"],
    ["close_notify", "certificate", "close_notify"],
  ] as const)("%s", (_, place, alert) => {
    const { error, session, talk } = shake(before(place, (server) => server.alert(alert)));
    expect([error?.failure, error?.alert, session]).toStrictEqual(["refused", alert, null]);
    expect(talk.server.alerts).toStrictEqual([]);
  });

  test("one of TLS 1.0, by a server that knows nothing newer", () => {
    const { error } = shake(before("server_hello", (server) => server.writePlain(ALERT, Uint8Array.of(2, 70), 0x0301)));
    expect([error?.failure, error?.alert]).toStrictEqual(["refused", "protocol_version"]);
  });

  test("one that no RFC knows", () => {
    const { error } = shake(before("certificate", (server) => server.write(ALERT, Uint8Array.of(1, 200))));
    expect([error?.failure, error?.alert]).toStrictEqual(["refused", null]);
    expect(error?.message).toContain("alert 200");
  });
});

test("after a refusal nothing is said or believed any more", () => {
  const { talk } = shake(before("finished", (server) => server.write(DATA, utf8("early"))));
  talk.server.write(DATA, utf8("late"));
  expect(talk.run().data.length).toBe(0);
  expect(talk.client.receive(new Uint8Array(100))).toStrictEqual([]);
  expect(talk.client.receiveEnd()).toStrictEqual([]);
  talk.client.close();
  expect(talk.client.takeOutgoing().length).toBe(0);
  expect(() => talk.client.send(utf8("x"))).toThrow("closed or failed");
});
