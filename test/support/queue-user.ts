import { EMPTY } from "#crypto/bytes";
import { type AuthAlgorithm, dh, generateKeyPair, type KeyPair } from "#crypto/keys";
import type { AuthSecretKey } from "#protocol/authorize";
import type { Message } from "#protocol/commands";
import type { IDS, NEW } from "#protocol/commands/queue";
import { openReceivedMessage } from "#protocol/message";
import { named, type WireClient } from "./wire-client.ts";

/** A queue as its recipient and its sender know it together. */
export interface TestQueue {
  readonly ids: IDS;
  readonly recipientKey: AuthSecretKey;
  readonly senderKey: AuthSecretKey;
  readonly secret: Uint8Array;
}

export async function makeQueue(
  client: WireClient,
  options: { algorithm?: AuthAlgorithm; change?: Partial<NEW>; corrId?: Uint8Array } = {},
): Promise<TestQueue> {
  const keys: KeyPair<AuthAlgorithm> = generateKeyPair(options.algorithm ?? "Ed25519");
  const dhKeys = generateKeyPair("X25519");
  const recipientKey = keys.secretKey as AuthSecretKey;
  const command: NEW = {
    tag: "NEW",
    rcvAuthKey: keys.publicKey,
    rcvDhKey: dhKeys.publicKey,
    basicAuth: null,
    subscribe: true,
    queueReqData: client.version >= 9 ? { mode: "messaging", data: null } : null,
    ntfCreds: null,
    ...options.change,
  };
  const ids = await client.ask(command, recipientKey, EMPTY, options.corrId);
  if (ids.tag !== "IDS") throw new Error(`no queue: ${named(ids)}`);
  const senderKey = generateKeyPair(client.version >= 7 ? "X25519" : "Ed25519").secretKey as AuthSecretKey;
  return { ids, recipientKey, senderKey, secret: dh(dhKeys.secretKey, ids.rcvPublicDhKey) };
}

export function send(client: WireClient, queue: TestQueue, body: string, key: AuthSecretKey | null = null): Promise<Message> {
  const command = { tag: "SEND", notification: false, body: new TextEncoder().encode(body) } as const;
  return client.ask(command, key, queue.ids.sndId);
}

/** The text in a MSG and its id. */
export function open(queue: TestQueue, message: Message): { text: string; msgId: Uint8Array } {
  if (message.tag !== "MSG") throw new Error(`not a MSG: ${named(message)}`);
  const received = openReceivedMessage(queue.secret, message.msgId, message.encBody);
  const text = received.type === "message" ? new TextDecoder().decode(received.body) : "QUOTA";
  return { text, msgId: message.msgId };
}

export function acknowledge(client: WireClient, queue: TestQueue, msgId: Uint8Array): Promise<Message> {
  return client.ask({ tag: "ACK", msgId }, queue.recipientKey, queue.ids.rcvId);
}

export function subscribe(client: WireClient, queue: TestQueue): Promise<Message> {
  return client.ask({ tag: "SUB" }, queue.recipientKey, queue.ids.rcvId);
}

/** Everything in the queue, acknowledged one by one. */
export async function drain(client: WireClient, queue: TestQueue): Promise<string[]> {
  const texts: string[] = [];
  await subscribe(client, queue);
  let message = await client.event(queue.ids.rcvId, 3000).then((event) => event.message, () => null);
  while (message && message.tag === "MSG") {
    const { text, msgId } = open(queue, message);
    texts.push(text);
    message = await acknowledge(client, queue, msgId);
  }
  return texts;
}
