import { EMPTY, equal } from "#crypto/bytes";
import { dh, generateKeyPair, type PublicKey } from "#crypto/keys";
import type { AuthSecretKey } from "#protocol/authorize";
import type { Server } from "#protocol/address";
import type { NtfAnswer, NtfCommand } from "#protocol/ntf/commands";
import { openNotificationData, type OpenedNotification } from "#protocol/ntf/notification";
import type { DeviceToken } from "#protocol/ntf/token";
import { openNotification } from "#protocol/message";
import { namedNtf, type NtfWireClient } from "./ntf-wire-client.ts";
import type { Endpoint } from "./push-inbox.ts";
import type { TestQueue } from "./queue-user.ts";
import { named, type WireClient } from "./wire-client.ts";

/** A queue whose notifications can be had. */
export interface NotifiedQueue extends TestQueue {
  readonly notifierId: Uint8Array;
  readonly notifierKey: AuthSecretKey;
  /** Raw X25519 with which NMSG's metadata is sealed. */
  readonly ntfSecret: Uint8Array;
}

/** NKEY, with keys that are made for it. */
export async function notify(client: WireClient, queue: TestQueue): Promise<NotifiedQueue> {
  const keys = generateKeyPair("Ed25519");
  const dhKeys = generateKeyPair("X25519");
  const command = { tag: "NKEY", key: keys.publicKey, dhKey: dhKeys.publicKey } as const;
  const nid = await client.ask(command, queue.recipientKey, queue.ids.rcvId);
  if (nid.tag !== "NID") throw new Error(`no notifier: ${named(nid)}`);
  return { ...queue, notifierId: nid.notifierId, notifierKey: keys.secretKey, ntfSecret: dh(dhKeys.secretKey, nid.dhKey) };
}

/** What a registered device does and gets, over whichever connection. */
export class Phone {
  readonly keys = generateKeyPair("Ed25519");
  readonly dhKeys = generateKeyPair("X25519");
  endpoint: Endpoint;
  client: NtfWireClient;
  tokenId = EMPTY;
  secret = EMPTY;

  constructor(client: NtfWireClient, endpoint: Endpoint) {
    this.client = client;
    this.endpoint = endpoint;
  }

  ask(command: NtfCommand, entityId: Uint8Array = this.tokenId): Promise<NtfAnswer> {
    const isNew = command.tag === "TNEW" || command.tag === "SNEW";
    return this.client.ask(command, this.keys.secretKey, isNew ? EMPTY : entityId);
  }

  async named(command: NtfCommand, entityId?: Uint8Array): Promise<string> {
    return namedNtf(await this.ask(command, entityId));
  }

  /** TNEW. */
  async register(token: DeviceToken = this.endpoint.token): Promise<PublicKey<"X25519">> {
    const answer = await this.ask({ tag: "TNEW", token, verifyKey: this.keys.publicKey, dhKey: this.dhKeys.publicKey });
    if (answer.tag !== "IDTKN") throw new Error(`no token: ${namedNtf(answer)}`);
    this.tokenId = answer.tokenId;
    this.secret = dh(this.dhKeys.secretKey, answer.dhKey);
    return answer.dhKey;
  }

  /** The next so many pushes, opened. */
  async pushes(count: number): Promise<readonly OpenedNotification[]> {
    return (await this.endpoint.next(count)).map(({ json }) => openNotificationData(this.secret, json));
  }

  async code(): Promise<Uint8Array> {
    const [push] = await this.pushes(1);
    if (push?.type !== "verification") throw new Error(`a push of ${push?.type}`);
    return push.code;
  }

  /** TNEW, the code by push, TVFY. */
  async activate(): Promise<this> {
    await this.register();
    const answer = await this.named({ tag: "TVFY", code: await this.code() });
    if (answer !== "OK") throw new Error(`not verified: ${answer}`);
    return this;
  }

  /** SNEW. */
  async subscribe(server: Server, { notifierId, notifierKey }: NotifiedQueue): Promise<Uint8Array> {
    const queue = { server, notifierId };
    const answer = await this.ask({ tag: "SNEW", tokenId: this.tokenId, queue, notifierKey });
    if (answer.tag !== "IDSUB") throw new Error(`no subscription: ${namedNtf(answer)}`);
    return answer.subId;
  }

  status(subId: Uint8Array): Promise<string> {
    return this.named({ tag: "SCHK" }, subId);
  }
}

/** SEND of a message that wants a notification. */
export async function sendNotifying(client: WireClient, { ids }: TestQueue): Promise<void> {
  const answer = await client.ask({ tag: "SEND", notification: true, body: new Uint8Array([1]) }, null, ids.sndId);
  if (answer.tag !== "OK") throw new Error(`not sent: ${named(answer)}`);
}

/** Of which of the queues a push tells, oldest first, opened as their recipient does. */
export function toldOf(push: OpenedNotification | undefined, queues: readonly NotifiedQueue[]): readonly number[] {
  if (push?.type !== "messages") throw new Error(`a push of ${push?.type}`);
  return push.messages.map(({ queue, nonce, encMeta }) => {
    const index = queues.findIndex(({ notifierId }) => equal(notifierId, queue.notifierId));
    const mine = queues[index];
    if (!mine) throw new Error("a push tells of a queue of somebody else");
    openNotification(mine.ntfSecret, nonce, encMeta);
    return index;
  });
}
