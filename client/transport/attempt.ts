import { CryptoError } from "#crypto/errors";
import { randomBytes } from "#crypto/random";
import type { Server } from "#protocol/address";
import { DecodeError } from "#protocol/codec";
import { BLOCK_SIZE, CHALLENGE_LENGTH } from "#protocol/limits";
import { type Clock, systemClock } from "../clock.ts";
import { ConnectError, UsageError } from "../errors.ts";
import { BlockSocket, openWebSocket, type SocketFactory } from "./socket.ts";
import { connectUrl, isLoopback } from "./url.ts";

/** Whom to connect to, and how. */
export interface AttemptOptions {
  /** The relay and its identity, as its address names them. */
  readonly server: Server;
  /** Where to connect if not to the server's first host: `wss://` or `ws://`. Its query is replaced. */
  readonly url?: string | undefined;
  /** Milliseconds for the socket and the handshake together: 15,000 unless given. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly openSocket?: SocketFactory | undefined;
  readonly clock?: Clock | undefined;
}

/** What is spoken there. */
export interface Spoken {
  /** In messages: "this is no ...". */
  readonly name: string;
  /** Of every message, in bytes. */
  readonly blockSize: number;
  /** Below the URL of the relay; empty: that itself. */
  readonly path: string;
}

export const SMP: Spoken = { name: "SMP relay", blockSize: BLOCK_SIZE, path: "" };

/** What one attempt to connect knows. */
export interface Attempt {
  readonly server: Server;
  readonly spoken: Spoken;
  readonly socket: BlockSocket;
  /** What the other end has to sign, 32 bytes. */
  readonly challenge: Uint8Array;
  readonly host: string;
  /** Whether nobody between the two ends can read along. */
  readonly isPrivate: boolean;
  readonly clock: Clock;
}

const CONNECT_TIMEOUT = 15_000;

/**
 * Opens a socket and does the handshake on it; without success the socket is closed.
 * @throws ConnectError, UsageError
 */
export async function attempt<T>(
  options: AttemptOptions,
  spoken: Spoken,
  handshake: (under: Attempt) => Promise<T>,
): Promise<T> {
  const { server, signal, clock = systemClock } = options;
  const challenge = randomBytes(CHALLENGE_LENGTH);
  const url = connectUrl(server, options.url, challenge, spoken.path);
  if (signal?.aborted) throw aborted(url.host, signal);
  const socket = new BlockSocket(open(options.openSocket ?? openWebSocket, url), clock, spoken.blockSize);
  const isPrivate = url.protocol === "wss:" || isLoopback(url.hostname);
  const under = { server, spoken, socket, challenge, host: url.host, isPrivate, clock };
  try {
    return await inTime(options, under, handshake(under));
  } catch (error) {
    socket.close();
    throw error;
  }
}

function open(openSocket: SocketFactory, url: URL): ReturnType<SocketFactory> {
  try {
    return openSocket(url.href);
  } catch (cause) {
    const what = `this platform opens no socket to ${url.host}; pages loaded over https may only use wss://`;
    throw new UsageError(what, { cause });
  }
}

function aborted(host: string, signal: AbortSignal): ConnectError {
  return new ConnectError(host, "aborted", "connecting was given up", { cause: signal.reason });
}

function inTime<T>(
  { signal, timeout = CONNECT_TIMEOUT }: AttemptOptions,
  { host, clock }: Attempt,
  work: Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      if (signal) reject(aborted(host, signal));
    };
    const cancel = clock.after(timeout, () => {
      const what = `no handshake within ${timeout} ms; check the network and try again`;
      reject(new ConnectError(host, "timeout", what));
    });
    signal?.addEventListener("abort", onAbort);
    work.then(resolve, reject).finally(() => {
      cancel();
      signal?.removeEventListener("abort", onAbort);
    });
  });
}

/** The next block of the handshake. @throws ConnectError: `failure` when the other end closed instead */
export async function nextBlock(
  { socket, host, spoken }: Attempt,
  failure: "unreachable" | "refused",
): Promise<Uint8Array> {
  const { value } = await socket.blocks.next();
  if (value) return value;
  const { code, reason, violation } = await socket.closed;
  if (violation !== null) throw new ConnectError(host, "malformed", `${violation}; this is no ${spoken.name}`);
  const detail = `close code ${code}${reason === "" ? "" : `, ${reason}`}`;
  if (failure === "refused") throw new ConnectError(host, failure, `the relay ended the handshake (${detail})`);
  throw new ConnectError(host, failure, `no relay answers there (${detail}); check the address and the network`);
}

/** The first block. @throws ConnectError */
export async function firstBlock<H>(under: Attempt, read: (block: Uint8Array) => H): Promise<H> {
  const { socket, host, spoken } = under;
  await Promise.race([socket.opened, socket.closed]);
  const block = await nextBlock(under, "unreachable");
  try {
    return read(block);
  } catch (cause) {
    if (!(cause instanceof DecodeError || cause instanceof CryptoError)) throw cause;
    throw new ConnectError(host, "malformed", `the relay's hello cannot be read; this is no ${spoken.name}`, { cause });
  }
}
