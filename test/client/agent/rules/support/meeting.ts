import { EMPTY } from "#crypto/bytes";
import type { QueueMode } from "#protocol/commands/queue";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { Server } from "#protocol/address";
import type { Connection, RcvQueue } from "../../../../../client/agent/records.ts";
import { infoOf } from "../../../../../client/agent/rules/addresses.ts";
import { allow, sendOwnInfo, sendReply } from "../../../../../client/agent/rules/confirm.ts";
import { enqueue } from "../../../../../client/agent/rules/enqueue.ts";
import { delivered } from "../../../../../client/agent/rules/delivered.ts";
import { invitationOf, newAddress, newInitiator, newJoiner } from "../../../../../client/agent/rules/establish.ts";
import { newRcvQueue } from "../../../../../client/agent/rules/queues.ts";
import { sealDelivery } from "../../../../../client/agent/rules/seal.ts";
import { e2eParamsOf, e2eUriOf } from "../../../../../client/ratchet/agree.ts";
import { chooseE2eParams } from "../../../../../client/ratchet/parameters.ts";
import { queueUriOf } from "#protocol/queue-address";
import { newOwn, Peer } from "./peer.ts";
import { Side } from "./side.ts";

// Connections between the side under test and a peer, made without relays.

export function serverNamed(host: string): Server {
  return { hosts: [host], port: "", keyHash: new Uint8Array(32).fill(1) };
}

export function newQueue(id: number, host = "own.example.com", mode: QueueMode | null = "messaging"): RcvQueue {
  const created = {
    entityId: randomBytes(24),
    senderId: randomBytes(24),
    key: generateKeyPair("Ed25519").secretKey,
    rcvDhSecret: randomBytes(32),
    mode,
    linkId: null,
    serviceId: null,
    notifier: null,
  };
  return newRcvQueue(id, serverNamed(host), created, generateKeyPair("X25519"));
}

export interface Meeting {
  readonly side: Side;
  readonly peer: Peer;
}

export function copyOf({ side, peer }: Meeting): Meeting {
  return { side: side.copy(), peer: peer.copy() };
}

const BEGINNING = { profile: "main", now: Date.UTC(2026, 10, 23), pq: false };

/** The side has made an invitation and the peer has it. */
export async function invited({ mode = "messaging", pq = false }: { mode?: QueueMode | null; pq?: boolean } = {}): Promise<Meeting> {
  const connection = newInitiator({ ...BEGINNING, pq });
  const queue = newQueue(1, "own.example.com", mode);
  const side = await Side.begin({ ...connection, nextQueue: 2, receive: [queue] });
  const link = chooseE2eParams(e2eUriOf(connection.e2eKeys, true));
  if (!link) throw new Error("no version in common");
  return { side, peer: Peer.joiner(link, infoOf(queue, 4), pq) };
}

/** Runs what waits for a relay, as if every relay were at hand. */
export async function work(side: Side, mode: QueueMode | null = "messaging"): Promise<void> {
  for (let task = await nextTask(side); task; task = await nextTask(side)) {
    const current = task;
    await side.step((step) => {
      step.finishTask();
      switch (current.type) {
        case "secureSend":
          step.updateSndQueue(current.queue, { status: "secured" });
          return;
        case "secureReceive":
          step.updateRcvQueue(current.queue, { status: "secured" });
          return;
        case "createReply": {
          const queue = newQueue(step.nextQueue(), "own.example.com", mode);
          step.update({ receive: [queue] });
          sendReply(step, infoOf(queue, queue.clientVersion));
          return;
        }
        case "confirm":
          sendOwnInfo(step);
          return;
        case "hello":
          enqueue(step, { type: "HELLO" }, "hello", { queues: step.connection.send.slice(0, 1) });
          return;
        default:
          throw new Error(`${current.type} is not for here`);
      }
    });
  }
}

async function nextTask(side: Side): Promise<Connection["todo"][number] | undefined> {
  return (await side.connection()).todo[0];
}

/** What the relay takes from the side's outbox of a queue: bodies of SEND. */
export async function collect(side: Side, queue: number): Promise<Uint8Array[]> {
  const bodies: Uint8Array[] = [];
  for (const delivery of await side.waiting(queue)) {
    const found = (await side.connection()).send.find(({ id }) => id === queue);
    if (!found) break;
    bodies.push(sealDelivery(found, delivery).body);
    await side.step((step) => delivered(step, queue, delivery));
  }
  return bodies;
}

/** The peer has answered; the application has not allowed it yet. */
export async function confirmed(options: Parameters<typeof invited>[0] = {}): Promise<Meeting> {
  const meeting = await invited(options);
  await meeting.side.receive(1, meeting.peer.reply());
  return meeting;
}

/** The side made the invitation, the peer joined. */
export async function connectedAsInitiator(options: Parameters<typeof invited>[0] = {}): Promise<Meeting> {
  const meeting = await confirmed(options);
  const { side, peer } = meeting;
  await allowNow(side);
  await work(side);
  for (const body of await collect(side, 2)) peer.read(body);
  return meeting;
}

export async function allowNow(side: Side): Promise<void> {
  const { confirmation } = await side.connection();
  if (!confirmation) throw new Error("there is nothing to allow");
  await side.step((step) => allow(step, confirmation.id, EMPTY));
}

/** The side has joined an invitation of the peer, and waits for its confirmation. */
export async function joined({ mode = "messaging", pq = false }: { mode?: QueueMode | null; pq?: boolean } = {}): Promise<Meeting> {
  const peer = Peer.initiator(pq);
  const own = newOwn(serverNamed("peer.example.com"), mode);
  peer.own = [own];
  const uri = queueUriOf(own.info, { min: 1, max: 4 });
  const connection = newJoiner({ ...BEGINNING, pq }, invitationOf(peer.keys, uri, true), EMPTY);
  const side = await Side.begin(connection);
  await work(side);
  for (const body of await collect(side, 1)) peer.meet(body);
  return { side, peer };
}

export async function connectedAsJoiner(options: Parameters<typeof joined>[0] = {}): Promise<Meeting> {
  const meeting = await joined(options);
  await meeting.side.receive(2, meeting.peer.confirmation({ type: "connInfo", connInfo: EMPTY }, { e2eParams: null }));
  return meeting;
}

/** An address that the peer has the link of. */
export async function addressed(): Promise<Meeting> {
  const connection = newAddress(BEGINNING);
  const queue = newQueue(1, "own.example.com", "contact");
  const side = await Side.begin({ ...connection, nextQueue: 2, receive: [queue] });
  const peer = Peer.initiator();
  peer.lanes = [{ ...laneTo(queue) }];
  return { side, peer };
}

function laneTo(queue: RcvQueue): Peer["lanes"][number] {
  return Peer.joiner(e2eParamsOf(Peer.initiator().keys, 3), infoOf(queue, 4)).lane;
}
