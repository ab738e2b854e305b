import { EMPTY } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { parseServerAddress } from "#protocol/address";
import { queueInfoOf, queueUriOf, type SmpQueueInfo } from "#protocol/queue-address";
import { invitationOf } from "../../../client/agent/rules/establish.ts";
import { formatLink, parseLink } from "../../../client/agent/wire/link.ts";
import type { AgentMessage } from "../../../client/agent/wire/agent-message.ts";
import { RatchetError } from "../../../client/ratchet/errors.ts";
import { chooseE2eParams } from "../../../client/ratchet/parameters.ts";
import * as smp from "../../../client/smp/api.ts";
import { RelayConnection } from "../../../client/smp/relay-connection.ts";
import { newOwn, type Own, Peer } from "../../client/agent/rules/support/peer.ts";

export interface RelayPlace {
  readonly address: string;
  readonly url: string;
}

function connectionTo({ address, url }: RelayPlace): RelayConnection {
  return new RelayConnection({ server: parseServerAddress(address), url });
}

/** Somebody who talks to an agent through a relay, has all keys of the connection, and is no agent. */
export class HostilePeer {
  readonly peer: Peer;
  readonly relay: RelayConnection;
  #queue: smp.RcvQueue | null = null;
  readonly #bodies: Uint8Array[] = [];
  #arrived: (() => void) | null = null;
  #isClosed = false;

  private constructor(peer: Peer, relay: RelayConnection) {
    this.peer = peer;
    this.relay = relay;
    this.#read().catch((error: unknown) => {
      if (!this.#isClosed) throw error;
    });
  }

  /** Takes an invitation: nothing is sent yet. */
  static take(place: RelayPlace, text: string): HostilePeer {
    const link = parseLink(text);
    const e2e = link.type === "invitation" ? chooseE2eParams(link.e2e) : null;
    if (link.type !== "invitation" || !e2e) throw new Error("that is no invitation");
    return new HostilePeer(Peer.joiner(e2e, queueInfoOf(link.queues[0], 4)), connectionTo(place));
  }

  /** Makes an invitation as an old agent does: its queue has no mode. */
  static async invite(place: RelayPlace): Promise<{ readonly peer: HostilePeer; readonly link: string }> {
    const peer = new HostilePeer(Peer.initiator(), connectionTo(place));
    const own = await peer.makeQueue(place, null);
    peer.peer.own = [own];
    const request = invitationOf(peer.peer.keys, queueUriOf(own.info, { min: 1, max: 4 }), true);
    return { peer, link: formatLink(request) };
  }

  /** A queue of its own on the same relay, as it is told to the agent. */
  async makeQueue(place: RelayPlace, mode: SmpQueueInfo["mode"] = "messaging"): Promise<Own> {
    const dhKeys = generateKeyPair("X25519");
    this.#queue = await smp.createQueue(this.relay);
    const { hosts, port, keyHash } = parseServerAddress(place.address);
    const { info } = newOwn({ hosts, port, keyHash }, mode);
    return { info: { ...info, senderId: this.#queue.senderId, dhKey: dhKeys.publicKey }, dhKeys, secret: null };
  }

  /** Secures the agent's queue: nobody else can send to it then. */
  secure(): Promise<void> {
    const { address, authKeys } = this.peer.lane;
    return smp.secureAsSender(this.relay, address.senderId, authKeys);
  }

  /** Answers the invitation honestly. */
  async join(place: RelayPlace): Promise<void> {
    const own = await this.makeQueue(place);
    await this.secure();
    await this.say(this.peer.reply({}, own));
  }

  /** Answers the invitation as an old agent does: both queues are secured by their recipients. */
  async joinAsOld(place: RelayPlace): Promise<void> {
    const own = await this.makeQueue(place, null);
    const { address, authKeys } = this.peer.lane;
    await smp.send(this.relay, address.senderId, null, this.peer.reply({ senderKey: authKeys.publicKey }, own));
  }

  /** The initiator's confirmation, as an old agent sends it. */
  async confirmAsOld(): Promise<void> {
    const { address, authKeys } = this.peer.lane;
    const message = { type: "connInfo", connInfo: EMPTY } as const;
    const body = this.peer.confirmation(message, { e2eParams: null, senderKey: authKeys.publicKey });
    await smp.send(this.relay, address.senderId, null, body);
  }

  /** KEY on its own queue, with the key that the agent told. */
  async secureOwn(): Promise<void> {
    const { senderKey } = this.peer;
    if (!this.#queue || !senderKey) throw new Error("the agent has told no key");
    await smp.secureQueue(this.relay, this.#queue, senderKey);
  }

  /** SEND of these bytes to the agent. */
  async say(body: Uint8Array): Promise<void> {
    const { address, authKeys } = this.peer.lane;
    await smp.send(this.relay, address.senderId, authKeys.secretKey, body);
  }

  /** The next thing that the agent sends, decrypted. What an agent has sent twice is heard once. */
  async hear(): Promise<AgentMessage> {
    for (;;) {
      try {
        return this.peer.read(await this.#next());
      } catch (error) {
        if (!(error instanceof RatchetError && error.code === "DUPLICATE")) throw error;
      }
    }
  }

  /** The confirmation of an agent that joins its invitation. */
  async meet(): Promise<ReturnType<Peer["meet"]>> {
    return this.peer.meet(await this.#next());
  }

  async #next(): Promise<Uint8Array> {
    while (this.#bodies.length === 0) await new Promise<void>((resolve) => (this.#arrived = resolve));
    return this.#bodies.shift() ?? EMPTY;
  }

  /** Deletes the queue that the agent sends to. */
  async vanish(): Promise<void> {
    if (this.#queue) await smp.remove(this.relay, this.#queue);
  }

  close(): void {
    this.#isClosed = true;
    this.relay.dispose();
  }

  async #read(): Promise<void> {
    for await (const event of this.relay.events) {
      if (event.type !== "message" || event.message.tag !== "MSG" || !this.#queue) continue;
      const received = smp.openMessage(this.relay, this.#queue, event.message);
      await smp.acknowledge(this.relay, this.#queue, event.message.msgId);
      if (received.type !== "message") continue;
      this.#bodies.push(received.body);
      this.#arrived?.();
    }
  }
}
