import { generateKeyPair } from "#crypto/keys";
import type { Server } from "#protocol/address";
import type { QueueMode } from "#protocol/commands/queue";
import { decode } from "#protocol/codec";
import { smpQueueInfo } from "#protocol/queue-address";
import { ProtocolError } from "../../errors.ts";
import * as smp from "../../smp/calls.ts";
import { createQueue } from "../../smp/queue.ts";
import type { Connection, RcvQueue, TaskOf } from "../records.ts";
import { infoOf, uriOf } from "../rules/addresses.ts";
import { sendOwnInfo, sendReply } from "../rules/confirm.ts";
import { enqueue } from "../rules/enqueue.ts";
import { invitationOf } from "../rules/establish.ts";
import { newRcvQueue, newSndQueue } from "../rules/queues.ts";
import { removeLater } from "../rules/leave.ts";
import { DRAIN_PATIENCE } from "../rules/retry.ts";
import { queueRemoved, rotationQueueMade, stopWaiting, useQueue } from "../rules/rotate.ts";
import { sealRequest } from "../rules/seal.ts";
import { isTemporary } from "../rules/send-failure.ts";
import { isSendingProhibited } from "../rules/sending.ts";
import type { Step } from "../step.ts";
import { formatConnectionRequest } from "../wire/connection-request.ts";
import type { Core } from "./core.ts";
import type { OwnRelays } from "./own-relays.ts";
import type { Conclusion, Perform } from "./tasks.ts";

const NOTHING: Conclusion = () => {};

/** How each task is done with a relay. Every one of them can be repeated: what was done already is done again. */
export class Performer {
  readonly #core: Core;
  readonly #own: OwnRelays;
  /** Since when the relays of queues that are to be emptied cannot be reached. */
  readonly #silentSince = new Map<string, number>();

  constructor(core: Core, own: OwnRelays) {
    this.#core = core;
    this.#own = own;
  }

  readonly perform: Perform = (connection, task) => {
    switch (task.type) {
      case "secureSend":
        return this.#secureSend(connection, task);
      case "createReply":
        return this.#createReply(connection);
      case "secureReceive":
        return this.#secureReceive(connection, task);
      case "confirm":
        return Promise.resolve(sendOwnInfo);
      case "hello":
        return Promise.resolve(sayHello);
      case "createOwn":
        return this.#createOwn(connection);
      case "request":
        return this.#request(connection, task);
      case "rotate":
        return this.#rotate(connection, task);
      case "use":
        // QUSE would go out with a ratchet that is about to be replaced.
        if (isSendingProhibited(connection.sync.state)) return Promise.resolve(null);
        return Promise.resolve((step) => useQueue(step, task.queue));
      case "remove":
        return this.#remove(connection, task);
    }
  };

  /** NEW, with what the profile needs to keep of it; the queue is numbered when it is added to a connection. */
  async create(connection: Connection, server: Server, mode: QueueMode = "messaging"): Promise<Omit<RcvQueue, "id">> {
    const relay = this.#core.relayOf(connection, { server });
    const dhKeys = generateKeyPair("X25519");
    const password = this.#own.passwordOf(server);
    const created = await createQueue(relay.connection, { mode, password });
    return newRcvQueue(0, server, created, dhKeys);
  }

  async #secureSend(connection: Connection, { queue: id }: TaskOf<"secureSend">): Promise<Conclusion> {
    const queue = connection.send.find((one) => one.id === id);
    if (!queue) return NOTHING;
    const { sndId, authKeys } = queue;
    await this.#core.routes.run(connection.profile, queue.server, (relay) => smp.secureAsSender(relay, sndId, authKeys));
    return (step) => step.updateSndQueue(id, { status: "secured" });
  }

  async #createReply(connection: Connection): Promise<Conclusion> {
    const [send] = connection.send;
    const made = await this.create(connection, this.#own.choose(send ? [send.server] : []));
    return (step) => {
      const clientVersion = send?.clientVersion ?? made.clientVersion;
      const queue = { ...made, id: step.nextQueue(), clientVersion };
      step.update({ receive: [queue] });
      sendReply(step, infoOf(queue, clientVersion));
    };
  }

  async #createOwn(connection: Connection): Promise<Conclusion> {
    const made = await this.create(connection, this.#own.choose());
    return (step) => step.update({ receive: [{ ...made, id: step.nextQueue() }] });
  }

  async #secureReceive(connection: Connection, { queue: id, senderKey }: TaskOf<"secureReceive">): Promise<Conclusion> {
    const queue = connection.receive.find((one) => one.id === id);
    if (!queue) return NOTHING;
    const relay = this.#core.relayOf(connection, queue);
    await smp.secureQueue(relay.connection, { entityId: queue.rcvId, key: queue.authKey }, senderKey);
    return (step) => {
      const now = step.connection.receive.find((one) => one.id === id);
      if (now && now.status !== "active") step.updateRcvQueue(id, { status: "secured" });
    };
  }

  async #request(connection: Connection, task: TaskOf<"request">): Promise<Conclusion> {
    const info = decode(smpQueueInfo, task.address);
    const [queue] = connection.receive;
    // Whoever has answered has the request.
    if (!queue || !connection.e2eKeys || connection.confirmation) return NOTHING;
    const body = sealRequest(newSndQueue(0, info), {
      type: "invitation",
      agentVersion: task.agentVersion,
      // Nobody sees this link, so its length does not matter.
      connReq: formatConnectionRequest(invitationOf(connection.e2eKeys, uriOf(queue), true)),
      connInfo: connection.info ?? new Uint8Array(),
    });
    const { senderId, server } = info;
    await this.#core.routes.run(connection.profile, server, (relay) => smp.send(relay, senderId, null, body, true));
    // The answer may have come first, and with it what goes into the confirmation.
    return (step) => (step.connection.confirmation ? undefined : step.update({ info: null }));
  }

  async #rotate(connection: Connection, { replaces, server }: TaskOf<"rotate">): Promise<Conclusion> {
    const own = connection.receive.map((queue) => queue.server);
    const peers = connection.send.map((queue) => queue.server);
    const made = await this.create(connection, server ?? this.#own.choose([...own, ...peers], own));
    return (step, isWanted) => {
      if (isWanted) rotationQueueMade(step, { ...made, id: step.nextQueue(), replaces });
      else removeLater(step, made);
    };
  }

  async #remove(connection: Connection, { queue: id }: TaskOf<"remove">): Promise<Conclusion | null> {
    const queue = connection.receive.find((one) => one.id === id);
    if (!queue) return NOTHING;
    const relay = this.#core.relayOf(connection, queue);
    if (queue.rotation === "draining" || queue.rotation === "received_message") {
      const name = `${connection.id}/${id}`;
      try {
        if (await holdsMessages(relay.connection, queue)) {
          this.#silentSince.delete(name);
          return null;
        }
      } catch (error) {
        if (queue.rotation !== "draining" || !isTemporary(error) || !this.#isOutOfPatience(name)) throw error;
        return (step) => stopWaiting(step, id);
      }
    }
    await removeQueue(relay.connection, queue);
    return (step) => queueRemoved(step, id);
  }

  /** Whether the relay of a queue has been silent for too long. */
  #isOutOfPatience(queue: string): boolean {
    const now = this.#core.clock.now();
    const since = this.#silentSince.get(queue) ?? now;
    this.#silentSince.set(queue, since);
    return now - since >= DRAIN_PATIENCE;
  }
}

/**
 * QUE: whether a queue has messages that were not acknowledged. (SUB does not tell: relays answer it with SOK, and the
 * message comes after it.) A relay that refuses to tell counts as one that has none.
 */
async function holdsMessages(
  relay: Parameters<typeof smp.queueInfo>[0],
  { rcvId, authKey }: Pick<RcvQueue, "rcvId" | "authKey">,
): Promise<boolean> {
  try {
    return (await smp.queueInfo(relay, { entityId: rcvId, key: authKey })).qiSize > 0;
  } catch (error) {
    if (error instanceof ProtocolError && !isTemporary(error)) return false;
    throw error;
  }
}

/** DEL; a relay that does not know the queue has done it. */
export async function removeQueue(
  relay: Parameters<typeof smp.remove>[0],
  { rcvId, authKey }: Pick<RcvQueue, "rcvId" | "authKey">,
): Promise<void> {
  try {
    await smp.remove(relay, { entityId: rcvId, key: authKey });
  } catch (error) {
    if (!(error instanceof ProtocolError && error.error.type === "AUTH")) throw error;
  }
}

function sayHello(step: Step): void {
  const [queue] = step.connection.send;
  if (queue) enqueue(step, { type: "HELLO" }, "hello", { notification: true, queues: [queue] });
}
