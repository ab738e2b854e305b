import type { QueueUri, Server } from "#protocol/address";
import { systemClock } from "../clock.ts";
import { migrate } from "../store/migrate.ts";
import { listRecords, readRecord } from "../store/record.ts";
import { infoOf, madeLink, relayInfo } from "./describe.ts";
import { AgentError } from "./errors.ts";
import type { AgentEvent } from "./events.ts";
import { MIGRATIONS } from "./migrations.ts";
import { Book } from "./notifications/book.ts";
import { Notifications } from "./notifications/notifications.ts";
import { NtfServers } from "./notifications/servers.ts";
import type {
  AgentOptions,
  ConnectionInfo,
  JoinOptions,
  LinkPreview,
  MadeLink,
  NewLinkOptions,
  RelayInfo,
  SendOptions,
} from "./options.ts";
import { checkConnection, checkContactRequest, type Connection } from "./records.ts";
import { acknowledge } from "./rules/acknowledge.ts";
import { uriOf } from "./rules/addresses.ts";
import { allow } from "./rules/confirm.ts";
import { enqueue } from "./rules/enqueue.ts";
import { invitationOf, newAddress, newInitiator, newJoiner, newRequester } from "./rules/establish.ts";
import { synchronise } from "./rules/resync.ts";
import { abortRotation, startRotation } from "./rules/rotate.ts";
import { canSend, isSendingProhibited } from "./rules/sending.ts";
import { Cleanup } from "./runtime/cleanup.ts";
import { Core } from "./runtime/core.ts";
import { Deliveries } from "./runtime/deliveries.ts";
import { Inbox } from "./runtime/inbox.ts";
import { Journal } from "./runtime/journal.ts";
import { Links } from "./runtime/links.ts";
import { Moves } from "./runtime/moves.ts";
import { OwnRelays } from "./runtime/own-relays.ts";
import { Performer } from "./runtime/perform.ts";
import { Relays } from "./runtime/relays.ts";
import { Removals } from "./runtime/removals.ts";
import { Routes } from "./runtime/routes.ts";
import { Tasks } from "./runtime/tasks.ts";
import { readConnection, TABLE } from "./tables.ts";
import { AGENT_VERSIONS } from "./versions.ts";
import type { ConnectionRequest } from "./wire/connection-request.ts";
import { formatLink, parseLink } from "./wire/link.ts";

const DEFAULT_PROFILE = "main";

/**
 * Connections to other people through links (SMP agent protocol). Everything that a method changes is on disk when it
 * resolves; what takes a relay goes on in the background, over restarts, and is told by events.
 *
 * Methods throw AgentError (what was asked cannot be done), LinkError (a link that does not work), StoreError, and
 * those that talk to a relay themselves the errors of `smp` too.
 */
export class Agent {
  /** Pushes for this device while the program does not run. */
  readonly notifications: Notifications;
  readonly #core: Core;
  readonly #own: OwnRelays;
  readonly #links: Links;
  readonly #moves: Moves;
  readonly #removals: Removals;
  readonly #cleanup: Cleanup;
  readonly #inbox: Inbox;
  readonly #stop: () => void;

  private constructor(core: Core, own: OwnRelays, performer: Performer, inbox: Inbox, notifications: Notifications) {
    this.notifications = notifications;
    this.#core = core;
    this.#own = own;
    this.#inbox = inbox;
    this.#links = new Links(core, own);
    this.#moves = new Moves(core);
    this.#removals = new Removals(core);
    this.#cleanup = new Cleanup(core);
    const deliveries = new Deliveries(core);
    const tasks = new Tasks(core, performer.perform);
    core.employ({
      deliver: (connection, queue, now) => deliveries.wake(connection, queue, now),
      work: (connection, now) => tasks.wake(connection, now),
      acknowledge: (relay, queue, msgId, done) => inbox.acknowledge(relay, queue, msgId, done),
      redeliver: (relay, queue) => inbox.redeliver(relay, queue),
      watch: (connection, event) => this.#moves.watch(connection, event),
      remove: () => this.#removals.wake(),
      look: (connection, isGone) => notifications.look(connection, isGone),
    });
    inbox.onConnected = (relay) => {
      deliveries.retry(relay.key);
      tasks.retry();
      this.#removals.retry();
      notifications.retry();
    };
    this.#stop = () => {
      deliveries.close();
      tasks.close();
      this.#removals.close();
      notifications.close();
      this.#cleanup.close();
    };
  }

  /** Opens a profile: what was under way goes on, and its queues are subscribed. */
  static async open(options: AgentOptions): Promise<Agent> {
    const { store, clock = systemClock, urlOf, openSocket, backoff, client, connectTimeout } = options;
    await migrate(store, MIGRATIONS);
    const journal = await Journal.open(store);
    const inbox = new Inbox();
    const settings = { clock, urlOf, openSocket, backoff, client, connectTimeout };
    const relays = new Relays(settings, (relay, event) => {
      inbox.take(relay, event);
    });
    const own = new OwnRelays(options.servers);
    const routes = new Routes(relays, own, clock, options.proxy);
    const core = new Core(store, clock, journal, relays, routes, { repairs: options.repair !== "ask" });
    inbox.serve(core);
    const notifications = new Notifications(core, await Book.open(store), new NtfServers(settings));
    const agent = new Agent(core, own, new Performer(core, own), inbox, notifications);
    await agent.#cleanup.start();
    await core.resume();
    agent.#removals.wake();
    notifications.start();
    return agent;
  }

  /**
   * What happens, the oldest first. An event counts as handled when the next one is asked for, and comes again at the
   * next start unless it was; messages come again until they are acknowledged. There can be one reader.
   */
  get events(): AsyncIterableIterator<AgentEvent, undefined> {
    return this.#core.journal;
  }

  /** A link for one other person. @throws ProtocolError, ConnectError, TimeoutError, DisconnectedError */
  async invite(options: NewLinkOptions = {}): Promise<MadeLink> {
    const { profile = DEFAULT_PROFILE, pq = true, longKem = false } = options;
    const connection = newInitiator({ profile, pq, now: this.#core.clock.now() });
    const { e2eKeys } = connection;
    const { queue, short } = await this.#links.begin(connection, "invitation", (uri) => invitationOf(e2eKeys, uri, true), options);
    return madeLink(connection.id, invitationOf(e2eKeys, uriOf(queue), longKem), short);
  }

  /** A link through which anybody may ask for a connection, any number of times. */
  async createAddress(options: NewLinkOptions = {}): Promise<MadeLink> {
    const { profile = DEFAULT_PROFILE, pq = true, clientData = null } = options;
    const connection = newAddress({ profile, pq, now: this.#core.clock.now() });
    const request = (uri: QueueUri): ConnectionRequest => {
      return { type: "contact", agentVersions: AGENT_VERSIONS, queues: [uri], clientData };
    };
    const { queue, short } = await this.#links.begin(connection, "contact", request, options);
    return madeLink(connection.id, request(uriOf(queue)), short);
  }

  /** Puts other data behind the short link of an invitation or an address. */
  async setLinkData(connection: string, data: Uint8Array): Promise<void> {
    const record = await this.#read(connection);
    const [queue] = record.receive;
    if (!queue || !record.link) throw new AgentError("PROHIBITED", "the connection has no short link");
    await this.#links.update(record, queue, record.link, data);
  }

  /** The short link leads nowhere any more; the long one still does. */
  async removeShortLink(connection: string): Promise<void> {
    const record = await this.#read(connection);
    const [queue] = record.receive;
    if (!queue || !record.link) throw new AgentError("PROHIBITED", "the connection has no short link");
    await this.#links.remove(record, queue);
    await this.#core.step(connection, (step) => step.update({ link: null }));
  }

  /**
   * Looks what is behind a link. Opening the short link of an invitation takes it: nobody else can use it afterwards.
   * @throws LinkError, ProtocolError (`AUTH`: it was used already, or is not there any more)
   */
  async preview(text: string, { profile = DEFAULT_PROFILE }: JoinOptions = {}): Promise<LinkPreview> {
    const link = parseLink(text);
    if (link.type !== "short") return { type: link.type, data: null, link: formatLink(link) };
    const { user, fixed } = await this.#links.resolve(profile, link);
    return { type: user.type, data: user.data, link: formatLink(fixed.request) };
  }

  /**
   * Uses a link. A long link needs no network now: the connection is made whenever the relays can be reached.
   * @param info what the other side is told of this one; opaque here
   * @returns the id of the new connection
   */
  async join(text: string, info: Uint8Array, options: JoinOptions = {}): Promise<string> {
    const { profile = DEFAULT_PROFILE, pq = true } = options;
    const link = parseLink(text);
    const resolved = link.type === "short" ? await this.#links.resolve(profile, link) : null;
    const request = link.type === "short" ? resolved?.fixed.request : link;
    if (!request) throw new AgentError("PROHIBITED", "the link leads nowhere");
    const beginning = { profile, pq, now: this.#core.clock.now() };
    const connection = request.type === "invitation"
      ? newJoiner(beginning, request, info, resolved?.authKeys ?? undefined)
      : newRequester(beginning, request, info);
    await this.#core.begin(connection, (step) => step.effect({ type: "work" }));
    return connection.id;
  }

  /** Goes on with a connection whose invitation somebody used. `info`: what the other side is told of this one. */
  async allow(connection: string, confirmation: string, info: Uint8Array): Promise<void> {
    await this.#core.step(connection, (step) => allow(step, confirmation, info));
  }

  /** Accepts a request that came through an address. @returns the id of the new connection */
  async accept(request: string, info: Uint8Array, { pq = true }: Pick<JoinOptions, "pq"> = {}): Promise<string> {
    const { store, clock } = this.#core;
    // The connection has the id of the request, so that accepting again after a crash makes no second one.
    if (await readConnection(store, request)) return request;
    const stored = await readRecord(store, TABLE.requests, request, checkContactRequest);
    if (!stored) throw new AgentError("NOT_FOUND", `there is no request '${request}', or it was rejected`);
    const invitation = parseLink(stored.invitation);
    if (invitation.type !== "invitation") throw new AgentError("PROHIBITED", "the request holds no invitation");
    const joiner = newJoiner({ profile: stored.profile, pq, now: clock.now() }, invitation, info);
    const connection = { ...joiner, id: request };
    await this.#core.begin(connection, (step) => {
      step.erase(TABLE.requests, request);
      step.effect({ type: "work" });
    });
    return connection.id;
  }

  /** Forgets a request; whoever asked is not told. */
  async reject(request: string): Promise<void> {
    const { store } = this.#core;
    if (!await readRecord(store, TABLE.requests, request, checkContactRequest)) {
      throw new AgentError("NOT_FOUND", `there is no request '${request}', or it was answered already`);
    }
    await store.write([{ table: TABLE.requests, key: request, value: null }]);
  }

  /** Requests that wait for an answer. */
  async requests(): Promise<{ readonly request: string; readonly address: string; readonly info: Uint8Array; readonly at: number }[]> {
    const all = await listRecords(this.#core.store, TABLE.requests, checkContactRequest);
    return all.map(({ value: { id, address, info, at } }) => ({ request: id, address, info, at }));
  }

  /**
   * Sends a message: it is on disk when this resolves, and `sent` or `unsent` tells its fate.
   * @returns its number, by which `sent`, `unsent` and `receipt` name it
   */
  send(connection: string, body: Uint8Array, { notification = true }: SendOptions = {}): Promise<number> {
    return this.#core.step(connection, (step) => {
      const { status, sync } = step.connection;
      if (status === "failed" || status === "leaving") throw new AgentError("PROHIBITED", `the connection is ${status}`);
      if (isSendingProhibited(sync.state)) {
        throw new AgentError("PROHIBITED", `the encryption is being repaired (${sync.state}); wait for \`sync\``);
      }
      if (!canSend(step.connection)) throw new AgentError("PROHIBITED", "the connection is not made yet; wait for `connected`");
      return enqueue(step, { type: "A_MSG", body }, "message", { notification }).item;
    });
  }

  /**
   * The application has stored a message: the relay may delete it and send the next one.
   * @param receipt given: the sender is told that the message was received, with these bytes (usually none)
   */
  async acknowledge(connection: string, item: number, receipt?: Uint8Array): Promise<void> {
    const { journal } = this.#core;
    await this.#core.step(connection, (step) => {
      const rows = journal.acknowledged(connection, item);
      if (rows.length === 0) throw new AgentError("NOT_FOUND", `no message ${item} waits for its acknowledgement`);
      step.changes.push(...rows);
      acknowledge(step, item, receipt ?? null);
    });
    journal.forget(connection, item);
  }

  /** Moves the connection's own queue to another relay, while messages flow. `rotation` events tell how it goes. */
  async rotate(connection: string, server?: Server): Promise<void> {
    await this.#core.step(connection, (step) => startRotation(step, server ?? null));
  }

  /** Takes a move back. @throws AgentError once the other side was told to use the new queue */
  async abortRotation(connection: string): Promise<void> {
    await this.#core.step(connection, abortRotation);
  }

  /** Moves all connections away from a relay; `moving` events tell how far it has come. @returns how many there are */
  moveAll(from: Server, to?: Server): Promise<number> {
    return this.#moves.start(from, to ?? null);
  }

  /** Repairs the encryption of a connection that cannot decrypt any more. `force`: though nothing seems wrong. */
  async synchronise(connection: string, { force = false }: { readonly force?: boolean } = {}): Promise<void> {
    await this.#core.step(connection, (step) => synchronise(step, force));
  }

  /**
   * Deletes a connection and its queues; the other side is not told.
   * @param options `wait`: messages that were not sent yet still are, for two days at most
   */
  async delete(connection: string, { wait = false }: { readonly wait?: boolean } = {}): Promise<void> {
    await this.#removals.deleteConnection(connection, wait);
  }

  /** Whether a push is to tell of messages of this connection; it is unless this was set to false. */
  async setNotifications(connection: string, enabled: boolean): Promise<void> {
    await this.#core.step(connection, (step) => step.update({ notifies: enabled }));
  }

  async connection(id: string): Promise<ConnectionInfo> {
    return infoOf(await this.#read(id));
  }

  async connections(): Promise<ConnectionInfo[]> {
    const all = await listRecords(this.#core.store, TABLE.connections, checkConnection);
    return all.map(({ value }) => infoOf(value));
  }

  /** Other relays to make new queues on. Those that exist stay where they are. */
  setServers(servers: AgentOptions["servers"]): void {
    this.#own.replace(servers);
  }

  /** Relays in use, once for each profile that uses them. */
  relays(): RelayInfo[] {
    return this.#core.relays.all().map(relayInfo);
  }

  /** To be called when the network came back. */
  online(): void {
    this.#core.relays.online();
    this.notifications.retry();
  }

  /** Ends all connections to relays, after what is being written is written. The store stays open. */
  async close(): Promise<void> {
    this.#inbox.flush();
    const closed = this.#core.close();
    this.#stop();
    try {
      await closed;
    } finally {
      this.#core.relays.close();
    }
  }

  async #read(id: string): Promise<Connection> {
    const record = await readConnection(this.#core.store, id);
    if (!record) throw new AgentError("NOT_FOUND", `there is no connection '${id}'`);
    return record;
  }
}
