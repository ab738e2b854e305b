import type { Server } from "#protocol/address";
import type { TokenStatus } from "#protocol/ntf/status";
import { type DeviceToken, formatDeviceToken } from "#protocol/ntf/token";
import { AgentError } from "../errors.ts";
import type { Connection } from "../records.ts";
import { nextDelay, TASK_RETRY } from "../rules/retry.ts";
import { type Core, isStoreTrouble } from "../runtime/core.ts";
import { Locks } from "../runtime/locks.ts";
import { readConnection } from "../tables.ts";
import type { Book } from "./book.ts";
import { Follower } from "./follower.ts";
import { isNews, type OpenedPush, pushedMessage, type PushedMessage, readPush } from "./open.ts";
import { isActive, type NotificationMode } from "./records.ts";
import type { NtfServers } from "./servers.ts";
import type { FollowedQueue, NotificationsState } from "./state.ts";
import { codeReceived, isAt, newDevice, registerAgain } from "./token.ts";
import { Tokens } from "./tokens.ts";

const TOKEN = "token";
/** Timers of platforms count no further than 24 days. */
const LONGEST_WAIT = 86_400_000;
/** A server that says that it does not know a token is asked about it so often at most. */
const SUSPICION_PAUSE = 3_600_000;

/**
 * Push notifications for one device (NTF, token life cycle in the agent). The relays and the notification server are
 * brought to what is wanted in the background, over restarts; what fails is tried again.
 */
export class Notifications {
  readonly #core: Core;
  readonly #book: Book;
  readonly #servers: NtfServers;
  readonly #tokens: Tokens;
  readonly #follower: Follower;
  readonly #locks = new Locks();
  readonly #seen = new Set<string>();
  #isRunning = false;
  #isWanted = false;
  #skipWait: (() => void) | null = null;
  #suspectedAt = Number.NEGATIVE_INFINITY;
  #wasFollowing = "";

  constructor(core: Core, book: Book, servers: NtfServers) {
    this.#core = core;
    this.#book = book;
    this.#servers = servers;
    this.#tokens = new Tokens(core, book, servers);
    this.#follower = new Follower(core, book, servers);
    this.#follower.onSuspicion = () => this.#suspect();
    this.#tokens.onSuspicion = () => this.#suspect();
    this.#wasFollowing = this.#following;
  }

  /** How it stands now, as far as this side knows. */
  state(): Promise<NotificationsState> {
    return Promise.resolve(this.#state);
  }

  /**
   * To be called at every start, with the token that the platform gives: registers it, or finds out whether it still
   * works and brings about what is missing. A new token of the same device takes the place of the former one. Once the
   * status is `ACTIVE`, the rest goes on in the background.
   * @param server another one than before: everything begins anew there
   * @throws ProtocolError (the server does not take the token), ConnectError, TimeoutError, DisconnectedError; where it
   *   helps it is tried again in the background
   */
  register(token: DeviceToken, mode: NotificationMode, server: Server): Promise<NotificationsState> {
    return this.#withToken(async () => {
      const wish = { token: formatDeviceToken(token), mode, server };
      const { device } = this.#book;
      if (device && isAt(device, server)) await this.#book.saveDevice(registerAgain(device, wish));
      else await this.#book.retire(newDevice(wish), this.#core.clock.now());
      await this.#tokens.act();
      return this.#state;
    });
  }

  /** The push with the code came. What says nothing new changes nothing. @throws as `register` */
  verify(code: Uint8Array): Promise<NotificationsState> {
    return this.#withToken(async () => {
      const { device } = this.#book;
      const next = device && codeReceived(device, code);
      if (next) {
        await this.#book.saveDevice(next);
        await this.#tokens.act();
      }
      return this.#state;
    });
  }

  /** Asks the server how it stands with the token. @throws AgentError when there is none; as `register` */
  check(): Promise<TokenStatus> {
    return this.#withToken(async () => {
      const { device } = this.#book;
      if (!device) throw new AgentError("NOT_FOUND", "no token is registered");
      if (device.action.type === "none") await this.#book.saveDevice({ ...device, action: { type: "check" } });
      await this.#tokens.act();
      return this.#book.device?.status ?? "NEW";
    });
  }

  /** @throws AgentError when notifications are off */
  setMode(mode: NotificationMode): Promise<NotificationsState> {
    return this.#withToken(async () => {
      const { device } = this.#book;
      if (!device) throw new AgentError("NOT_FOUND", "no token is registered; register one with this mode");
      if (device.mode !== mode) await this.#book.saveDevice({ ...device, mode });
      return this.#state;
    });
  }

  /** Off. The server and the relays are told in the background. */
  delete(): Promise<void> {
    return this.#withToken(() => this.#book.retire(null, this.#core.clock.now()));
  }

  /**
   * Opens a push. The messages that it tells of come the usual way, as events.
   * @param json what the push brought (`notificationData`)
   * @throws AgentError when it is not for this device
   */
  async open(json: unknown): Promise<OpenedPush> {
    // The first push may overtake the answer that makes it readable.
    if (this.#book.device?.registration === null) await this.#locks.run(TOKEN, () => Promise.resolve());
    const read = readPush(this.#book.device, this.#book.followed, json);
    if (read.type !== "messages") return read;
    const messages: PushedMessage[] = [];
    for (const candidate of read.candidates) {
      const connection = await readConnection(this.#core.store, candidate.followed.connection);
      if (isNews(candidate, connection)) messages.push(pushedMessage(candidate));
    }
    await this.#book.change(messages.map(({ connection, queue, msgId }) => {
      return { name: { connection, queue }, change: (from) => from && { ...from, told: msgId } || null };
    }));
    return { type: "messages", messages };
  }

  /** What the server tells this device of, as far as this side knows. */
  followed(): Promise<readonly FollowedQueue[]> {
    return Promise.resolve(this.#book.followed.map(({ connection, queue, subscription }) => {
      return { connection, queue, status: subscription?.status ?? null };
    }));
  }

  /** A connection changed, or `isGone`. */
  look(connection: Connection, isGone: boolean): void {
    this.#seen.add(connection.id);
    if (this.#follower.look(connection, isGone)) this.wake();
  }

  /** All connections were looked at: begins with what was left undone. */
  start(): void {
    this.#follower.suspect(this.#book.connections.filter((id) => !this.#seen.has(id)));
    this.#seen.clear();
    if (!this.#book.isIdle || this.#book.retired.length > 0) this.wake();
  }

  /** A server can be reached again: nothing waits any longer. */
  retry(): void {
    this.#skipWait?.();
  }

  wake(): void {
    this.#isWanted = true;
    this.#skipWait?.();
    if (this.#isRunning || this.#core.isClosed) return;
    this.#isRunning = true;
    this.#run().catch((error: unknown) => {
      this.#isRunning = false;
      if (!this.#core.isClosed) this.#core.tellError(null, error);
    });
  }

  close(): void {
    this.#skipWait?.();
    this.#servers.close();
  }

  get #state(): NotificationsState {
    const { device } = this.#book;
    if (!device) return { mode: null, token: null, server: null, status: null };
    const { mode, token, server, status } = device;
    return { mode, token, server, status };
  }

  /** What decides whether queues are followed, and for whom. */
  get #following(): string {
    const { device } = this.#book;
    return isActive(device) ? `${device.mode} ${device.registration?.tokenId.join()}` : "";
  }

  async #withToken<T>(action: () => Promise<T>): Promise<T> {
    if (this.#core.isClosed) throw new AgentError("CLOSED", "the agent was closed; open it again");
    try {
      return await this.#locks.run(TOKEN, action);
    } finally {
      this.#changed();
      this.wake();
    }
  }

  #changed(): void {
    if (this.#following === this.#wasFollowing) return;
    this.#wasFollowing = this.#following;
    this.#follower.lookAtAll();
  }

  #suspect(): void {
    const now = this.#core.clock.now();
    if (now - this.#suspectedAt < SUSPICION_PAUSE) return;
    this.#suspectedAt = now;
    const mark = async (): Promise<void> => {
      const { device } = this.#book;
      if (isActive(device)) await this.#book.saveDevice({ ...device, action: { type: "check" } });
      this.wake();
    };
    this.#locks.run(TOKEN, mark).catch((error: unknown) => this.#core.tellError(null, error));
  }

  async #run(): Promise<void> {
    let delay: number | null = null;
    let since: number | null = null;
    while (!this.#core.isClosed) {
      this.#isWanted = false;
      const isStuck = await this.#pass();
      if (this.#core.isClosed) break;
      if (this.#isWanted) continue;
      const now = this.#core.clock.now();
      if (isStuck) {
        since ??= now;
        delay = nextDelay(TASK_RETRY, delay, now - since);
        await this.#wait(delay);
        continue;
      }
      [since, delay] = [null, null];
      const next = this.#follower.nextAt();
      if (next === null) break;
      await this.#wait(Math.min(next - now, LONGEST_WAIT));
    }
    this.#isRunning = false;
  }

  /** True: something has to be tried again. */
  async #pass(): Promise<boolean> {
    const before = this.#state.status;
    const parts = [
      () => this.#locks.run(TOKEN, () => this.#tokens.act()),
      () => this.#locks.run(TOKEN, () => this.#tokens.setInterval()),
    ];
    let isStuck = false;
    for (const part of parts) if (!await this.#try(part)) isStuck = true;
    if (this.#state.status !== before) {
      this.#core.journal.pass({ type: "notifications", state: this.#state });
    }
    this.#changed();
    const last = [
      async () => {
        if (await this.#follower.run()) isStuck = true;
      },
      () => this.#tokens.forgetRetired(),
    ];
    for (const part of last) if (!await this.#try(part)) isStuck = true;
    return isStuck;
  }

  /** False: it failed, and is to be tried again. */
  async #try(part: () => Promise<void>): Promise<boolean> {
    try {
      await part();
      return true;
    } catch (error) {
      if (this.#core.isClosed) return true;
      this.#core.tellError(null, error);
      if (error instanceof Error && error.name === "StoreError" && !isStoreTrouble(error)) throw error;
      return false;
    }
  }

  #wait(delay: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#core.clock.after(delay, () => this.#skipWait?.());
      this.#skipWait = () => {
        cancel();
        this.#skipWait = null;
        resolve();
      };
    });
  }
}
