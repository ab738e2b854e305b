import type { Clock } from "../../../client/clock.ts";
import type { Store } from "../../../client/store/store.ts";
import type { SocketEvent, SocketFactory, SocketLike } from "../../../client/transport/socket.ts";

/** Where a program dies: just before or just after its write number `write`, counted from 1. */
export interface Death {
  readonly write: number;
  readonly when: "before" | "after";
}

/** A socket as the program has it. */
class MortalSocket implements SocketLike {
  readonly #socket: WebSocket;
  /** Nothing that comes is heard any more; what is sent still goes out. */
  isDeaf = false;
  /** Nothing comes and nothing goes. */
  isDead = false;

  constructor(url: string) {
    this.#socket = new WebSocket(url);
  }

  set binaryType(type: "arraybuffer") {
    this.#socket.binaryType = type;
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    if (!this.isDead) this.#socket.send(data);
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  addEventListener(type: string, listener: (event: SocketEvent) => void): void {
    this.#socket.addEventListener(type as keyof WebSocketEventMap, (event) => {
      if (!this.isDead && !(this.isDeaf && type === "message")) listener(event);
    });
  }
}

/** What a program waits for that was killed. */
function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}

/**
 * Everything that an agent has of the world outside: store, time and network. A kill takes all of it away at once, so
 * that the agent stays behind in memory and can do nothing more; what it wrote stays exactly as it was written.
 */
export class Mortal {
  readonly clock: Clock;
  readonly store: Store;
  readonly died: Promise<void>;
  writes = 0;
  readonly #death: Death | null;
  readonly #inner: Store;
  readonly #timers = new Set<() => void>();
  readonly #sockets = new Set<MortalSocket>();
  #isDead = false;
  #tellDeath: () => void = () => undefined;

  constructor(clock: Clock, store: Store, death: Death | null = null) {
    this.#inner = store;
    this.#death = death;
    this.died = new Promise((resolve) => (this.#tellDeath = resolve));
    this.clock = { now: () => clock.now(), random: () => clock.random(), after: (delay, action) => this.#after(clock, delay, action) };
    this.store = {
      read: (table, key) => this.#unlessDead(() => store.read(table, key)),
      list: (table, range) => this.#unlessDead(() => store.list(table, range)),
      keys: (table, range) => this.#unlessDead(() => store.keys(table, range)),
      write: (changes) => this.#write(changes),
      close: () => store.close(),
    };
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  readonly openSocket: SocketFactory = (url) => {
    if (this.#isDead) throw new Error("this program was killed");
    const socket = new MortalSocket(url);
    this.#sockets.add(socket);
    socket.addEventListener("close", () => this.#sockets.delete(socket));
    return socket;
  };

  /** From now on the connections that there are bring nothing any more. What is sent still goes out. */
  deafen(): void {
    for (const socket of this.#sockets) socket.isDeaf = true;
  }

  /** Ends the connections that there are. */
  cut(): void {
    for (const socket of this.#sockets) socket.close();
  }

  /** Ends the program as SIGKILL does. */
  kill(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    for (const cancel of this.#timers) cancel();
    for (const socket of this.#sockets) socket.isDead = true;
    this.cut();
    void this.#inner.close();
    this.#tellDeath();
  }

  async #unlessDead<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isDead) return never();
    const result = await work();
    return this.#isDead ? never() : result;
  }

  async #write(changes: Parameters<Store["write"]>[0]): Promise<void> {
    if (this.#isDead) return never();
    const isLast = ++this.writes === this.#death?.write;
    if (isLast && this.#death?.when === "before") {
      this.kill();
      return never();
    }
    const writing = this.#inner.write(changes);
    await writing;
    if (isLast) this.kill();
    return this.#isDead ? never() : undefined;
  }

  #after(clock: Clock, delay: number, action: () => void): () => void {
    if (this.#isDead) return () => undefined;
    const cancel = clock.after(delay, () => {
      this.#timers.delete(cancel);
      action();
    });
    this.#timers.add(cancel);
    return () => {
      this.#timers.delete(cancel);
      cancel();
    };
  }
}
