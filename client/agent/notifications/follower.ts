import { generateKeyPair } from "#crypto/keys";
import { ProtocolError } from "../../errors.ts";
import * as ntf from "../../ntf/calls.ts";
import * as smp from "../../smp/calls.ts";
import { listRecords } from "../../store/record.ts";
import { checkConnection, type Connection, type RcvQueue } from "../records.ts";
import { isTemporary } from "../rules/send-failure.ts";
import type { Core } from "../runtime/core.ts";
import { readConnection, TABLE } from "../tables.ts";
import type { Book, FollowedChange } from "./book.ts";
import * as plan from "./plan.ts";
import { type Device, type Followed, isDoubted } from "./records.ts";
import type { NtfServers } from "./servers.ts";

/** Queues that are worked on at a time. */
const BATCH = 150;

/** One thing to do with a server for one queue; the answer is what becomes of its record. */
interface Job {
  readonly connection: string;
  run(): Promise<FollowedChange>;
  /** The server refused it for good. */
  refused(error: unknown): FollowedChange;
}

/** Brings what relays and the notification server know of queues to what is wanted (NTF, instant subscriptions). */
export class Follower {
  readonly #core: Core;
  readonly #book: Book;
  readonly #servers: NtfServers;
  /** Connections at which something may be to do. */
  #dirty = new Set<string>();
  /** Of those the ones that wait for what the server says of the token. */
  readonly #held = new Set<string>();
  #isAll = false;
  /** The token may be unknown to its server: what it answers to SNEW and SCHK says so. */
  onSuspicion: (() => void) | null = null;

  constructor(core: Core, book: Book, servers: NtfServers) {
    this.#core = core;
    this.#book = book;
    this.#servers = servers;
  }

  /** A connection is as it is given here now; `isGone`: it was deleted. True: there is something to do. */
  look(connection: Connection, isGone = false): boolean {
    if (this.#book.isIdle) return false;
    const now = this.#core.clock.now();
    const { device } = this.#book;
    const work = plan.planConnection(isGone ? null : connection, this.#book.followedOf(connection.id), device, now);
    if (!plan.isNothing(work)) this.#dirty.add(connection.id);
    return !plan.isNothing(work);
  }

  /** All connections are to be looked at. */
  lookAtAll(): void {
    this.#isAll = true;
  }

  /** Of these connections there are records; whether they still are is not known. */
  suspect(connections: readonly string[]): void {
    for (const id of connections) this.#dirty.add(id);
  }

  /** When time alone makes something to do; null: never. */
  nextAt(): number | null {
    return plan.nextAt(this.#book.followed, this.#core.clock.now());
  }

  /** Does all that can be done now. True: something has to be tried again. */
  async run(): Promise<boolean> {
    try {
      return await this.#run();
    } catch (error) {
      this.#isAll = true;
      throw error;
    }
  }

  async #run(): Promise<boolean> {
    const { store, clock } = this.#core;
    if (this.#isAll) {
      this.#isAll = false;
      this.suspect(this.#book.connections);
      for (const { value } of await listRecords(store, TABLE.connections, checkConnection)) this.look(value);
    }
    for (const one of this.#book.followed) {
      if (one.notifier === null && one.notBefore <= clock.now()) this.#dirty.add(one.connection);
    }
    this.suspect([...this.#held]);
    this.#held.clear();
    let failed: readonly string[] = [];
    // What the notification server follows no more begins from NKEY again.
    do {
      failed = [...await this.#workOnConnections(), ...await this.#subscribe(), ...await this.#check()];
    } while (failed.length === 0 && this.#dirty.size > 0 && !this.#core.isClosed);
    this.suspect(failed);
    return failed.length > 0;
  }

  /** NKEY and NDEL. The connections at which something failed. */
  async #workOnConnections(): Promise<readonly string[]> {
    const failed: string[] = [];
    while (this.#dirty.size > 0 && !this.#core.isClosed) {
      const jobs: Job[] = [];
      const erased: FollowedChange[] = [];
      for (const id of this.#dirty) {
        this.#dirty.delete(id);
        const connection = await readConnection(this.#core.store, id);
        const { device } = this.#book;
        const work = plan.planConnection(connection, this.#book.followedOf(id), device, this.#core.clock.now());
        erased.push(...work.erase.map((name) => ({ name, change: () => null })));
        const isHeld = device !== null && isDoubted(device);
        if (isHeld && work.enable.length > 0) this.#held.add(id);
        if (connection) {
          if (!isHeld) jobs.push(...work.enable.map((queue) => this.#enabling(connection, queue)));
          jobs.push(...work.disable.map((queue) => this.#disabling(connection, queue)));
        }
        if (jobs.length >= BATCH) break;
      }
      await this.#book.change(erased);
      failed.push(...await this.#do(jobs));
    }
    return failed;
  }

  #enabling(connection: Connection, queue: RcvQueue): Job {
    const name = { connection: connection.id, queue: queue.id };
    const { hosts, port, keyHash } = queue.server;
    const fresh: Followed = {
      ...name,
      server: { hosts, port, keyHash },
      notifier: null,
      subscription: null,
      notBefore: 0,
      told: null,
    };
    return {
      connection: connection.id,
      run: async () => {
        const { publicKey, secretKey } = generateKeyPair("Ed25519");
        const relay = this.#core.relayOf(connection, queue).connection;
        const made = await smp.enableNotifications(relay, { entityId: queue.rcvId, key: queue.authKey }, publicKey);
        const notifier = { id: made.notifierId, key: secretKey, dhSecret: made.dhSecret };
        return { name, change: (from) => ({ ...fresh, told: from?.told ?? null, notifier }) };
      },
      refused: () => ({ name, change: (from) => plan.refused(from ?? fresh, this.#core.clock.now()) }),
    };
  }

  #disabling(connection: Connection, queue: RcvQueue): Job {
    const name = { connection: connection.id, queue: queue.id };
    const gone: FollowedChange = { name, change: () => null };
    return {
      connection: connection.id,
      run: async () => {
        const relay = this.#core.relayOf(connection, queue).connection;
        await smp.disableNotifications(relay, { entityId: queue.rcvId, key: queue.authKey });
        return gone;
      },
      // There is no notifier, or no queue.
      refused: () => gone,
    };
  }

  #subscribe(): Promise<readonly string[]> {
    return this.#ask((one, _device, now) => plan.needsSubscription(one, now), async (device, token, one) => {
      if (!one.notifier) return one;
      const { id: notifierId, key } = one.notifier;
      const { hosts, port, keyHash } = one.server;
      const queue = { server: { hosts, port, keyHash }, notifierId };
      const subId = await ntf.followQueue(this.#servers.of(device.server), token, queue, key);
      return plan.subscribed(one, token.tokenId, subId, this.#core.clock.now());
    }, plan.refused);
  }

  #check(): Promise<readonly string[]> {
    return this.#ask((one, device, now) => plan.needsCheck(one, device, now), async (device, token, one) => {
      if (!one.subscription) return one;
      const status = await ntf.checkSubscription(this.#servers.of(device.server), token, one.subscription.subId);
      return plan.subscriptionChecked(one, status, this.#core.clock.now());
    }, plan.startOver);
  }

  /** Asks the notification server about all queues that `needs` names. The connections at which that failed. */
  async #ask(
    needs: (one: Followed, device: Device, now: number) => boolean,
    ask: (device: Device, token: ntf.TokenKey, one: Followed) => Promise<Followed>,
    afterRefusal: (one: Followed, now: number) => Followed,
  ): Promise<readonly string[]> {
    const failed = new Set<string>();
    while (!this.#core.isClosed) {
      const { device } = this.#book;
      if (!device?.registration || !plan.wantsQueues(device) || isDoubted(device)) break;
      const token = { tokenId: device.registration.tokenId, key: device.verifyKeys.secretKey };
      const now = this.#core.clock.now();
      const batch = this.#book.followed.filter((one) => needs(one, device, now)).slice(0, BATCH);
      if (batch.length === 0) break;
      const jobs = batch.map((one): Job => ({
        connection: one.connection,
        run: async () => {
          const next = await ask(device, token, one);
          return { name: one, change: (from) => (from ? { ...next, told: from.told } : null) };
        },
        refused: (error) => {
          if (isRefusal(error)) this.onSuspicion?.();
          return { name: one, change: (from) => (from ? afterRefusal(from, now) : null) };
        },
      }));
      for (const id of await this.#do(jobs)) failed.add(id);
      // A server that does not answer need not be asked about all the others now.
      if (failed.size > 0) break;
      for (const { connection, queue } of batch) {
        const record = this.#book.followedOf(connection).find((one) => one.queue === queue);
        if (record?.notifier === null && record.notBefore === 0) this.#dirty.add(connection);
      }
    }
    return [...failed];
  }

  /** Does jobs at the same time and writes what came of them at once. The connections at which one failed. */
  async #do(jobs: readonly Job[]): Promise<readonly string[]> {
    const failed: string[] = [];
    const troubles = new Map<string, unknown>();
    const changes = await Promise.all(jobs.map(async ({ connection, run, refused }) => {
      try {
        return await run();
      } catch (error) {
        if (this.#core.isClosed) return null;
        if (!isRefusal(error)) troubles.set(error instanceof Error ? error.message : String(error), error);
        if (!isTemporary(error)) return refused(error);
        failed.push(connection);
        return null;
      }
    }));
    // A server that cannot be reached is told of once, not for every queue.
    for (const error of troubles.values()) this.#core.tellError(null, error);
    await this.#book.change(changes.filter((change) => change !== null));
    return failed;
  }
}

/** There is no such queue, notifier or subscription: what follows from it is done at once. */
function isRefusal(error: unknown): error is ProtocolError {
  return error instanceof ProtocolError && error.error.type === "AUTH";
}
