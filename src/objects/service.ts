import { DurableObject } from "cloudflare:workers";
import { md5 } from "#crypto/hash";
import type { Message } from "#protocol/commands";
import { IDS_HASH_LENGTH, type ServiceQueues } from "#protocol/commands/service";
import type { ServiceRole } from "#protocol/handshake";
import type { Caller, ServiceChange } from "../relay/ports.ts";
import type { ServiceApi } from "./api.ts";
import { contextOf } from "./context.ts";
import type { Env } from "./env.ts";
import { connectionAt, queueAt } from "./locate.ts";
import { report } from "./log.ts";

interface State {
  readonly role: ServiceRole;
  readonly connection: string | null;
  readonly queues: { readonly count: number; readonly idsHash: Uint8Array };
}

const NO_QUEUES = { count: 0, idsHash: new Uint8Array(IDS_HASH_LENGTH) };
const KEY = "state";
const TABLE = "CREATE TABLE IF NOT EXISTS member (id BLOB PRIMARY KEY) WITHOUT ROWID";
/** Queues asked at the same time while a service subscribes. */
const AT_ONCE = 32;

/** XOR of MD5 over ids (SMP commands, SUBS): adding and removing an id are the same. */
function toggle(hash: Uint8Array, id: Uint8Array): Uint8Array {
  const digest = md5(id);
  return hash.map((byte, i) => byte ^ (digest[i] ?? 0));
}

/** One service, named by its id: in which role it is known, its queues, and its connection. */
export class Service extends DurableObject<Env> implements ServiceApi {
  #state(): State | undefined {
    return this.ctx.storage.kv.get<State>(KEY);
  }

  #save(state: State): void {
    this.ctx.storage.kv.put<State>(KEY, state);
  }

  async accepts(role: ServiceRole): Promise<boolean> {
    const state = this.#state();
    return !state || state.role === role;
  }

  async change(changes: readonly ServiceChange[]): Promise<void> {
    this.ctx.storage.transactionSync(() => {
      this.ctx.storage.sql.exec(TABLE);
      for (const change of changes) this.#changeOne(change);
    });
  }

  #changeOne({ change, entityId, role }: ServiceChange): void {
    const state = this.#state() ?? { role, connection: null, queues: NO_QUEUES };
    if (state.role !== role) return;
    const id = entityId.slice().buffer as ArrayBuffer;
    const cursor = change === "joined"
      ? this.ctx.storage.sql.exec("INSERT OR IGNORE INTO member VALUES (?)", id)
      : this.ctx.storage.sql.exec("DELETE FROM member WHERE id = ?", id);
    if (cursor.rowsWritten === 0) return;
    const { count, idsHash } = state.queues;
    const queues = { count: count + (change === "joined" ? 1 : -1), idsHash: toggle(idsHash, entityId) };
    this.#save({ ...state, queues });
  }

  async subscribe(caller: Caller, role: ServiceRole, isRepeated: boolean): Promise<ServiceQueues> {
    const state = this.#state();
    const queues = state?.queues ?? NO_QUEUES;
    if (isRepeated || !caller.serviceId) return queues;
    const former = state?.connection;
    // A service without queues is not kept: it may be anybody with a certificate of their own making.
    if (state) this.#save({ ...state, connection: caller.connection });
    // It is the same when the call is made a second time.
    const isReplaced = former && former !== caller.connection;
    if (isReplaced) this.ctx.waitUntil(this.#tell(former, caller.serviceId, { tag: "ENDS", ...queues }));
    this.ctx.waitUntil(this.#deliver(caller, role));
    return queues;
  }

  async #tell(connection: string, entityId: Uint8Array, message: Message): Promise<void> {
    await connectionAt(this.env, connection).push([{ entityId, message }]).catch((error: unknown) =>
      report("a service connection could not be told", error)
    );
  }

  #members(): Uint8Array[] {
    if (!this.#state()) return [];
    const rows = this.ctx.storage.sql.exec("SELECT id FROM member").toArray();
    return rows.map((row) => new Uint8Array(row["id"] as ArrayBuffer));
  }

  /** Every queue takes the connection as its subscriber and hands over its first message; ALLS ends the list. */
  async #deliver(caller: Caller, role: ServiceRole): Promise<void> {
    const { ids } = await contextOf(this.env);
    const senderOf = role === "notifier" ? ids.senderOfNotifier : ids.senderOfRecipient;
    const members = this.#members();
    const connection = connectionAt(this.env, caller.connection);
    for (let i = 0; i < members.length; i += AT_ONCE) {
      await Promise.all(members.slice(i, i + AT_ONCE).map(async (entityId) => {
        const senderId = senderOf(entityId);
        if (!senderId) return;
        try {
          const events = await queueAt(this.env, senderId).subscribeService(caller, role);
          if (events.length > 0) await connection.push(events);
        } catch (error) {
          report("a queue of a service could not be subscribed", error);
          await this.#tell(caller.connection, entityId, { tag: "ERR", error: { type: "INTERNAL" } });
        }
      }));
    }
    if (role === "messaging") await this.#tell(caller.connection, new Uint8Array(0), { tag: "ALLS" });
  }
}
