import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { equal, utf8 } from "#crypto/bytes";
import { issueCaCertificate } from "#crypto/certificate";
import { type AuthAlgorithm, generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { parseServerAddress } from "#protocol/address";
import type { MessageOf, MessageTag } from "#protocol/commands";
import { ConnectError, ProtocolError } from "../../client/errors.ts";
import {
  acknowledge,
  disableNotifications,
  enableNotifications,
  get,
  getLink,
  ping,
  queueInfo,
  remove,
  removeLink,
  replaceRecipientKeys,
  secureAsSender,
  secureLink,
  secureQueue,
  send,
  setLink,
  subscribe,
  subscribeMany,
  subscribeNotifications,
  subscribeService,
  suspend,
} from "../../client/smp/calls.ts";
import { SmpClient } from "../../client/smp/client.ts";
import { createQueue, openMessage, openNotification, type RcvQueue } from "../../client/smp/queue.ts";
import { connect, type ConnectOptions } from "../../client/transport/connect.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../support/relay-process.ts";

const folder = temporaryFolder();
let relay: RelayProcess;
const clients: SmpClient[] = [];

beforeAll(async () => {
  relay = await RelayProcess.start(folder);
}, 60_000);

afterAll(async () => {
  for (const client of clients) client.close();
  await relay.stop();
  removeFolder(folder);
});

async function join(options: Partial<ConnectOptions> = {}): Promise<SmpClient> {
  const client = new SmpClient(await connect({ server: parseServerAddress(relay.info.address), ...options }));
  clients.push(client);
  return client;
}

/** The next event, which must be such a message of that entity. */
async function nextEvent<T extends MessageTag>(client: SmpClient, tag: T, entityId: Uint8Array): Promise<MessageOf<T>> {
  const { value } = await client.events.next();
  expect(value).toMatchObject({ type: "message", message: { tag } });
  if (value?.type !== "message") throw new Error("no message");
  expect(equal(value.entityId, entityId)).toBe(true);
  return value.message as unknown as MessageOf<T>;
}

async function expectBody(client: SmpClient, queue: RcvQueue, body: Uint8Array): Promise<Uint8Array> {
  const message = await nextEvent(client, "MSG", queue.entityId);
  expect(openMessage(client, queue, message)).toMatchObject({ type: "message", body });
  return message.msgId;
}

const versions = [6, 7, 8, 9, 11, 14, 16, 19];
const algorithms: readonly AuthAlgorithm[] = ["Ed25519", "X25519", "Ed448"];
const combinations = versions.flatMap((version) => algorithms.map((algorithm) => [version, algorithm] as const))
  .filter(([version, algorithm]) => version > 6 || algorithm !== "X25519");

describe("a conversation with the relay", () => {
  test.each(combinations)("in version %i with %s keys", async (version, algorithm) => {
    const range = { versions: { min: 6, max: version } };
    const [recipient, sender] = await Promise.all([join(range), join(range)]);
    expect(recipient.version).toBe(version);
    await ping(recipient);
    const queue = await createQueue(recipient, { authKeys: generateKeyPair(algorithm), subscribe: false });
    await subscribe(recipient, queue);
    const senderKeys = generateKeyPair(algorithm);
    if (queue.mode === "messaging") await secureAsSender(sender, queue.senderId, senderKeys);
    else await secureQueue(recipient, queue, senderKeys.publicKey);
    const bodies = [utf8("one"), randomBytes(16_048), new Uint8Array(0)];
    for (const body of bodies) await send(sender, queue.senderId, senderKeys.secretKey, body);
    for (const body of bodies) await acknowledge(recipient, queue, await expectBody(recipient, queue, body));
    await expect(send(sender, queue.senderId, null, utf8("forged"))).rejects.toMatchObject({ error: { type: "AUTH" } });
    await remove(recipient, queue);
    await expect(subscribe(recipient, queue)).rejects.toBeInstanceOf(ProtocolError);
  });

  test("refuses another fingerprint", async () => {
    const server = { ...parseServerAddress(relay.info.address), keyHash: randomBytes(32) };
    await expect(connect({ server })).rejects.toBeInstanceOf(ConnectError);
  });

  test("a port where nothing listens is unreachable", async () => {
    const server = { ...parseServerAddress(relay.info.address), hosts: ["127.0.0.1"], port: "1" };
    await expect(connect({ server })).rejects.toMatchObject({ failure: "unreachable", retryable: true });
  });
});

describe("commands of the relay", () => {
  test("GET, ACK, OFF and QUE", async () => {
    const client = await join();
    const queue = await createQueue(client, { subscribe: false });
    expect(await get(client, queue)).toBeNull();
    await send(client, queue.senderId, null, utf8("fetched"), true);
    const message = await get(client, queue);
    if (!message) throw new Error("nothing fetched");
    expect(openMessage(client, queue, message)).toMatchObject({ body: utf8("fetched"), notification: true });
    expect(await queueInfo(client, queue)).toMatchObject({ qiSnd: false, qiNtf: false, qiSize: 1 });
    await acknowledge(client, queue, message.msgId);
    await acknowledge(client, queue, message.msgId);
    await suspend(client, queue);
    await expect(send(client, queue.senderId, null, utf8("late"))).rejects.toMatchObject({ error: { type: "AUTH" } });
  });

  test("a one-time link made with its queue", async () => {
    const [owner, visitor] = await Promise.all([join(), join()]);
    const linkData = { fixedData: randomBytes(2048), userData: randomBytes(13_824) };
    const queue = await createQueue(owner, { link: { corrId: randomBytes(24), linkData } });
    if (!queue.linkId) throw new Error("no link");
    const keys = generateKeyPair("Ed25519");
    expect(await secureLink(visitor, queue.linkId, keys)).toEqual({ senderId: queue.senderId, linkData });
    expect(await secureLink(visitor, queue.linkId, keys)).toEqual({ senderId: queue.senderId, linkData });
    await expect(secureLink(visitor, queue.linkId, generateKeyPair("Ed25519"))).rejects.toBeInstanceOf(ProtocolError);
    await send(visitor, queue.senderId, keys.secretKey, utf8("hello"));
    await expectBody(owner, queue, utf8("hello"));
  });

  test("a contact address with its link and its keys", async () => {
    const [owner, visitor] = await Promise.all([join(), join()]);
    const queue = await createQueue(owner, { mode: "contact" });
    const linkId = randomBytes(24);
    const linkData = { fixedData: randomBytes(20), userData: randomBytes(30) };
    await setLink(owner, queue, linkId, linkData);
    expect(await getLink(visitor, linkId)).toEqual({ senderId: queue.senderId, linkData });
    await removeLink(owner, queue);
    await expect(getLink(visitor, linkId)).rejects.toBeInstanceOf(ProtocolError);
    const other = generateKeyPair("X25519");
    await replaceRecipientKeys(owner, queue, [other.publicKey]);
    await expect(queueInfo(owner, queue)).rejects.toBeInstanceOf(ProtocolError);
    await expect(queueInfo(owner, { ...queue, key: other.secretKey })).resolves.toMatchObject({ qiSize: 0 });
  });

  test("notifications, by NKEY and with NEW", async () => {
    const [owner, notifier] = await Promise.all([join(), join()]);
    const notifierKeys = generateKeyPair("X25519");
    const queue = await createQueue(owner, { notifierKeys });
    const given = queue.notifier;
    if (!given) throw new Error("no notifier");
    await subscribeNotifications(notifier, { entityId: given.notifierId, key: given.key });
    await send(owner, queue.senderId, null, utf8("ring"), true);
    const msgId = await expectBody(owner, queue, utf8("ring"));
    const notification = await nextEvent(notifier, "NMSG", given.notifierId);
    expect(openNotification(notifier, given, notification).msgId).toEqual(msgId);
    const second = await enableNotifications(owner, queue, notifierKeys.publicKey);
    await nextEvent(notifier, "DELD", given.notifierId);
    await subscribeNotifications(notifier, { entityId: second.notifierId, key: notifierKeys.secretKey });
    await acknowledge(owner, queue, msgId);
    await send(owner, queue.senderId, null, utf8("again"), true);
    await expectBody(owner, queue, utf8("again"));
    const again = await nextEvent(notifier, "NMSG", second.notifierId);
    expect(openNotification(notifier, second, again).ts).toBeGreaterThan(0);
    await disableNotifications(owner, queue);
    await nextEvent(notifier, "DELD", second.notifierId);
  });

  test("many subscriptions move to another connection, and the first is told", async () => {
    const [first, second] = await Promise.all([join(), join()]);
    const queues = await Promise.all(Array.from({ length: 200 }, () => createQueue(first)));
    const results = await subscribeMany(second, queues);
    expect(results.filter(({ error }) => error !== null)).toEqual([]);
    const ended = new Set<string>();
    for (let i = 0; i < queues.length; i++) {
      const { value } = await first.events.next();
      expect(value).toMatchObject({ type: "message", message: { tag: "END" } });
      if (value?.type === "message") ended.add(value.entityId.join());
    }
    expect(ended).toEqual(new Set(queues.map(({ entityId }) => entityId.join())));
  });

  test("a service subscribes all its queues at once", async () => {
    const keys = generateKeyPair("Ed25519");
    const certificate = issueCaCertificate(keys.publicKey, keys.secretKey, Date.now() - 60_000);
    const service = { role: "messaging", certChain: [certificate], key: keys.secretKey } as const;
    const first = await join({ service });
    const queue = await createQueue(first);
    expect(queue.serviceId).toEqual(first.service?.serviceId);
    const second = await join({ service });
    await send(await join(), queue.senderId, null, utf8("to a service"));
    await expectBody(first, queue, utf8("to a service"));
    expect((await subscribeService(second, "SUBS", null)).count).toBe(1);
    await expectBody(second, queue, utf8("to a service"));
    const { value } = await second.events.next();
    expect(value).toMatchObject({ type: "message", message: { tag: "ALLS" } });
  });
});
