import { WebSocket as LeanSocket } from "ws";
import { hex } from "#crypto/bytes";
import { publicKeyOf } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { parseServerAddress } from "#protocol/address";
import { maxMessageLength } from "#protocol/limits";
import { makeQueue, type TestQueue } from "../support/queue-user.ts";
import { connectNative } from "../support/tls-client.ts";
import { named, type Received, type Socket, WireClient } from "../support/wire-client.ts";

/** Blocks that went through the sockets of this process. */
export const frames = { sent: 0, received: 0 };

/** A socket that counts. */
export function opener(url: string): (query?: string) => Promise<Socket> {
  return async (query = "") => {
    const socket = new WebSocket(url + query);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", () => frames.received++);
    return {
      send(data) {
        frames.sent++;
        socket.send(data as Uint8Array<ArrayBuffer> | string);
      },
      close: (code, reason) => socket.close(code, reason),
      addEventListener: (socket as Socket).addEventListener.bind(socket),
    };
  };
}

/** With the socket that the gateway has too, so that both ways differ in the gateway alone. */
async function openLean(url: string): Promise<Socket> {
  return new LeanSocket(url, { perMessageDeflate: false }) as Socket;
}

/** By WebSocket (`lean+ws:` with another library), or by TLS to a gateway (`smp:`). */
export function dial(url: string): Promise<WireClient> {
  if (url.startsWith("smp:")) return connectNative(parseServerAddress(url));
  const lean = /^lean\+(.*)$/.exec(url)?.[1];
  return WireClient.connect(lean === undefined ? opener(url) : (query) => openLean(lean + query));
}

/** One queue in its closed circle: SEND, MSG, ACK, and again when both were answered. */
interface Lane {
  readonly queue: TestQueue;
  readonly sender: WireClient;
  readonly recipient: WireClient;
  sentAt: number;
  missing: number;
}

export interface LoadResult {
  readonly messages: number;
  readonly seconds: number;
  /** Milliseconds from SEND to MSG. */
  readonly latencies: number[];
}

const FOREVER = 2 ** 31 - 1;

/** Queues that are kept busy, with senders and recipients on connections of their own. */
export class Load {
  readonly #lanes: Lane[] = [];
  readonly #byEntity = new Map<string, Lane>();
  readonly #clients: WireClient[] = [];
  readonly #body = randomBytes(maxMessageLength(19));
  #latencies: number[] = [];
  #messages = 0;
  #deadline = 0;
  #active = 0;
  #finish: (error?: unknown) => void = () => undefined;

  static async open(url: string, queues: number, pairs: number): Promise<Load> {
    const load = new Load();
    await Promise.all(Array.from({ length: pairs }, async (_, index) => {
      const [sender, recipient] = [await dial(url), await dial(url)];
      for (let i = index; i < queues; i += pairs) await load.#addLane(sender, recipient);
      load.#clients.push(sender, recipient);
      for (const client of [sender, recipient]) {
        load.#listen(client).catch((error: unknown) => load.#finish(error));
      }
    }));
    return load;
  }

  async #addLane(sender: WireClient, recipient: WireClient): Promise<void> {
    const queue = await makeQueue(recipient);
    const { senderKey, ids } = queue;
    if (senderKey.algorithm !== "X25519") throw new Error("senders authorize with X25519");
    const secured = await sender.ask({ tag: "SKEY", key: publicKeyOf(senderKey) }, senderKey, ids.sndId);
    if (secured.tag !== "OK") throw new Error(`a queue could not be secured: ${named(secured)}`);
    const lane = { queue, sender, recipient, sentAt: 0, missing: 0 };
    this.#lanes.push(lane);
    this.#byEntity.set(hex(ids.sndId), lane).set(hex(ids.rcvId), lane);
  }

  async #listen(client: WireClient): Promise<void> {
    for (;;) this.#take(await client.next(FOREVER));
  }

  #take({ entityId, message }: Received): void {
    const lane = this.#byEntity.get(hex(entityId));
    if (lane && message.tag === "MSG") {
      this.#latencies.push(performance.now() - lane.sentAt);
      const { recipient, queue: { recipientKey, ids } } = lane;
      recipient.sendAll([recipient.transmission({ tag: "ACK", msgId: message.msgId }, recipientKey, ids.rcvId)]);
    } else if (lane && message.tag === "OK") {
      if (--lane.missing === 0) this.#again(lane);
    } else {
      throw new Error(`unexpected: ${named(message)}`);
    }
  }

  #again(lane: Lane): void {
    this.#messages++;
    if (performance.now() < this.#deadline) this.#send(lane);
    else if (--this.#active === 0) this.#finish();
  }

  #send(lane: Lane): void {
    const { sender, queue: { senderKey, ids } } = lane;
    lane.missing = 2;
    lane.sentAt = performance.now();
    sender.sendAll([sender.transmission({ tag: "SEND", notification: false, body: this.#body }, senderKey, ids.sndId)]);
  }

  /** Keeps the first `queues` queues busy for so long; resolves when nothing is under way any more. */
  async run(queues: number, milliseconds: number): Promise<LoadResult> {
    const lanes = this.#lanes.slice(0, queues);
    this.#latencies = [];
    this.#messages = 0;
    this.#active = lanes.length;
    const started = performance.now();
    this.#deadline = started + milliseconds;
    await new Promise<void>((resolve, reject) => {
      this.#finish = (error) => (error === undefined ? resolve() : reject(error));
      for (const lane of lanes) this.#send(lane);
    });
    return { messages: this.#messages, seconds: (performance.now() - started) / 1000, latencies: this.#latencies };
  }

  close(): void {
    this.#finish = () => undefined;
    for (const client of this.#clients) client.close();
  }
}
