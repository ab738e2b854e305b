import { createECDH, createPublicKey, randomBytes, verify } from "node:crypto";
import { EventEmitter, once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import ece from "http_ece";
import { type WebPushToken, webPushToken } from "#protocol/ntf/token";
import { Authority } from "./authority.ts";

/** Largest body that a push service takes (RFC 8030 section 7.2). */
const LONGEST = 4_096;
const SECOND = 1_000;
const DAY = 86_400;
const URGENCIES: ReadonlySet<string> = new Set(["very-low", "low", "normal", "high"]);
const CREATED = 201;
const PATIENCE = 15_000;

/** A push as the service saw it, and what the browser makes of it. */
export interface ReceivedPush {
  /** Bytes of the body. */
  readonly size: number;
  readonly ttl: number;
  readonly urgency: string;
  readonly topic: string | null;
  /** Public key of the relay, base64url. */
  readonly vapid: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /** What the browser decrypts: JSON of `NotificationData`. */
  readonly text: string;
}

/** What a service answers in place of 201; `silent`: nothing, `broken`: it breaks the connection off. */
export type Reply =
  | "silent"
  | "broken"
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };

class PushRefused extends Error {
  override readonly name = "PushRefused";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** One subscription of a browser or a distributor: its end of Web Push, on a library that is not the relay's. */
export class PushSubscriber {
  readonly #receiver = createECDH("prime256v1");
  readonly #news = new EventEmitter();
  #taken = 0;
  readonly endpoint: string;
  /** 16 bytes. */
  readonly auth: Uint8Array = Uint8Array.from(randomBytes(16));
  /** Uncompressed point, 65 bytes. */
  readonly p256dh: Uint8Array;
  /** Whose pushes it takes (`applicationServerKey`, base64url without padding); null: anybody's. */
  readonly serverKey: string | null;
  readonly received: ReceivedPush[] = [];
  /** How the next requests are answered, one after the other, whatever they bring; then with 201 again. */
  readonly replies: Reply[] = [];
  /** It unsubscribed: pushes are answered with 410. */
  isGone = false;

  constructor(endpoint: string, serverKey: string | null) {
    this.endpoint = endpoint;
    this.serverKey = serverKey;
    this.p256dh = Uint8Array.from(this.#receiver.generateKeys());
  }

  /** For TNEW. */
  get token(): WebPushToken {
    return webPushToken(this.endpoint, this.auth, this.p256dh);
  }

  /** The next push that was not taken yet; waits for it. */
  async next(milliseconds = PATIENCE): Promise<ReceivedPush> {
    const signal = AbortSignal.timeout(milliseconds);
    for (;;) {
      const push = this.received[this.#taken];
      if (push) {
        this.#taken++;
        return push;
      }
      try {
        await once(this.#news, "push", { signal });
      } catch (cause) {
        throw new Error(`no push came within ${milliseconds} ms (${this.received.length} before)`, { cause });
      }
    }
  }

  /** @throws unless the body is aes128gcm for this subscription */
  open(body: Buffer): string {
    const parameters = { version: "aes128gcm", privateKey: this.#receiver, authSecret: Buffer.from(this.auth) } as const;
    return ece.decrypt(body, parameters).toString("utf8");
  }

  take(push: ReceivedPush): void {
    this.received.push(push);
    this.#news.emit("push");
  }
}

interface Vapid {
  readonly publicKey: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

const P256_POINT = 65;

function p256Key(text: string): ReturnType<typeof createPublicKey> {
  const point = Buffer.from(text, "base64url");
  if (point.length !== P256_POINT) throw new PushRefused(401, "the VAPID key is no point");
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString("base64url"));
  return createPublicKey({ key: { kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "" }, format: "jwk" });
}

/** RFC 8292: the header, its signature and what it claims. */
function readVapid(header: string | undefined, origin: string): Vapid {
  const match = /^vapid t=(?<jwt>[\w-]+\.[\w-]+\.[\w-]+), ?k=(?<key>[\w-]+)$/.exec(header ?? "");
  const { jwt = "", key = "" } = match?.groups ?? {};
  if (!match) throw new PushRefused(401, `no VAPID: ${header}`);
  const [head = "", body = "", signature = ""] = jwt.split(".");
  const publicKey = { key: p256Key(key), dsaEncoding: "ieee-p1363" } as const;
  const isSigned = verify("sha256", Buffer.from(`${head}.${body}`), publicKey, Buffer.from(signature, "base64url"));
  if (!isSigned) throw new PushRefused(403, "the VAPID token is not signed with its key");
  const read = (part: string): Record<string, unknown> => JSON.parse(Buffer.from(part, "base64url").toString("utf8")) as never;
  const claims = read(body);
  const { aud, exp, sub } = claims;
  const now = Date.now() / SECOND;
  if (read(head)["alg"] !== "ES256") throw new PushRefused(403, "the VAPID token is not ES256");
  if (aud !== origin) throw new PushRefused(403, `the VAPID token is for ${String(aud)}, not ${origin}`);
  if (typeof exp !== "number" || exp <= now || exp > now + DAY) throw new PushRefused(403, `the VAPID token ends at ${String(exp)}`);
  if (!/^(?:mailto|https):./.test(String(sub))) throw new PushRefused(403, `the VAPID token is of ${String(sub)}`);
  return { publicKey: key, claims };
}

/** A push service as browsers have it: HTTPS under an authority of its own, as strict as RFC 8030 lets it be. */
export class PushService {
  readonly #server: Server;
  readonly #subscribers = new Map<string, PushSubscriber>();
  readonly #authority: Authority;
  #made = 0;
  /** Why pushes were refused: of this service's own accord, not by a reply that a test ordered. */
  readonly refused: string[] = [];
  /** Requests that came, whatever became of them. */
  requests = 0;
  /** Those to which it was silent until they were given up. */
  abandoned = 0;
  /** TCP connections that came. */
  connections = 0;

  private constructor(authority: Authority) {
    this.#authority = authority;
    this.#server = createServer({ cert: authority.cert, key: authority.key }, (request, response) => {
      void this.#answer(request, response);
    });
    this.#server.on("connection", () => this.connections++);
  }

  static async start(port = 0): Promise<PushService> {
    const service = new PushService(new Authority());
    service.#server.listen(port, "127.0.0.1");
    await once(service.#server, "listening");
    return service;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `https://localhost:${this.port}`;
  }

  /** File of the authority's certificate, for `NODE_EXTRA_CA_CERTS`. */
  get caFile(): string {
    return this.#authority.file;
  }

  /** The same as PEM. */
  get ca(): string {
    return this.#authority.ca;
  }

  /** `serverKey`: what the browser passed to `pushManager.subscribe`. */
  subscribe(serverKey: string | null = null): PushSubscriber {
    const path = `/push/${++this.#made}-${randomBytes(12).toString("base64url")}`;
    const subscriber = new PushSubscriber(this.origin + path, serverKey);
    this.#subscribers.set(path, subscriber);
    return subscriber;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests++;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const subscriber = this.#subscribers.get(request.url ?? "");
    const reply = subscriber?.replies.shift();
    if (reply === "silent") return void response.on("close", () => this.abandoned++);
    if (reply === "broken") return void response.destroy();
    if (reply) return void response.writeHead(reply.status, reply.headers).end(reply.body);
    try {
      if (!subscriber) throw new PushRefused(404, `no subscription is at ${request.url}`);
      subscriber.take(this.#receive(subscriber, request, Buffer.concat(chunks)));
      response.writeHead(CREATED, { location: `${this.origin}/message/${this.requests}` }).end();
    } catch (error) {
      const status = error instanceof PushRefused ? error.status : 400;
      const why = error instanceof Error ? error.message : String(error);
      this.refused.push(`${status} ${why}`);
      response.writeHead(status, { "content-type": "text/plain" }).end(why);
    }
  }

  #receive(subscriber: PushSubscriber, { method, headers }: IncomingMessage, body: Buffer): ReceivedPush {
    if (subscriber.isGone) throw new PushRefused(410, "unsubscribed");
    if (method !== "POST") throw new PushRefused(405, `${method} pushes nothing`);
    const { ttl = "", urgency = "normal", topic = null } = headers as Record<string, string | undefined>;
    if (!/^\d+$/.test(ttl)) throw new PushRefused(400, `TTL is '${ttl}'`);
    if (!URGENCIES.has(urgency)) throw new PushRefused(400, `Urgency is '${urgency}'`);
    if (topic !== null && !/^[\w-]{1,32}$/.test(topic)) throw new PushRefused(400, `Topic is '${topic}'`);
    const encoding = headers["content-encoding"];
    if (encoding !== "aes128gcm") throw new PushRefused(415, `Content-Encoding is '${encoding}'`);
    if (body.length > LONGEST) throw new PushRefused(413, `${body.length} bytes`);
    const { publicKey, claims } = readVapid(headers.authorization, this.origin);
    if (subscriber.serverKey !== null && subscriber.serverKey !== publicKey) throw new PushRefused(403, "another server's key");
    return { size: body.length, ttl: Number(ttl), urgency, topic, vapid: publicKey, claims, text: subscriber.open(body) };
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
    await this.#authority.remove();
  }
}
