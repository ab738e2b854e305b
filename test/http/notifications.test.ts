import { exports } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { fromBase64url } from "#crypto/bytes";
import { parseNtfServer } from "#protocol/ntf/server";
import { makeVapidKeys } from "../../src/push/vapid.ts";
import type { NotificationsInfo } from "../../src/http/relay-info.ts";
import { connect } from "../../src/objects/connect.ts";
import { ask, envWith, json } from "./support.ts";

interface Info {
  readonly fingerprint: string;
  readonly notifications: NotificationsInfo | null;
}

const info = async (...request: Parameters<typeof ask>): Promise<Info> => await json(await ask(...request));

test("a relay says where devices register, and with which key browsers subscribe", async () => {
  const { fingerprint, notifications } = await info("/relay.json", { PUBLIC_HOSTS: "relay.example.org,10.0.0.1:5223" });
  expect(notifications?.address).toBe(`ntf://${fingerprint}@relay.example.org,10.0.0.1:5223`);
  expect(parseNtfServer(notifications?.address ?? "").hosts).toEqual(["relay.example.org", "10.0.0.1"]);
  expect(notifications?.path).toBe("/ntf");
  expect(fromBase64url(notifications?.vapid ?? "")).toHaveLength(65);
});

test("the key is made once and kept, unless the operator gives one", async () => {
  const [first, second] = await Promise.all([info("/relay.json"), info("/relay.json")]);
  expect(first.notifications?.vapid).toBe(second.notifications?.vapid);
  const keys = await makeVapidKeys();
  const given = await info("/relay.json", { VAPID_PRIVATE_KEY: keys.privateKey });
  expect(given.notifications?.vapid).toBe(keys.publicKey);
  expect((await info("/relay.json")).notifications?.vapid).toBe(first.notifications?.vapid);
});

test("a relay without a notification server says so, and takes no devices", async () => {
  expect((await info("/relay.json", { PUSH: "off" })).notifications).toBeNull();
  expect(await (await ask("/", { PUSH: "off" })).text()).toContain("Only while the chat is open");
  const upgrade = (path: string): Request => new Request(`https://relay.test${path}`, { headers: { upgrade: "websocket" } });
  expect((await connect(upgrade("/ntf"), envWith({ PUSH: "off" }))).status).toBe(404);
  const taken = await exports.default.fetch(upgrade("/ntf?challenge=x"));
  expect(taken.status).toBe(101);
  taken.webSocket?.accept();
  taken.webSocket?.close();
});

test.each([
  [{ PUSH: "perhaps" }, "PUSH must be on or off"],
  [{ PUSH_CONTACT: "me" }, "PUSH_CONTACT must look like"],
  [{ PUSH_CONTACT: "https://localhost/" }, "PUSH_CONTACT must look like"],
  [{ APNS_TOPIC: "org.example.app", APNS_KEY_ID: "ABCDEFGHIJ" }, "needs APNS_TEAM_ID, APNS_PRIVATE_KEY too"],
  [{ APNS_TEST_ORIGIN: "https://push.example/path" }, "APNS_TEST_ORIGIN must be"],
  [{ VAPID_PRIVATE_KEY: "AA" }, "the settings for pushes are wrong"],
  [{ FCM_SERVICE_ACCOUNT: "{" }, "service account"],
])("settings that cannot be are told to the operator: %o", async (settings, mistake) => {
  const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
  expect((await ask("/relay.json", settings)).status).toBe(503);
  expect(String(log.mock.calls[0]?.[0])).toContain(mistake);
  log.mockRestore();
});
