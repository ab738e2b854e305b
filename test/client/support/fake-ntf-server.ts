import { equal } from "#crypto/bytes";
import { sameKey } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { Server } from "#protocol/address";
import { findChallenge } from "#protocol/handshake";
import type { NtfAnswer, NtfCommand } from "#protocol/ntf/commands";
import type { NotificationData } from "#protocol/ntf/notification";
import { sameDevice } from "#protocol/ntf/token";
import { delivered, duePush } from "../../../src/relay/notification/delivery.ts";
import { type NtfAsked, type NtfReply, readNtfBlock, writeNtfBlocks } from "../../../src/relay/notification/dispatch.ts";
import { executeNtf, unknownToken } from "../../../src/relay/notification/execute.ts";
import { newDevice, notificationIds } from "../../../src/relay/notification/ids.ts";
import { DEFAULT_NOTIFICATION_LIMITS } from "../../../src/relay/notification/limits.ts";
import type { Push } from "../../../src/relay/notification/ports.ts";
import { acceptNtfHello, openNtfSession } from "../../../src/relay/notification/session.ts";
import { notificationData } from "../../../src/push/provider.ts";
import { MemoryDeviceStore } from "../../support/memory-device.ts";
import { type FakeIdentity, FakeRouter, makeFakeIdentity } from "./fake-router.ts";
import { FakeSocket } from "./fake-socket.ts";

const ids = notificationIds(randomBytes(32));

interface FakeDevice {
  readonly name: Uint8Array;
  readonly store: MemoryDeviceStore;
}

/** A relay without queues, and its notification server: the rules of the real one over memory. */
export class FakeNtfServer {
  readonly router: FakeRouter;
  /** With which the notification server itself signs: another than the router's after a change of certificates. */
  identity: FakeIdentity;
  /** Commands that came, and blocks in which they did. */
  readonly commands: NtfCommand["tag"][] = [];
  blocks = 0;
  connections = 0;
  devices: FakeDevice[] = [];
  now: () => number = () => Date.UTC(2026, 10, 23);
  /** In place of the rules; undefined: they answer; null: silence. */
  answer: (command: NtfCommand) => NtfAnswer | null | undefined = () => undefined;
  /** Changes what is sent. */
  send: (socket: FakeSocket, block: Uint8Array) => void = (socket, block) => socket.deliver(block);
  /** Whether it proves who it is. */
  proves = true;
  sockets: FakeSocket[] = [];

  constructor(identity = makeFakeIdentity()) {
    this.identity = identity;
    this.router = new FakeRouter(identity);
  }

  get server(): Server {
    return this.router.server;
  }

  readonly openSocket = (url: string): FakeSocket => {
    if (new URL(url).pathname !== "/ntf") return this.router.openSocket(url);
    const socket = new FakeSocket(url);
    this.connections++;
    this.sockets.push(socket);
    queueMicrotask(() => this.#welcome(socket));
    return socket;
  };

  #welcome(socket: FakeSocket): void {
    const { certChain: [certificate, caCertificate], key } = this.identity;
    if (!certificate || !caCertificate) throw new Error("a relay has two certificates");
    const online = { certificate, caCertificate, key };
    const opened = openNtfSession(online, { challenge: this.proves ? findChallenge(socket.url) : null, gateway: null });
    let session: ReturnType<typeof acceptNtfHello> | null = null;
    socket.onSent = (block) => {
      if (!session) {
        session = acceptNtfHello(opened.session, block, online);
        return;
      }
      this.blocks++;
      const replies = readNtfBlock(session, block).flatMap((one) => {
        const reply = "reply" in one ? one.reply : this.#do(one.asked);
        return reply ? [reply] : [];
      });
      for (const answer of writeNtfBlocks(session, replies)) this.send(socket, answer);
    };
    socket.open();
    socket.deliver(opened.block);
  }

  #do({ command, corrId, entityId, auth }: NtfAsked): NtfReply | null {
    this.commands.push(command.tag);
    const chosen = this.answer(command);
    if (chosen === null) return null;
    const isOfNothing = chosen?.tag === "ERR" ? false : command.tag === "TNEW" || command.tag === "SNEW";
    if (chosen) return { corrId, entityId: isOfNothing ? new Uint8Array() : entityId, answer: chosen };
    if (command.tag === "PING") return { corrId, entityId, answer: { tag: "PONG" } };
    const device = this.#deviceOf(command, entityId);
    if (!device) return { corrId, entityId, ...unknownToken(auth) };
    const { answer } = executeNtf(device.store, { command, entityId, auth }, {
      now: this.now(),
      limits: DEFAULT_NOTIFICATION_LIMITS,
      allows: () => true,
      tokenId: ids.tokenId(device.name),
      newSubId: () => ids.newSubId(device.name),
    });
    return { corrId, entityId, answer };
  }

  #deviceOf(command: NtfCommand, entityId: Uint8Array): FakeDevice | null {
    if (command.tag === "TNEW") {
      const known = this.devices.find(({ store }) => {
        const record = store.record();
        return record && sameDevice(record.token, command.token) && sameKey(record.verifyKey, command.verifyKey);
      });
      if (known) return known;
      const device = { name: newDevice(), store: new MemoryDeviceStore() };
      this.devices.push(device);
      return device;
    }
    const isSub = command.tag === "SCHK" || command.tag === "SDEL";
    const id = command.tag === "SNEW" ? command.tokenId : entityId;
    const name = isSub ? ids.deviceOfSub(id) : ids.deviceOfToken(id);
    return this.devices.find((device) => name !== null && equal(device.name, name)) ?? null;
  }

  /** The token that was registered last. */
  get device(): MemoryDeviceStore {
    const last = this.devices.at(-1);
    if (!last) throw new Error("no token was registered");
    return last.store;
  }

  /** What the push that is due brings to the device; null: none is due. */
  push(store = this.device): NotificationData | null {
    const push: Push | null = duePush(store, DEFAULT_NOTIFICATION_LIMITS, this.now());
    if (!push) return null;
    delivered(store, push, { type: "sent" }, DEFAULT_NOTIFICATION_LIMITS, this.now(), 0);
    return notificationData(push);
  }
}
