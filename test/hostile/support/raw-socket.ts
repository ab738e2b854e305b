import { once } from "node:events";
import { connect, type Socket as TcpSocket } from "node:net";
import { concat, EMPTY, utf8 } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import type { Socket } from "../../support/wire-client.ts";

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A frame of RFC 6455, as right or wrong as a test wants it. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Uint8Array;
  /** False: more fragments follow. */
  readonly fin?: boolean;
  /** The three reserved bits. */
  readonly reserved?: number;
  readonly masked?: boolean;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

type Listener = (event: { data?: unknown; code?: number; reason?: string }) => void;

const NO_CODE = 1005;
/** The connection ended without a close frame. */
export const ABNORMAL = 1006;

function lengthField(length: number, mask: number): Uint8Array {
  if (length < 126) return Uint8Array.of(length | mask);
  if (length < 65_536) return Uint8Array.of(126 | mask, length >> 8, length & 0xff);
  const bytes = new Uint8Array(9);
  bytes[0] = 127 | mask;
  new DataView(bytes.buffer).setUint32(5, length);
  return bytes;
}

export function encodeFrame({ opcode, payload, fin = true, reserved = 0, masked = true }: Frame): Uint8Array {
  const first = Uint8Array.of((fin ? 0x80 : 0) | reserved << 4 | opcode);
  if (!masked) return concat(first, lengthField(payload.length, 0), payload);
  const mask = randomBytes(4);
  return concat(first, lengthField(payload.length, 0x80), mask, payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0)));
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: Uint8Array = EMPTY): Uint8Array {
  return concat(Uint8Array.of(code >> 8, code & 0xff), reason);
}

/** A WebSocket on bare TCP: sends frames that no proper client would, and can stop reading. */
export class RawSocket implements Socket {
  readonly tcp: TcpSocket;
  /** Of the answer to the upgrade, names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly closed: Promise<Closed>;
  readonly #listeners = new Map<string, Listener[]>();
  readonly #early: ArrayBuffer[] = [];
  #received: Uint8Array = EMPTY;
  #fragments: Uint8Array[] = [];
  #close: (closed: Closed) => void = () => undefined;

  private constructor(tcp: TcpSocket, headers: ReadonlyMap<string, string>, rest: Uint8Array) {
    this.tcp = tcp;
    this.headers = headers;
    this.closed = new Promise((resolve) => (this.#close = resolve));
    void this.closed.then((closed) => this.#emit("close", closed));
    tcp.on("data", (data: Buffer) => this.#take(data));
    tcp.on("error", () => undefined);
    tcp.on("close", () => this.#close({ code: ABNORMAL, reason: "" }));
    this.#take(rest);
  }

  static async open(url: string, query = "", headers: readonly string[] = []): Promise<RawSocket> {
    const { hostname, port, pathname } = new URL(url);
    const tcp = connect(Number(port), hostname);
    await once(tcp, "connect");
    tcp.setNoDelay(true);
    tcp.write([
      `GET ${pathname}${query} HTTP/1.1`,
      `Host: ${hostname}:${port}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${Buffer.from(randomBytes(16)).toString("base64")}`,
      ...headers,
      "\r\n",
    ].join("\r\n"));
    let head: Buffer = Buffer.alloc(0);
    while (head.indexOf("\r\n\r\n") < 0) {
      const [data] = await once(tcp, "data") as [Buffer];
      head = Buffer.concat([head, data]);
    }
    const end = head.indexOf("\r\n\r\n");
    const [status = "", ...lines] = head.subarray(0, end).toString("latin1").split("\r\n");
    if (!status.includes(" 101")) throw new Error(`no upgrade: ${status}`);
    const pairs = lines.map((line) => [line.split(":", 1)[0]?.toLowerCase() ?? "", line.replace(/^[^:]*:\s*/, "")] as const);
    return new RawSocket(tcp, new Map(pairs), head.subarray(end + 4));
  }

  #emit(type: string, event: Parameters<Listener>[0]): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...this.#listeners.get(type) ?? [], listener]);
    if (type === "message") for (const data of this.#early.splice(0)) listener({ data });
  }

  #take(data: Uint8Array): void {
    this.#received = this.#received.length === 0 ? data : concat(this.#received, data);
    for (;;) {
      const [first = 0, second = 0] = this.#received;
      const extra = second === 127 ? 8 : second === 126 ? 2 : 0;
      if (this.#received.length < 2 + extra) return;
      const length = extra === 0
        ? second
        : this.#received.subarray(2, 2 + extra).reduce((sum, byte) => sum * 256 + byte, 0);
      const end = 2 + extra + length;
      if (this.#received.length < end) return;
      const payload = this.#received.slice(2 + extra, end);
      this.#received = this.#received.slice(end);
      this.#frame(first & 0x0f, (first & 0x80) !== 0, payload);
    }
  }

  #frame(opcode: number, fin: boolean, payload: Uint8Array): void {
    if (opcode === OPCODE.close) {
      const [high, low] = payload;
      const code = high === undefined || low === undefined ? NO_CODE : high << 8 | low;
      this.#close({ code, reason: Buffer.from(payload.subarray(2)).toString() });
      this.tcp.end(encodeFrame({ opcode: OPCODE.close, payload: payload.subarray(0, 2) }));
    } else if (opcode === OPCODE.pong) {
      this.#emit("pong", { data: payload });
    } else if (opcode <= OPCODE.binary) {
      this.#fragments.push(payload);
      if (!fin) return;
      const data = concat(...this.#fragments.splice(0)).buffer as ArrayBuffer;
      if (this.#listeners.has("message")) this.#emit("message", { data });
      else this.#early.push(data);
    }
  }

  frame(frame: Frame): void {
    this.tcp.write(encodeFrame(frame));
  }

  bytes(data: Uint8Array): void {
    this.tcp.write(data);
  }

  send(data: Uint8Array | string): void {
    const isText = typeof data === "string";
    this.frame({ opcode: isText ? OPCODE.text : OPCODE.binary, payload: isText ? utf8(data) : data });
  }

  close(code = 1000, reason = ""): void {
    this.frame({ opcode: OPCODE.close, payload: closePayload(code, utf8(reason)) });
  }

  /** Stops taking anything from the network, so that what the relay sends waits there. */
  stopReading(): void {
    this.tcp.pause();
  }

  goOnReading(): void {
    this.tcp.resume();
  }

  /** Ends the connection without a word. */
  drop(): void {
    this.tcp.destroy();
  }
}
