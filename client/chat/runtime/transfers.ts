import { AgentError } from "../../agent/errors.ts";
import type { ConnectionEvent } from "../../agent/events.ts";
import type { ConnectionInfo } from "../../agent/options.ts";
import type { Binding } from "../records.ts";
import { chunkCount, chunkOf, chunkReceived } from "../rules/files.ts";
import { isInvitation } from "../rules/invitations.ts";
import { endSending, giveUpSending } from "../rules/file-loss.ts";
import { enqueue } from "../rules/outbox.ts";
import { ownerOf } from "../rules/owners.ts";
import { isMessage, setFile } from "../rules/records.ts";
import type { Step } from "../step.ts";
import { chunkKey, fetchingKey, sendingKey, TABLE } from "../tables.ts";
import { decodeFilePiece, encodeFilePiece } from "../wire/file-piece.ts";
import { newSharedId } from "../wire/ids.ts";
import { chatMessage } from "../wire/message.ts";
import { packConnInfo } from "../wire/pack.ts";
import { type Core, ignoringMissing, isStoreTrouble } from "./core.ts";

type Way = "fetching" | "sending";
type Bound = ConnectionEvent & { readonly connection: string };

const STORE_RETRY = 1000;

/** What both sides say of themselves in a connection for a file. */
function okInfo(step: Step): Uint8Array {
  return packConnInfo(chatMessage({ type: "x.ok", params: {} }), { version: 1, pq: false, group: false }, step.compression);
}

/** Files that go through connections of their own: the recipient makes one, the sender follows it and sends. */
export class Transfers {
  readonly #core: Core;
  readonly #wanted = new Map<string, boolean>();

  constructor(core: Core) {
    this.#core = core;
  }

  wake(way: Way, key: string): void {
    const name = `${way} ${key}`;
    const isRunning = this.#wanted.has(name);
    this.#wanted.set(name, true);
    if (!isRunning) this.#core.background(null, () => this.#run(way, key, name));
  }

  /** The program starts, or a relay can be reached again. */
  async wakeAll(): Promise<void> {
    for (const { owner, item } of await this.#core.listSound(TABLE.fetchings)) this.wake("fetching", fetchingKey(owner, item));
    for (const { owner, item, isDone } of await this.#core.listSound(TABLE.sendings)) {
      if (!isDone) this.wake("sending", sendingKey(item, owner));
    }
  }

  /** The connection that was made for a file just before the program ended; null: none was. */
  async adopt(orphans: readonly ConnectionInfo[]): Promise<ConnectionInfo | null> {
    for (const sending of await this.#core.listSound(TABLE.sendings)) {
      if (!sending.isJoining) continue;
      const key = sendingKey(sending.item, sending.owner);
      const made = orphans.find(({ role, profile }) => role === "joiner" && profile === sending.user) ?? null;
      await this.#core.step((step) => this.#joined(step, key, made?.id ?? null));
      if (made) return made;
    }
    return null;
  }

  async #run(way: Way, key: string, name: string): Promise<void> {
    try {
      while (this.#wanted.get(name) === true && !this.#core.isClosed) {
        this.#wanted.set(name, false);
        try {
          await (way === "fetching" ? this.#ask(key) : this.#pass(key));
        } catch (error) {
          if (this.#core.isClosed) return;
          if (!isStoreTrouble(error)) throw error;
          this.#core.tellError(null, error);
          await this.#core.pause(STORE_RETRY);
          this.#wanted.set(name, true);
        }
      }
    } finally {
      this.#wanted.delete(name);
    }
  }

  /** Makes the connection for a file, and tells the sender of it. */
  #ask(key: string): Promise<void> {
    const core = this.#core;
    return core.making(async () => {
      const fetching = await core.read(TABLE.fetchings, key);
      if (!fetching || fetching.connection !== null) return;
      const { connection, link } = await core.agent.invite({ profile: fetching.user, pq: false, short: false });
      await core.step(async (step) => {
        const now = await step.read(TABLE.fetchings, key);
        const item = now && await step.readSound(TABLE.items, now.item);
        const owner = now && await ownerOf(step, now.owner);
        if (!now || !item || item.msgId === null || owner?.isGone !== false) return step.effect({ type: "drop", connection });
        step.put(TABLE.fetchings, key, { ...now, connection });
        step.put(TABLE.bindings, connection, { kind: "fetching", id: key, lastItem: 0 });
        const params = { msgId: item.msgId, fileConnReq: link, fileName: now.fileName };
        await enqueue(step, now.owner, chatMessage({ type: "x.file.acpt.inv", params }, newSharedId()), { subject: item.id, item: null });
      });
    });
  }

  async #pass(key: string): Promise<void> {
    const sending = await this.#core.read(TABLE.sendings, key);
    if (!sending || sending.isDone) return;
    if (sending.connection === null) await this.#follow(key);
    else while (await this.#core.step((step) => this.#sendNext(step, key)));
  }

  /** Follows the connection that the recipient made. */
  #follow(key: string): Promise<void> {
    const core = this.#core;
    return core.making(async () => {
      const joining = await core.step(async (step) => {
        const now = await step.read(TABLE.sendings, key);
        if (!now || now.isDone || now.link === null || now.connection !== null) return null;
        if (!isInvitation(now.link)) {
          await giveUpSending(step, key, now);
          return null;
        }
        // At the next start it is known by this whose the connection is.
        step.put(TABLE.sendings, key, { ...now, isJoining: true });
        return { user: now.user, link: now.link, info: okInfo(step) };
      });
      if (!joining) return;
      try {
        const connection = await core.agent.join(joining.link, joining.info, { profile: joining.user, pq: false });
        await core.step((step) => this.#joined(step, key, connection));
      } catch (error) {
        if (core.isClosed || isStoreTrouble(error)) throw error;
        await core.step(async (step) => {
          const now = await step.read(TABLE.sendings, key);
          if (now) await giveUpSending(step, key, { ...now, isJoining: false });
        });
        throw error;
      }
    });
  }

  async #joined(step: Step, key: string, connection: string | null): Promise<void> {
    const now = await step.read(TABLE.sendings, key);
    if (connection !== null && (!now || now.isDone)) step.effect({ type: "drop", connection });
    if (!now) return;
    step.put(TABLE.sendings, key, { ...now, isJoining: false, connection: now.isDone ? null : connection });
    if (connection === null || now.isDone) return;
    step.put(TABLE.bindings, connection, { kind: "sending", id: key, lastItem: 0 });
  }

  /** Hands a chunk to the agent; false: there is no other one, or not now. */
  async #sendNext(step: Step, key: string): Promise<boolean> {
    const now = await step.read(TABLE.sendings, key);
    if (!now || now.isDone || now.connection === null) return false;
    const item = await step.readSound(TABLE.items, now.item);
    const file = item && isMessage(item) ? item.body.container.file : undefined;
    const number = now.handed.length + 1;
    if (!file || number > chunkCount(file.fileSize)) return false;
    const chunk = await step.read(TABLE.chunks, chunkKey(now.item, number));
    if (!chunk) {
      await giveUpSending(step, key, now);
      return false;
    }
    const body = encodeFilePiece({ number, bytes: chunk.bytes });
    try {
      const agentItem = await this.#core.agent.send(now.connection, body, { notification: false });
      step.put(TABLE.sendings, key, { ...now, handed: [...now.handed, agentItem] });
      return true;
    } catch (error) {
      // The connection is not made yet: `connected` wakes this again.
      if (error instanceof AgentError && error.refusal === "PROHIBITED") return false;
      if (error instanceof AgentError && error.refusal === "CLOSED") return false;
      if (!(error instanceof AgentError && error.refusal === "NOT_FOUND")) throw error;
      await giveUpSending(step, key, now);
      return false;
    }
  }

  /** Something happened to the connection of a file. */
  event({ kind, id }: Binding, event: Bound): Promise<void> {
    return kind === "fetching" ? this.#ofFetching(id, event) : this.#ofSending(id, event);
  }

  async #ofFetching(key: string, event: Bound): Promise<void> {
    const { agent } = this.#core;
    switch (event.type) {
      case "confirmation": {
        const info = await this.#core.step((step) => okInfo(step));
        return ignoringMissing(agent.allow(event.connection, event.confirmation, info));
      }
      case "message":
        await this.#core.step((step) => this.#received(step, key, event));
        return ignoringMissing(agent.acknowledge(event.connection, event.item));
      case "failed":
        return this.#core.step((step) => this.#stopped(step, key));
      default:
    }
  }

  async #received(step: Step, key: string, event: Bound & { readonly type: "message" }): Promise<void> {
    const [fetching, binding] = [await step.read(TABLE.fetchings, key), await step.read(TABLE.bindings, event.connection)];
    if (!fetching || !binding || binding.lastItem >= event.item) return;
    step.put(TABLE.bindings, event.connection, { ...binding, lastItem: event.item });
    await chunkReceived(step, await step.readSound(TABLE.items, fetching.item), readPiece(event.body));
  }

  async #stopped(step: Step, key: string): Promise<void> {
    const fetching = await step.read(TABLE.fetchings, key);
    if (fetching) await chunkReceived(step, await step.readSound(TABLE.items, fetching.item), null);
  }

  async #ofSending(key: string, event: Bound): Promise<void> {
    switch (event.type) {
      case "connected":
        return this.wake("sending", key);
      case "sent":
        return this.#core.step((step) => this.#sent(step, key, event.item));
      case "unsent":
      case "failed":
        return this.#core.step(async (step) => {
          const now = await step.read(TABLE.sendings, key);
          if (now && !now.isDone) await giveUpSending(step, key, now);
        });
      case "message":
        return ignoringMissing(this.#core.agent.acknowledge(event.connection, event.item));
      default:
    }
  }

  /** The relay of the recipient has a chunk; once it has the last one, the connection has done its work. */
  async #sent(step: Step, key: string, agentItem: number): Promise<void> {
    const now = await step.read(TABLE.sendings, key);
    const item = now && await step.readSound(TABLE.items, now.item);
    const file = item && isMessage(item) ? item.body.container.file : undefined;
    if (!now || now.isDone || !file || chunkOf(now, agentItem) < chunkCount(file.fileSize)) return;
    endSending(step, key, now);
    await setFile(step, now.item, "sent");
  }
}

/** What is no part of a file ends it as one that was cancelled. */
function readPiece(body: Uint8Array): ReturnType<typeof decodeFilePiece> {
  try {
    return decodeFilePiece(body);
  } catch {
    return null;
  }
}
