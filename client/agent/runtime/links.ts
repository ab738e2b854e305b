import { base64url, concat, equal } from "#crypto/bytes";
import { generateKeyPair, type KeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { formatServerAddress, type QueueUri, type Server } from "#protocol/address";
import { ID_LENGTH } from "#protocol/limits";
import { UnexpectedAnswerError } from "../../errors.ts";
import * as smp from "../../smp/calls.ts";
import { createQueue, senderIdOf } from "../../smp/queue.ts";
import { readRecord, recordChange } from "../../store/record.ts";
import { shortLinkOf } from "../describe.ts";
import type { NewLinkOptions } from "../options.ts";
import { checkLinkKey, type Connection, type RcvQueue, type ShortLinkOwner } from "../records.ts";
import { newRcvQueue } from "../rules/queues.ts";
import { TABLE } from "../tables.ts";
import { AGENT_VERSIONS, SMP_CLIENT_VERSIONS } from "../versions.ts";
import { checkLinkQueue, createLinkData, type OpenedLinkData, openLinkData, sealUserData } from "../wire/link-box.ts";
import type { ConnectionMode, ConnectionRequest } from "../wire/connection-request.ts";
import type { UserLinkData } from "../wire/link-data.ts";
import { linkSecrets } from "../wire/link-keys.ts";
import { LinkError } from "../wire/link-error.ts";
import type { ShortLink } from "../wire/short-link.ts";
import type { Core } from "./core.ts";
import type { OwnRelays } from "./own-relays.ts";
import { Performer } from "./perform.ts";

/** A new queue for a link, and what its owner needs to change the short link's data. */
export interface LinkedQueue {
  readonly queue: Omit<RcvQueue, "id">;
  readonly link: ShortLinkOwner;
}

/** What a link leads to. */
export interface Resolved extends OpenedLinkData {
  /** With which the queue of an invitation is secured by now. */
  readonly authKeys: KeyPair<"Ed25519"> | null;
}

/** What the application puts behind a link, with what the agent adds to it. */
export function userDataOf(mode: ConnectionMode, data: Uint8Array): UserLinkData {
  if (mode === "invitation") return { type: "invitation", agentVersions: AGENT_VERSIONS, data };
  return { type: "contact", agentVersions: AGENT_VERSIONS, direct: true, owners: [], relays: [], data };
}

/** Links and the queues that they lead to (agent protocol, short link data). */
export class Links {
  readonly #core: Core;
  readonly #own: OwnRelays;

  constructor(core: Core, own: OwnRelays) {
    this.#core = core;
    this.#own = own;
  }

  /** The first queue of a connection, and the short link to it unless none is wanted; then the connection itself. */
  async begin(
    connection: Connection,
    mode: ConnectionMode,
    request: (uri: QueueUri) => ConnectionRequest,
    { server, data = new Uint8Array(), short = true }: NewLinkOptions,
  ): Promise<{ readonly queue: RcvQueue; readonly short: ShortLink | null }> {
    const at: Server = server ?? this.#own.choose();
    const queueMode = mode === "invitation" ? "messaging" : "contact";
    const made = short
      ? await this.#create(connection, at, mode, request, data)
      : { queue: await new Performer(this.#core, this.#own).create(connection, at, queueMode), link: null };
    const queue = { ...made.queue, id: connection.nextQueue };
    await this.#core.begin({ ...connection, nextQueue: queue.id + 1, receive: [queue], link: made.link }, () => undefined);
    return { queue, short: made.link && shortLinkOf(mode, queue.server, made.link) };
  }

  /**
   * A queue with the data of a short link. The data names the queue, so the id comes first: it follows from the
   * correlation id, which is used for this one command only.
   */
  async #create(
    connection: Connection,
    server: Server,
    mode: ConnectionMode,
    request: (uri: QueueUri) => ConnectionRequest,
    data: Uint8Array,
  ): Promise<LinkedQueue> {
    const relay = this.#core.relayOf(connection, { server });
    const corrId = randomBytes(ID_LENGTH);
    const dhKeys = generateKeyPair("X25519");
    const queueMode = mode === "invitation" ? "messaging" : "contact";
    const uri: QueueUri = {
      clientVersions: SMP_CLIENT_VERSIONS,
      server: { hosts: server.hosts, port: server.port, keyHash: server.keyHash },
      senderId: senderIdOf(corrId),
      dhKey: dhKeys.publicKey,
      mode: queueMode,
    };
    const rootKeys = generateKeyPair("Ed25519");
    const fixed = { agentVersions: AGENT_VERSIONS, request: request(uri), linkEntityId: null };
    const made = createLinkData({ rootKeys, fixed, user: userDataOf(mode, data) });
    const link = { corrId, linkData: made.data, ...(made.linkId ? { linkId: made.linkId } : {}) };
    const password = this.#own.passwordOf(server);
    const created = await createQueue(relay.connection, { mode: queueMode, password, link });
    const linkId = made.linkId ?? created.linkId;
    if (!equal(created.senderId, uri.senderId) || !linkId) {
      throw new UnexpectedAnswerError(relay.connection.host, "the relay gave the queue another id than its link names");
    }
    return {
      queue: newRcvQueue(0, server, created, dhKeys),
      link: { linkId, linkKey: made.linkKey, rootKey: rootKeys, fixedData: made.data.fixedData },
    };
  }

  /** LSET: other data behind the same link. */
  async update(connection: Connection, queue: RcvQueue, link: ShortLinkOwner, data: Uint8Array): Promise<void> {
    const mode = connection.role === "contact" ? "contact" : "invitation";
    const userData = sealUserData(link.linkKey, userDataOf(mode, data), link.rootKey.secretKey);
    const relay = this.#core.relayOf(connection, queue);
    const entity = { entityId: queue.rcvId, key: queue.authKey };
    await smp.setLink(relay.connection, entity, link.linkId, { fixedData: link.fixedData, userData });
  }

  /** LDEL: the short link leads nowhere any more. */
  async remove(connection: Connection, queue: RcvQueue): Promise<void> {
    const relay = this.#core.relayOf(connection, queue);
    await smp.removeLink(relay.connection, { entityId: queue.rcvId, key: queue.authKey });
  }

  /**
   * Fetches and checks what is behind a short link. An invitation is taken by that: nobody else can use it any more,
   * which is why its key is kept.
   */
  async resolve(profile: string, link: ShortLink): Promise<Resolved> {
    const { linkId } = link.mode === "invitation" ? link : linkSecrets("contact", link.linkKey);
    if (!linkId) throw new LinkError("KEY", "the link has no id");
    const authKeys = link.mode === "invitation" ? await this.#linkKey(link.server, linkId) : null;
    const { result } = await this.#core.routes.run(profile, link.server, (relay) =>
      authKeys ? smp.secureLink(relay, linkId, authKeys) : smp.getLink(relay, linkId));
    const { senderId, linkData } = result;
    const opened = openLinkData(link.mode, link.linkKey, linkData);
    checkLinkQueue(opened.fixed, link.server, senderId);
    return { ...opened, authKeys };
  }

  /** One key for each link, stored before it is used, so that asking again works. */
  async #linkKey(server: Server, linkId: Uint8Array): Promise<KeyPair<"Ed25519">> {
    const { store, clock } = this.#core;
    const key = `${base64url(linkId)}/${base64url(concat(server.keyHash))}`;
    const known = await readRecord(store, TABLE.linkKeys, key, checkLinkKey);
    if (known) return known.authKeys;
    const authKeys = generateKeyPair("Ed25519");
    await store.write([recordChange(TABLE.linkKeys, key, { authKeys, at: clock.now() })]);
    return authKeys;
  }
}

/** A name for a server, for messages to people. */
export function nameOf(server: Server): string {
  return formatServerAddress({ ...server, password: null });
}
