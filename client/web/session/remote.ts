import { ChatError } from "../../chat/errors.ts";
import type { ChatHappening } from "../../chat/events.ts";
import type { OutgoingFile } from "../../chat/files.ts";
import { SessionError, type SessionStatus } from "./api.ts";
import { fromPlain } from "./errors.ts";
import { fromPlainHappening } from "./happenings.ts";
import { CHANNEL, type FromLeader, type LeaderState, type Message, type PageBuild } from "./protocol.ts";
import { isSafe } from "./safe-calls.ts";

interface Pending {
  readonly id: number;
  readonly facade: string;
  readonly method: string;
  readonly args: readonly unknown[];
  /** The leader that was asked; null: none yet. */
  leader: string | null;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** For how long the latest leader counts although it says nothing, in milliseconds. */
const SILENCE = 30_000;

/** A file beyond this is refused without being read: no conversation takes it. Bytes. */
const MAX_READ = 2 ** 26;

/** Functions do not go to other threads: what they give goes in their place. */
async function withoutFunctions(args: readonly unknown[]): Promise<unknown[]> {
  return Promise.all(args.map(async (one) => {
    const file = (one as { readonly file?: OutgoingFile } | undefined)?.file;
    if (typeof file?.bytes !== "function") return one;
    if (file.size > MAX_READ) throw new ChatError("LARGE", `'${file.name}' is too large to be sent`);
    return { ...(one as object), file: { name: file.name, size: file.size, bytes: await file.bytes() } };
  }));
}

/** Whoever has the chat, as seen from a page. */
export class Remote {
  readonly id = crypto.randomUUID();
  readonly #channel = new BroadcastChannel(CHANNEL);
  readonly #pending = new Map<number, Pending>();
  readonly #happened = new Set<(happening: ChatHappening) => void>();
  readonly #changed = new Set<() => void>();
  readonly #learned: (passphrase: string | null) => void;
  #leader: string | null = null;
  #build: PageBuild | null = null;
  #state: LeaderState | null = null;
  #generation = 0;
  #calls = 0;
  /** Why it was closed. */
  #end: SessionError | null = null;
  /** When the leader gave its last sign of life, by the clock of the page. */
  heardAt = 0;

  /** @param learned what opens the profile was told, or is to be forgotten */
  constructor(learned: (passphrase: string | null) => void) {
    this.#learned = learned;
    this.#channel.addEventListener("message", ({ data }: MessageEvent<Message>) => this.#take(data as FromLeader));
    this.ask();
    this.inherit();
  }

  get leader(): string | null {
    return this.#leader;
  }

  /** Of the page that the leader belongs to. */
  get build(): PageBuild | null {
    return this.#build;
  }

  /** Whether it was closed. */
  get isClosed(): boolean {
    return this.#end !== null;
  }

  get state(): LeaderState | null {
    return this.#state;
  }

  get generation(): number {
    return this.#generation;
  }

  get phase(): SessionStatus["phase"] {
    return this.#state?.phase ?? "opening";
  }

  ask(): void {
    this.#post({ type: "ask" });
  }

  /** Asks for what opens the profile. */
  inherit(): void {
    this.#post({ type: "heir", from: this.id });
  }

  /** Events were missed, as while the page was frozen. */
  missed(): void {
    this.#generation++;
    this.#tellChange();
    this.ask();
  }

  onHappening(listener: (happening: ChatHappening) => void): () => void {
    this.#happened.add(listener);
    return () => void this.#happened.delete(listener);
  }

  onChange(listener: () => void): () => void {
    this.#changed.add(listener);
    return () => void this.#changed.delete(listener);
  }

  /** @throws what the method throws; SessionError */
  async call(facade: string, method: string, args: readonly unknown[]): Promise<unknown> {
    const ready = await withoutFunctions(args);
    if (this.#end) throw this.#end;
    return new Promise((resolve, reject) => {
      const id = ++this.#calls;
      const pending = { id, facade, method, args: ready, leader: null, resolve, reject };
      this.#pending.set(id, pending);
      this.#send(pending);
    });
  }

  /** Says and hears nothing any more. All calls fail with the reason. */
  close(reason = new SessionError("CLOSED", "the page was closed")): void {
    this.#end = reason;
    this.#channel.close();
    this.#leader = null;
    this.#state = null;
    this.#refuseAll(reason);
    this.#tellChange();
  }

  #post(message: Message): void {
    if (!this.#end) this.#channel.postMessage(message);
  }

  /** Sends a call to the leader if there is one that can take it; otherwise it waits. */
  #send(pending: Pending): void {
    const { id, facade, method, args } = pending;
    const leader = this.#leader;
    if (leader === null) return;
    if (facade !== "session") {
      if (this.phase === "opening") return;
      if (this.phase !== "open") return this.#refuse(pending, this.#closed());
    }
    pending.leader = leader;
    try {
      this.#post({ type: "call", from: this.id, leader, id, facade, method, args });
    } catch (cause) {
      this.#refuse(pending, new TypeError(`${facade}.${method} was called with what cannot be sent`, { cause }));
    }
  }

  #closed(): SessionError {
    return new SessionError("CLOSED", this.phase === "locked" ? "the profile is locked" : "the profile is closed");
  }

  #refuse({ id, reject }: Pending, error: Error): void {
    this.#pending.delete(id);
    reject(error);
  }

  #refuseAll(error: Error): void {
    for (const pending of this.#pending.values()) this.#refuse(pending, error);
  }

  #take(message: FromLeader): void {
    if (message.type === "state") return this.#follow(message);
    if (message.type === "happening") return this.#hear(message);
    if (message.type === "secret" && (message.to === null || message.to === this.id)) this.#learned(message.passphrase);
    if (message.type !== "result" && message.type !== "failure") return;
    const pending = message.to === this.id ? this.#pending.get(message.id) : undefined;
    // One that was replaced may still answer what another one is doing again.
    if (!pending || pending.leader !== message.leader) return;
    this.heardAt = performance.now();
    this.#pending.delete(message.id);
    if (message.type === "result") pending.resolve(message.value);
    else pending.reject(fromPlain(message.error));
  }

  #hear(message: Extract<FromLeader, { readonly type: "happening" }>): void {
    // What a leader that was replaced still says is of no use.
    if (message.leader !== this.#leader) return;
    this.heardAt = performance.now();
    const happening = fromPlainHappening(message);
    for (const listener of this.#happened) listener(happening);
  }

  #follow({ leader, version, begunAt, state }: Extract<FromLeader, { readonly type: "state" }>): void {
    // One that was replaced while it was frozen wakes up and answers what it was asked long ago.
    if (this.#leader !== null && leader < this.#leader && performance.now() - this.heardAt < SILENCE) return;
    this.heardAt = performance.now();
    const isNew = leader !== this.#leader;
    const wasOpen = this.phase === "open";
    this.#leader = leader;
    this.#build = { version, begunAt };
    this.#state = state;
    if (isNew) this.#interrupt(leader);
    // What happened between the leaders, or while the profile was closed, nobody told.
    if (isNew || (state.phase === "open" && !wasOpen)) this.#generation++;
    for (const pending of this.#pending.values()) {
      if (pending.leader === null) this.#send(pending);
    }
    this.#tellChange();
  }

  /** Another one leads now: what the one before was doing is repeated where that does no harm. */
  #interrupt(leader: string): void {
    for (const pending of this.#pending.values()) {
      if (pending.leader === null || pending.leader === leader) continue;
      const { facade, method, args } = pending;
      if (isSafe(facade, method, args)) {
        pending.leader = null;
      } else {
        const what = `the tab that was doing this (${facade}.${method}) is gone; look whether it was done, then try again`;
        this.#refuse(pending, new SessionError("INTERRUPTED", what));
      }
    }
  }

  #tellChange(): void {
    for (const listener of this.#changed) listener();
  }
}
