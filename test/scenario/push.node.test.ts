import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatNtfServer, parseNtfServer } from "#protocol/ntf/server";
import type { Message } from "#protocol/commands";
import { notify, type NotifiedQueue, type Phone, toldOf } from "../support/ntf-phone.ts";
import { connectNtfNative } from "../support/ntf-native.ts";
import { PushRelay } from "../support/push-relay.ts";
import { makeQueue } from "../support/queue-user.ts";
import { named, type WireClient } from "../support/wire-client.ts";

let bench: PushRelay;

beforeAll(async () => {
  bench = await PushRelay.start();
});

afterAll(() => bench.stop());

/** A message with the flag that asks for a notification. */
function knock(sender: WireClient, queue: NotifiedQueue): Promise<Message> {
  const body = new TextEncoder().encode("knock");
  return sender.ask({ tag: "SEND", notification: true, body }, null, queue.ids.sndId);
}

async function followed(phone: Phone): Promise<{ readonly queue: NotifiedQueue; readonly subId: Uint8Array }> {
  const owner = await bench.relay.connect();
  const queue = await notify(owner, await makeQueue(owner));
  const subId = await phone.subscribe(bench.server, queue);
  await expect.poll(() => phone.status(subId)).toBe("ACTIVE");
  // Nobody is connected to the queue: that is what pushes are for.
  owner.close();
  return { queue, subId };
}

describe("npm start, with a push service and Apple on this machine", () => {
  it("says where its notification server is", async () => {
    const { address, path, vapid } = await bench.notifications();
    expect(path).toBe("/ntf");
    expect(vapid).toMatch(/^B[\w-]{86}$/);
    expect(formatNtfServer(parseNtfServer(address))).toBe(address);
    expect(address).toContain(bench.relay.info.fingerprint);
    const { gateway, notifications } = bench.relay.info;
    expect(parseNtfServer(notifications ?? "").keyHash).toEqual(bench.server.keyHash);
    expect(notifications?.slice(3), "one port for both").toBe(gateway?.slice(3));
  });

  it("wakes a closed browser when somebody sends a message", async () => {
    const phone = await bench.browser();
    await phone.activate();
    const { queue } = await followed(phone);
    phone.client.close();
    const sender = await bench.relay.connect();
    expect(named(await knock(sender, queue))).toBe("OK");
    expect(toldOf((await phone.pushes(1))[0], [queue])).toEqual([0]);
    const { received } = phone.browser;
    expect(received.map(({ size }) => size), "the push service sees two of a kind").toEqual([4096, 4096]);
    expect(received[1]).toMatchObject({ urgency: "high", claims: { aud: bench.service.origin } });
    expect(bench.service.refused).toEqual([]);
    sender.close();
  });

  it("wakes a phone whose app came through the gateway, as official apps do", async () => {
    const phone = bench.phone(await connectNtfNative(bench.server));
    await phone.activate();
    const { queue } = await followed(phone);
    phone.client.close();
    const sender = await bench.relay.connect();
    await knock(sender, queue);
    expect(toldOf((await phone.pushes(1))[0], [queue])).toEqual([0]);
    expect(phone.device.received.map(({ type }) => type)).toEqual(["background", "alert"]);
    expect(bench.apns.refused).toEqual([]);
    sender.close();
  });

  it("gives up a token that its push service does not know any more", async () => {
    const [browser, phone] = [await bench.browser(), bench.phone(await bench.connectNtf())];
    await Promise.all([browser.activate(), phone.activate()]);
    const [{ queue: ofBrowser }, { queue: ofPhone }] = await Promise.all([followed(browser), followed(phone)]);
    browser.browser.isGone = true;
    phone.device.replies.push({ status: 410, reason: "Unregistered" });
    const sender = await bench.relay.connect();
    await Promise.all([knock(sender, ofBrowser), knock(sender, ofPhone)]);
    for (const one of [browser, phone]) {
      await expect.poll(() => one.named({ tag: "TCHK" })).toBe("INVALID,UNREGISTERED");
      one.client.close();
    }
    const before = bench.service.requests;
    await knock(sender, ofBrowser);
    expect(await sender.isQuiet(300)).toBe(true);
    expect(bench.service.requests, "a dead token costs nothing").toBe(before);
    sender.close();
  });

  it("brings what a push service did not take later, though the relay was killed meanwhile", { timeout: 60_000 }, async () => {
    const [browser, phone] = [await bench.browser(), bench.phone(await bench.connectNtf())];
    await Promise.all([browser.activate(), phone.activate()]);
    const [{ queue: ofBrowser }, { queue: ofPhone }] = await Promise.all([followed(browser), followed(phone)]);
    browser.browser.replies.push({ status: 503 });
    phone.device.replies.push({ status: 503, reason: "ServiceUnavailable" });
    const [pushes, notes] = [bench.service.requests, bench.apns.requests];
    const sender = await bench.relay.connect();
    await Promise.all([knock(sender, ofBrowser), knock(sender, ofPhone)]);
    await expect.poll(() => [bench.service.requests - pushes, bench.apns.requests - notes]).toEqual([1, 1]);
    await bench.restart("kill");
    // Nobody connects: the relay's own alarms bring them.
    expect(toldOf((await browser.pushes(1))[0], [ofBrowser])).toEqual([0]);
    expect(toldOf((await phone.pushes(1))[0], [ofPhone])).toEqual([0]);
  });
});
