import { EMPTY, fromUtf8, hex, utf8 } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import type { Delivery, RcvQueue, SndQueue, Task } from "../../../../../client/agent/records.ts";
import { infoOf, uriOf } from "../../../../../client/agent/rules/addresses.ts";
import { allow, sendOwnInfo, sendReply } from "../../../../../client/agent/rules/confirm.ts";
import { delivered, refused } from "../../../../../client/agent/rules/delivered.ts";
import { enqueue } from "../../../../../client/agent/rules/enqueue.ts";
import { invitationOf, newInitiator, newJoiner } from "../../../../../client/agent/rules/establish.ts";
import { queueRemoved, rotationQueueMade, useQueue } from "../../../../../client/agent/rules/rotate.ts";
import { sealDelivery } from "../../../../../client/agent/rules/seal.ts";
import { canSend } from "../../../../../client/agent/rules/sending.ts";
import type { Step } from "../../../../../client/agent/step.ts";
import { newQueue } from "./meeting.ts";
import { type Outcome, Side } from "./side.ts";

/** A queue on a relay: the first message stays until it is acknowledged. */
interface Kept {
  readonly messages: { readonly msgId: Uint8Array; readonly body: Uint8Array }[];
  /** Whether the first message was delivered. */
  isOut: boolean;
  isGone: boolean;
}

/** One person in the world: a side, and an application that acknowledges when told to. */
export interface Actor {
  side: Side;
  readonly received: string[];
  /** Messages that the application has got and not acknowledged. */
  readonly unread: number[];
  readonly sent: string[];
}

function newActor(side: Side): Actor {
  return { side, received: [], unread: [], sent: [] };
}

export function copyOfActor({ side, received, unread, sent }: Actor): Actor {
  return { side: side.copy(), received: [...received], unread: [...unread], sent: [...sent] };
}

/**
 * Two sides and relays between them, where nothing happens by itself: tests say what comes next, in any order that
 * the network could bring about. Relays behave as SMP says: in order, one message at a time until it is acknowledged.
 */
export class World {
  readonly #queues = new Map<string, Kept>();
  #made = 0;

  /** Two people who have just connected. */
  static async connected(pq = false): Promise<{ readonly world: World; readonly a: Actor; readonly b: Actor }> {
    const world = new World();
    const beginning = { profile: "main", now: Date.UTC(2026, 10, 23), pq };
    const initiator = newInitiator(beginning);
    const queue = { ...world.create(), id: 1 };
    const a = newActor(await Side.begin({ ...initiator, nextQueue: 2, receive: [queue] }));
    const b = newActor(await Side.begin(newJoiner(beginning, invitationOf(initiator.e2eKeys, uriOf(queue), true), EMPTY)));
    await world.settle(a, b);
    const { confirmation } = await a.side.connection();
    if (!confirmation) throw new Error("nobody answered");
    await a.side.step((step) => allow(step, confirmation.id, EMPTY));
    await world.settle(a, b);
    return { world, a, b };
  }

  /** The same once more, so that tests which share a beginning do not disturb each other. */
  copy(): World {
    const copy = new World();
    copy.#made = this.#made;
    for (const [id, kept] of this.#queues) copy.#queues.set(id, { ...kept, messages: [...kept.messages] });
    return copy;
  }

  create(): RcvQueue {
    const queue = newQueue(0, `relay${this.#made++}.example.com`);
    this.#queues.set(hex(queue.sndId), { messages: [], isOut: false, isGone: false });
    return queue;
  }

  /** Does what there is to do until nothing is left. */
  async settle(...actors: readonly Actor[]): Promise<void> {
    let rounds = 0;
    for (let isBusy = true; isBusy;) {
      isBusy = false;
      if (rounds++ > 200) throw new Error("the world does not come to rest");
      for (const actor of actors) {
        for (const action of [this.work, this.pump, this.take, this.read]) {
          while (await action.call(this, actor)) isBusy = true;
        }
      }
    }
  }

  /** A program starts anew: what was not acknowledged comes again, and the application asks for what it has not read. */
  async restart(actor: Actor): Promise<void> {
    await this.resubscribe(actor);
    actor.unread.splice(0, Infinity, ...actor.side.held);
  }

  /** A subscription starts anew: what was not acknowledged comes again. */
  async resubscribe({ side }: Actor): Promise<void> {
    for (const { sndId } of (await side.connection()).receive) this.#kept(sndId).isOut = false;
  }

  /** False: not in this state of the connection. */
  async send(actor: Actor, text: string): Promise<boolean> {
    if (!canSend(await actor.side.connection())) return false;
    await this.#step(actor, (step) => enqueue(step, { type: "A_MSG", body: utf8(text) }, "message"));
    actor.sent.push(text);
    return true;
  }

  /**
   * One item of the outbox goes to its relay. `index`: of the queues that have something. `isLost`: the answer of the
   * relay does not come back, so that the item will be sent again. False: there is none.
   */
  async pump(actor: Actor, index = 0, isLost = false): Promise<boolean> {
    const { send } = await actor.side.connection();
    const waiting: { queue: SndQueue; delivery: Delivery }[] = [];
    for (const queue of send) {
      const [delivery] = await actor.side.waiting(queue.id);
      if (delivery) waiting.push({ queue, delivery });
    }
    const chosen = waiting[index % Math.max(1, waiting.length)];
    if (!chosen) return false;
    const { queue, delivery } = chosen;
    const kept = this.#kept(queue.sndId);
    if (kept.isGone) {
      await this.#step(actor, (step) => refused(step, queue.id, delivery, { type: "drop", reason: "NOT_AVAILABLE", detail: "AUTH" }));
      return true;
    }
    kept.messages.push({ msgId: randomBytes(24), body: sealDelivery(queue, delivery).body });
    if (!isLost) await this.#step(actor, (step) => delivered(step, queue.id, delivery));
    return true;
  }

  /** A message is delivered. `index`: of the queues that have one. False: there is none. */
  async take(actor: Actor, index = 0): Promise<boolean> {
    const { receive } = await actor.side.connection();
    const ready = receive.filter(({ sndId }) => {
      const { isOut, isGone, messages } = this.#kept(sndId);
      return !isOut && !isGone && messages.length > 0;
    });
    const queue = ready[index % Math.max(1, ready.length)];
    if (!queue) return false;
    const kept = this.#kept(queue.sndId);
    const [first] = kept.messages;
    if (!first) return false;
    kept.isOut = true;
    const outcome = await actor.side.receive(queue.id, first.body, first.msgId);
    for (const event of outcome.events) {
      if (event.type !== "message") continue;
      actor.received.push(fromUtf8(event.body));
      actor.unread.push(event.item);
    }
    await this.#follow(actor, outcome);
    return true;
  }

  /** The application acknowledges the oldest message. */
  async read(actor: Actor, receipt: Uint8Array | null = null): Promise<boolean> {
    const item = actor.unread.shift();
    if (item === undefined) return false;
    await this.#follow(actor, await actor.side.acknowledge(item, receipt));
    return true;
  }

  /** The first task is done. False: there is none, or it is too early for it. */
  async work(actor: Actor): Promise<boolean> {
    const { todo: [task], receive } = await actor.side.connection();
    if (!task) return false;
    if (task.type === "remove") {
      const queue = receive.find(({ id }) => id === task.queue);
      const kept = queue && this.#kept(queue.sndId);
      const isDrained = queue?.rotation === "draining" || queue?.rotation === "received_message";
      // SUB on a queue that holds messages brings the first of them again.
      if (kept && isDrained && kept.messages.length > 0) {
        const wasOut = kept.isOut;
        kept.isOut = false;
        return wasOut;
      }
    }
    await this.#step(actor, (step) => {
      step.finishTask();
      this.#perform(step, task);
    });
    return true;
  }

  #perform(step: Step, task: Task): void {
    switch (task.type) {
      case "secureSend":
        return step.updateSndQueue(task.queue, { status: "secured" });
      case "secureReceive":
        return step.updateRcvQueue(task.queue, { status: "secured" });
      case "createReply": {
        const queue = { ...this.create(), id: step.nextQueue() };
        step.update({ receive: [queue] });
        return sendReply(step, infoOf(queue, queue.clientVersion));
      }
      case "confirm":
        return sendOwnInfo(step);
      case "rotate":
        return rotationQueueMade(step, { ...this.create(), id: step.nextQueue(), replaces: task.replaces });
      case "use":
        return useQueue(step, task.queue);
      case "remove": {
        const queue = step.connection.receive.find(({ id }) => id === task.queue);
        if (queue) this.#kept(queue.sndId).isGone = true;
        return queueRemoved(step, task.queue);
      }
      default:
        throw new Error(`${task.type} is not for here`);
    }
  }

  async #step(actor: Actor, action: (step: Step) => unknown): Promise<void> {
    await this.#follow(actor, await actor.side.step(action));
  }

  /** What a step wants of relays. */
  async #follow({ side }: Actor, { acked, effects }: Outcome): Promise<void> {
    const { receive } = await side.connection();
    for (const effect of effects) {
      const queue = effect.type === "again" ? receive.find(({ id }) => id === effect.queue) : undefined;
      if (queue) this.#kept(queue.sndId).isOut = false;
    }
    for (const kept of this.#queues.values()) {
      const [first] = kept.messages;
      if (!first || !acked.includes(hex(first.msgId))) continue;
      kept.messages.shift();
      kept.isOut = false;
    }
  }

  #kept(sndId: Uint8Array): Kept {
    const kept = this.#queues.get(hex(sndId));
    if (!kept) throw new Error("there is no such queue");
    return kept;
  }
}
