import { describe, expect, it } from "vitest";
import { EMPTY } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { FETCHING_CONNECTIONS, PENDING_NOTIFICATIONS } from "../../src/relay/limits.ts";
import { acknowledge, makeQueue, open, send } from "../support/queue-user.ts";
import { named } from "../support/wire-client.ts";
import { connect } from "../support/workerd-relay.ts";

describe("what a queue keeps for others", () => {
  it("is the state of the newest connections that fetch, and the oldest gives way", async () => {
    const owner = await connect();
    const queue = await makeQueue(owner, { change: { subscribe: false } });
    await send(owner, queue, "for one of many");
    const fetchers = [];
    for (let i = 0; i <= FETCHING_CONNECTIONS; i++) {
      const client = await connect();
      const got = await client.ask({ tag: "GET" }, queue.recipientKey, queue.ids.rcvId);
      fetchers.push({ client, msgId: open(queue, got).msgId });
    }
    const [oldest, second] = fetchers;
    if (!oldest || !second) throw new Error("nobody fetched");
    expect(named(await acknowledge(oldest.client, queue, oldest.msgId))).toBe("ERR NO_MSG");
    expect(named(await acknowledge(second.client, queue, second.msgId))).toBe("OK");
    expect(named(await owner.ask({ tag: "GET" }, queue.recipientKey, queue.ids.rcvId))).toBe("OK");
  });

  it("is the newest notifications for a notifier that is away, and no more", async () => {
    const [owner, notifier] = await Promise.all([connect(), connect()]);
    const [ntfKey, ntfDh] = [generateKeyPair("Ed25519"), generateKeyPair("X25519")];
    const queue = await makeQueue(owner, { change: { ntfCreds: { authKey: ntfKey.publicKey, dhKey: ntfDh.publicKey } } });
    for (let i = 0; i < PENDING_NOTIFICATIONS + 5; i++) {
      await owner.ask({ tag: "SEND", notification: true, body: EMPTY }, null, queue.ids.sndId);
      const { msgId } = open(queue, (await owner.event(queue.ids.rcvId)).message);
      await acknowledge(owner, queue, msgId);
    }
    await notifier.ask({ tag: "NSUB" }, ntfKey.secretKey, queue.ids.serverNtfCreds?.notifierId);
    for (let i = 0; i < PENDING_NOTIFICATIONS; i++) expect(named((await notifier.event()).message)).toBe("NMSG");
    expect(await notifier.isQuiet()).toBe(true);
  });
});
