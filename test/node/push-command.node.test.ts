import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readVapid } from "../../src/push/vapid.ts";
import { ApnsServer } from "../support/apns-server.ts";
import { type Finished, runCommand } from "../support/relay-process.ts";

const check = (env: Record<string, string> = {}, ...more: readonly string[]): Promise<Finished> =>
  runCommand(["push", "check", ...more], env);

describe("smp-edge push keys", () => {
  it("makes a pair that relays and browsers can use, each time another", async () => {
    const { code, stdout } = await runCommand(["push", "keys", "--json"]);
    expect(code).toBe(0);
    const { publicKey, privateKey } = JSON.parse(stdout) as { publicKey: string; privateKey: string };
    expect(publicKey).toMatch(/^B[\w-]{86}$/);
    expect((await readVapid(privateKey, "mailto:me@smp.example.org")).publicKey).toBe(publicKey);
    // And in the eyes of another library: the point is of the scalar.
    const point = Buffer.from(publicKey, "base64url");
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString("base64url"));
    const jwk = { kty: "EC", crv: "P-256", d: privateKey, x: x ?? "", y: y ?? "" };
    expect(createPublicKey({ key: jwk, format: "jwk" }).asymmetricKeyDetails).toMatchObject({ namedCurve: "prime256v1" });
    const { stdout: words } = await runCommand(["push", "keys"]);
    expect(words).toContain("wrangler secret put VAPID_PRIVATE_KEY");
    expect(words).not.toContain(publicKey);
    expect((await check({ VAPID_PRIVATE_KEY: privateKey })).stdout).toContain(publicKey);
  });
});

describe("smp-edge push check", () => {
  it("says that without any setting browsers can be reached, and apps cannot", async () => {
    const { code, stdout } = await check();
    expect(code).toBe(0);
    expect(stdout).toMatch(/Web Push +ready, with the key that the relay makes/);
    expect(stdout).toMatch(/APNs +not set up/);
    expect(stdout).toMatch(/FCM +not set up/);
    expect(stdout).toContain("PUSH_CONTACT");
    expect((await check({ PUSH: "off" })).stdout).toContain("off");
    expect((await check({ PUSH_PRIVATE: "on", PUSH_CONTACT: "mailto:me@smp.example.org" })).stdout).toMatch(/mailto:me.*\nprivate/);
  });

  it.each([
    [{ APNS_TOPIC: "org.example.chat" }, "APNS_TEAM_ID, APNS_KEY_ID, APNS_PRIVATE_KEY"],
    [{ PUSH_CONTACT: "me" }, "mailto:you@your.domain"],
    [{ VAPID_PRIVATE_KEY: "AAAA" }, "32 bytes"],
    [{ VAPID_PRIVATE_KEY: "!" }, "base64url"],
    [{ FCM_SERVICE_ACCOUNT: "{" }, "no JSON"],
    [{ FCM_SERVICE_ACCOUNT: "{}" }, "project_id"],
    [{ APNS_TOPIC: "a", APNS_TEAM_ID: "b", APNS_KEY_ID: "c", APNS_PRIVATE_KEY: "d" }, "10 capital letters"],
  ])("names what is wrong in %j", async (env, what) => {
    const { code, stdout, stderr } = await check(env);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain(what);
  });
});

describe("smp-edge push check --connect", () => {
  let apns: ApnsServer;

  beforeAll(async () => {
    apns = await ApnsServer.start();
  });

  afterAll(() => apns.stop());

  const connect = (env: Record<string, string>): Promise<Finished> =>
    check({ ...apns.settings, NODE_EXTRA_CA_CERTS: apns.caFile, ...env }, "--connect");

  it("asks Apple with a device that does not exist, and hears that all else is right", async () => {
    const { code, stdout } = await connect({});
    expect([code, stdout]).toEqual([0, expect.stringMatching(/APNs +key ABC123DEFG of team DEF123GHIJ for .* takes it/)]);
    expect(apns.refused).toEqual([expect.stringContaining("BadDeviceToken")]);
  });

  it("tells what Apple has against it", async () => {
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" });
    const wrongKey = await connect({ APNS_PRIVATE_KEY: String(other) });
    expect([wrongKey.code, wrongKey.stdout]).toEqual([1, expect.stringContaining("403 InvalidProviderToken")]);
    const wrongTopic = await connect({ APNS_TOPIC: "org.example.other" });
    expect([wrongTopic.code, wrongTopic.stdout]).toEqual([1, expect.stringContaining("400 TopicDisallowed")]);
    const nobody = await connect({ APNS_TEST_ORIGIN: "https://localhost:1" });
    expect([nobody.code, nobody.stdout]).toEqual([1, expect.stringContaining("localhost does not answer (ECONNREFUSED)")]);
    const unknownCa = await connect({ NODE_EXTRA_CA_CERTS: "" });
    expect([unknownCa.code, unknownCa.stdout]).toEqual([1, expect.stringContaining("VERIFY")]);
  });
});
