import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from "node:http2";
import { isIPv6, type LookupFunction } from "node:net";
import { CONNECT_TIME } from "./http1.ts";
import { Line } from "./line.ts";
import { type Post, type PostAnswer, PostFailed, readAnswer } from "./post.ts";

/** Streams at once, where the host allows more. */
const MAX_STREAMS = 100;
const MAX_WAITING = 256;
/** Milliseconds of silence after which a session is asked whether it still lives, and for its answer. */
const SILENCE = 60_000;
const PONG_TIME = 5_000;
/** Milliseconds without a push after which the session is closed. Apple wants it to stay open for long. */
const IDLE = 3_600_000;
/** What `:path` and its kin replace. */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set(["content-length"]);

/** The session ended, or refused the stream, before the host had begun with it: it can be sent again. */
class NotProcessed extends Error {
  override readonly name = "NotProcessed";
}

/** A session, and what is known of it. */
class Session {
  readonly #session: ClientHttp2Session;
  /** Resolves once the host has said how many streams it takes. */
  readonly opened: Promise<void>;
  #heardAt = performance.now();
  #streams = 0;
  #isUsed = false;
  #isOver = false;
  /** The last stream that the host deals with; null until it says goodbye. */
  #last: number | null = null;
  #why: Error | null = null;

  constructor(origin: string, lookup: LookupFunction, onOver: () => void) {
    // The type of its options lacks those of tls.connect that come with them.
    const options = { lookup, rejectUnauthorized: true, settings: { enablePush: false } };
    const session = connect(origin, options);
    this.#session = session;
    const over = (): void => {
      if (this.#isOver) return;
      this.#isOver = true;
      onOver();
    };
    session.on("error", (error: Error) => (this.#why = error));
    session.on("goaway", (code, last, data?: Buffer) => {
      this.#last = last;
      this.#why ??= new PostFailed(`the host ended the session (${code} ${data?.toString("latin1", 0, 100) ?? ""})`);
      over();
    });
    session.on("close", over);
    session.setTimeout(IDLE, () => session.close());
    this.opened = this.#open();
  }

  async #open(): Promise<void> {
    const session = this.#session;
    const late = setTimeout(() => session.destroy(new PostFailed("no connection in time")), CONNECT_TIME);
    try {
      // With what a session that closed before it opened says in place of nothing.
      await Promise.race([
        once(session, "remoteSettings"),
        once(session, "close").then(() => Promise.reject(this.#why ?? new PostFailed("the host hung up"))),
      ]);
      this.#heardAt = performance.now();
      this.#rest();
    } finally {
      clearTimeout(late);
    }
  }

  /** It takes no more streams. */
  get isOver(): boolean {
    return this.#isOver || this.#session.closed || this.#session.destroyed;
  }

  get limit(): number {
    return Math.min(MAX_STREAMS, this.#session.remoteSettings.maxConcurrentStreams ?? MAX_STREAMS);
  }

  /** A process that has nothing else to do may end. */
  #rest(): void {
    if (this.#streams === 0 && !this.#session.destroyed) this.#session.unref();
  }

  /** Whether it answers; one that was heard lately is not asked. A dead one is closed. */
  async lives(): Promise<boolean> {
    if (this.isOver) return false;
    if (performance.now() - this.#heardAt < SILENCE) return true;
    const session = this.#session;
    const isAlive = await new Promise<boolean>((resolve) => {
      const late = setTimeout(() => resolve(false), PONG_TIME);
      const isAsked = session.ping((error: Error | null) => {
        clearTimeout(late);
        resolve(error === null);
      });
      if (!isAsked) resolve(false);
    });
    if (isAlive) this.#heardAt = performance.now();
    else session.destroy();
    return isAlive;
  }

  async post({ path, headers, body }: Post, signal: AbortSignal): Promise<PostAnswer> {
    const session = this.#session;
    if (this.isOver) throw new NotProcessed("the session is over");
    const wasUsed = this.#isUsed;
    this.#isUsed = true;
    this.#streams++;
    session.ref();
    const kept = Object.entries(headers).filter(([name]) => !CONNECTION_HEADERS.has(name));
    const stream = session.request({ ...Object.fromEntries(kept), ":method": "POST", ":path": path }, { signal });
    try {
      stream.end(body);
      const answer = await this.#answer(stream);
      this.#heardAt = performance.now();
      return answer;
    } catch (error) {
      // Perhaps nobody is there any more: whoever comes next asks first.
      this.#heardAt = Number.NEGATIVE_INFINITY;
      if (!signal.aborted && this.#isUnprocessed(stream, wasUsed)) throw new NotProcessed("the stream was not begun", { cause: error });
      throw error;
    } finally {
      this.#streams--;
      this.#rest();
    }
  }

  async #answer(stream: ClientHttp2Stream): Promise<PostAnswer> {
    stream.on("error", () => undefined);
    const closed = once(stream, "close").then(() => Promise.reject(this.#why ?? new PostFailed("the stream was closed")));
    const [headers] = await Promise.race([once(stream, "response"), closed]) as [IncomingHttpHeaders & { ":status"?: number }];
    // From here on the body tells how it ends.
    closed.catch(() => undefined);
    return await readAnswer(headers[":status"] ?? 0, headers, stream);
  }

  #isUnprocessed(stream: ClientHttp2Stream, wasUsed: boolean): boolean {
    if (stream.sentHeaders === undefined || stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) return true;
    if (this.#last !== null) return stream.id === undefined || stream.id > this.#last;
    // A session that was kept and is gone now was most likely gone before.
    return wasUsed && this.isOver;
  }
}

/** What others wait for too goes on when one of them gives up. @throws the signal's reason */
async function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const given = once(signal, "abort", { signal: over.signal }).then(() => Promise.reject(signal.reason as Error));
  given.catch(() => undefined);
  try {
    signal.throwIfAborted();
    return await Promise.race([work, given]);
  } finally {
    over.abort();
  }
}

/** One host that speaks HTTP/2: a session is kept, and opened anew when it has ended. */
export class Http2Host {
  readonly #origin: string;
  readonly #lookup: LookupFunction;
  readonly #line: Line;
  #session: Session | null = null;

  constructor(host: string, port: number, lookup: LookupFunction) {
    this.#origin = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
    this.#lookup = lookup;
    // How many streams a host takes is known when there is a session.
    this.#line = new Line(() => (this.#session && !this.#session.isOver ? this.#session.limit : 1), MAX_WAITING);
  }

  /** @throws PostFailed and what went wrong on the way */
  post(post: Post, signal: AbortSignal): Promise<PostAnswer> {
    return this.#line.run(async () => {
      try {
        return await (await until(signal, this.#open())).post(post, signal);
      } catch (error) {
        if (!(error instanceof NotProcessed)) throw error;
        return await (await until(signal, this.#open())).post(post, signal);
      }
    }, signal);
  }

  async #open(): Promise<Session> {
    const known = this.#session;
    if (known) {
      await known.opened;
      if (await known.lives()) return known;
    }
    // Somebody else may have been quicker.
    if (this.#session && this.#session !== known && !this.#session.isOver) return await this.#opened(this.#session);
    const session = new Session(this.#origin, this.#lookup, () => {
      if (this.#session === session) this.#session = null;
    });
    this.#session = session;
    return await this.#opened(session);
  }

  async #opened(session: Session): Promise<Session> {
    await session.opened;
    this.#line.wake();
    return session;
  }
}
