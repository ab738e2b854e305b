import { afterEach, describe, expect, test } from "vitest";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { openNotificationData } from "#protocol/ntf/notification";
import { webPushToken } from "#protocol/ntf/token";
import * as ntf from "../../../client/ntf/calls.ts";
import { NtfConnection } from "../../../client/ntf/ntf-connection.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { FakeNtfServer } from "../support/fake-ntf-server.ts";

const connections: NtfConnection[] = [];

afterEach(() => {
  for (const connection of connections.splice(0)) connection.dispose();
});

/** As long as the push services of browsers make them; the longest that fits. */
const ENDPOINTS = [
  ["Google", "https://fcm.googleapis.com/fcm/send/", 188],
  ["Apple", "https://web.push.apple.com/", 198],
  ["Mozilla", "https://updates.push.services.mozilla.com/wpush/v2/", 234],
  ["anybody", "https://push.example.org/", 240],
] as const;

describe("endpoints of browsers", () => {
  test.each(ENDPOINTS)("of %s are registered and replaced", async (_, beginning, length) => {
    const server = new FakeNtfServer();
    const clock = new FakeClock();
    server.now = () => clock.now();
    const connection = new NtfConnection({ server: server.server, openSocket: server.openSocket, clock });
    connections.push(connection);
    const endpoint = (): ReturnType<typeof webPushToken> => {
      const point = Uint8Array.of(4, ...randomBytes(64));
      return webPushToken(beginning.padEnd(length, "x"), randomBytes(16), point);
    };
    const [verifyKeys, dhKeys] = [generateKeyPair("Ed25519"), generateKeyPair("X25519")];
    const token = await ntf.registerToken(connection, endpoint(), verifyKeys, dhKeys);
    expect(openNotificationData(token.dhSecret, server.push()).type).toBe("verification");
    const known = { ...token, key: verifyKeys.secretKey };
    await ntf.replaceToken(connection, known, endpoint());
    expect(await ntf.checkToken(connection, known)).toBe("REGISTERED");
  });
});
