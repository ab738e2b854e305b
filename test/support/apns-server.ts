import { generateKeyPairSync, type KeyObject, randomBytes, verify } from "node:crypto";
import { EventEmitter, once } from "node:events";
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { ApnsToken } from "#protocol/ntf/token";
import { Authority } from "./authority.ts";

const LONGEST = 4_096;
const SECOND = 1_000;
const HOUR = 3_600;
const PATIENCE = 15_000;
const KEY_ID = "ABC123DEFG";
const TEAM_ID = "DEF123GHIJ";
const TOPIC = "org.example.chat";
const TYPES: ReadonlySet<string> = new Set(["alert", "background"]);

export interface ReceivedNotification {
  readonly type: "alert" | "background";
  readonly priority: number;
  readonly size: number;
  readonly aps: Readonly<Record<string, unknown>>;
  /** `NotificationData`. */
  readonly notificationData: unknown;
}

/**
 * What is done with a request in place of taking it: an answer of Apple's; `silent`: none; `refused`: its stream is
 * refused; `goaway`: the session ends, this stream is not begun; `broken`: all connections break off.
 */
export type ApnsReply =
  | "silent"
  | "refused"
  | "goaway"
  | "broken"
  | { readonly status: number; readonly reason: string; readonly headers?: Readonly<Record<string, string>> };

class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, why: string) {
    super(why);
    this.status = status;
    this.reason = reason;
  }
}

/** A phone with the operator's app. */
export class ApnsDevice {
  readonly #news = new EventEmitter();
  #taken = 0;
  /** 64 hexadecimal digits. */
  readonly token: string = randomBytes(32).toString("hex");
  readonly received: ReceivedNotification[] = [];
  /** What is done with the next requests, one after the other; then they are taken again. */
  readonly replies: ApnsReply[] = [];

  /** For TNEW: of the environment that an operator can direct elsewhere. */
  get deviceToken(): ApnsToken {
    return { provider: "apns_test", token: this.token };
  }

  /** The next notification that was not taken yet; waits for it. */
  async next(milliseconds = PATIENCE): Promise<ReceivedNotification> {
    const signal = AbortSignal.timeout(milliseconds);
    while (this.received.length <= this.#taken) await once(this.#news, "notification", { signal });
    return this.received[this.#taken++] as ReceivedNotification;
  }

  take(notification: ReceivedNotification): void {
    this.received.push(notification);
    this.#news.emit("notification");
  }
}

async function readBody(stream: ServerHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Apple's push service: HTTP/2 and nothing else, under an authority of its own, with the checks that Apple documents. */
export class ApnsServer {
  readonly #authority = new Authority();
  readonly #server: Http2SecureServer;
  readonly #devices = new Map<string, ApnsDevice>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Socket>();
  readonly #publicKey: KeyObject;
  readonly topic = TOPIC;
  readonly keyId = KEY_ID;
  readonly teamId = TEAM_ID;
  /** The operator's `.p8` file. */
  readonly privateKey: string;
  /** Why requests were refused, of the server's own accord. */
  readonly refused: string[] = [];
  /** Sessions that were opened in all, and streams. */
  sessions = 0;
  requests = 0;
  /** Most streams that were open at once. */
  mostAtOnce = 0;
  /** Milliseconds before a request is answered. */
  delay = 0;
  #atOnce = 0;

  readonly #streams: number;
  readonly #admitted = new WeakSet<Http2Session>();

  /** `streams`: SETTINGS_MAX_CONCURRENT_STREAMS of a session that has shown a valid token; before, it is 1. */
  private constructor(streams: number) {
    this.#streams = streams;
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.privateKey = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    this.#publicKey = publicKey;
    const { cert, key } = this.#authority;
    this.#server = createSecureServer({ cert, key, settings: { maxConcurrentStreams: 1 } });
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    this.#server.on("session", (session) => {
      this.sessions++;
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
      session.on("error", () => undefined);
    });
    this.#server.on("stream", (stream, headers) => void this.#take(stream, headers));
  }

  static async start(streams = 1_000): Promise<ApnsServer> {
    const server = new ApnsServer(streams);
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  /** For `APNS_TEST_ORIGIN`. */
  get origin(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  get caFile(): string {
    return this.#authority.file;
  }

  get ca(): string {
    return this.#authority.ca;
  }

  /** Settings of a relay that pushes here. */
  get settings(): Record<string, string> {
    return {
      APNS_TOPIC: this.topic,
      APNS_TEAM_ID: this.teamId,
      APNS_KEY_ID: this.keyId,
      APNS_PRIVATE_KEY: this.privateKey,
      APNS_TEST_ORIGIN: this.origin,
    };
  }

  device(): ApnsDevice {
    const device = new ApnsDevice();
    this.#devices.set(device.token, device);
    return device;
  }

  async #take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    stream.on("error", () => undefined);
    this.requests++;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    stream.on("close", () => this.#atOnce--);
    const device = this.#devices.get(text(headers[":path"]).replace("/3/device/", ""));
    const reply = device?.replies.shift();
    if (reply === "silent") return;
    if (reply === "refused") return stream.close(constants.NGHTTP2_REFUSED_STREAM);
    if (reply === "goaway") return this.#endSession(stream);
    if (reply === "broken") return this.#breakOff();
    const body = await readBody(stream);
    await pause(this.delay);
    if (reply) return this.#refuse(stream, reply.status, reply.reason, reply.headers);
    try {
      const notification = this.#read(headers, body);
      this.#admit(stream.session);
      if (!device) throw new Refused(400, "BadDeviceToken", `no device is at ${headers[":path"]}`);
      device.take(notification);
      stream.respond({ ":status": 200, "apns-id": randomBytes(16).toString("hex") });
      stream.end();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.refused.push(`${error.status} ${error.reason}: ${error.message}`);
      this.#refuse(stream, error.status, error.reason);
    }
  }

  #admit(session: Http2Session | undefined): void {
    if (!session || this.#admitted.has(session)) return;
    this.#admitted.add(session);
    session.settings({ maxConcurrentStreams: this.#streams });
  }

  #breakOff(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #endSession(stream: ServerHttp2Stream): void {
    const { session, id = 1 } = stream;
    session?.goaway(constants.NGHTTP2_NO_ERROR, Math.max(0, id - 2), Buffer.from('{"reason":"Shutdown"}'));
    stream.close(constants.NGHTTP2_REFUSED_STREAM);
    session?.close();
  }

  #refuse(stream: ServerHttp2Stream, status: number, reason: string, headers: Readonly<Record<string, string>> = {}): void {
    if (stream.destroyed) return;
    stream.respond({ ":status": status, "content-type": "application/json", ...headers });
    stream.end(JSON.stringify({ reason }));
  }

  #read(headers: IncomingHttpHeaders, body: Buffer): ReceivedNotification {
    const path = text(headers[":path"]);
    if (headers[":method"] !== "POST") throw new Refused(405, "MethodNotAllowed", text(headers[":method"]));
    if (!/^\/3\/device\/[0-9a-f]{64,}$/.test(path)) throw new Refused(404, "BadPath", path);
    this.#checkJwt(text(headers["authorization"]));
    const topic = headers["apns-topic"];
    if (topic !== this.topic) throw new Refused(400, topic ? "TopicDisallowed" : "MissingTopic", String(topic));
    const type = text(headers["apns-push-type"]);
    if (!TYPES.has(type)) throw new Refused(400, "InvalidPushType", type);
    const priority = Number(headers["apns-priority"] ?? 10);
    const isFitting = type === "background" ? priority === 5 : priority === 10;
    if (!isFitting) throw new Refused(400, "BadPriority", `${priority} of a push of type ${type}`);
    if (body.length > LONGEST) throw new Refused(413, "PayloadTooLarge", `${body.length} bytes`);
    const { aps, notificationData, ...more } = JSON.parse(body.toString("utf8")) as Record<string, unknown>;
    const isShaped = typeof aps === "object" && aps !== null && Object.keys(more).length === 0;
    if (!isShaped) throw new Refused(400, "PayloadEmpty", body.toString("utf8"));
    const isAlert = "alert" in aps && "mutable-content" in aps;
    const isBackground = "content-available" in aps && !("alert" in aps);
    if (!(type === "alert" ? isAlert : isBackground)) throw new Refused(400, "InvalidPushType", JSON.stringify(aps));
    return { type: type as "alert" | "background", priority, size: body.length, aps: { ...aps }, notificationData };
  }

  #checkJwt(header: string): void {
    const [head = "", claims = "", signature = ""] = header.replace("bearer ", "").split(".");
    if (!/^bearer [\w-]+\.[\w-]+\.[\w-]+$/.test(header)) throw new Refused(403, "MissingProviderToken", header);
    const read = (part: string): Record<string, unknown> => JSON.parse(Buffer.from(part, "base64url").toString("utf8")) as never;
    const { alg, kid } = read(head);
    const { iss, iat } = read(claims);
    // Raw r and s (RFC 7518); Apple is said to take DER as well, which this server does not.
    const key = { key: this.#publicKey, dsaEncoding: "ieee-p1363" } as const;
    const isSigned = verify("sha256", Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, "base64url"));
    const isOurs = isSigned && alg === "ES256" && kid === this.keyId && iss === this.teamId && typeof iat === "number";
    if (!isOurs) throw new Refused(403, "InvalidProviderToken", `${alg} ${kid} ${iss} signed: ${isSigned}`);
    const age = Date.now() / SECOND - iat;
    if (age > HOUR || age < -60) throw new Refused(403, "ExpiredProviderToken", `${age} s old`);
  }

  /** Ends all sessions as a server does that is restarted. */
  endSessions(): void {
    for (const session of this.#sessions) session.close();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const session of this.#sessions) session.destroy();
    await closed;
    await this.#authority.remove();
  }
}
