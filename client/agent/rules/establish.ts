import { base64url } from "#crypto/bytes";
import { KeyError } from "#crypto/errors";
import type { KeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { encode } from "#protocol/codec";
import { type E2eKeys, e2eParamsOf, e2eUriOf, generateE2eKeys, generateReplyKeys } from "../../ratchet/agree.ts";
import { RatchetError } from "../../ratchet/errors.ts";
import { chooseE2eParams, e2eParams } from "../../ratchet/parameters.ts";
import { initJoiner } from "../../ratchet/state.ts";
import type { QueueUri } from "#protocol/address";
import { queueInfoOf, smpQueueInfo } from "#protocol/queue-address";
import { LinkError } from "../wire/link-error.ts";
import { AgentError } from "../errors.ts";
import type { Connection } from "../records.ts";
import { AGENT_VERSION, AGENT_VERSIONS, isPqSupported } from "../versions.ts";
import { agreeJoinVersions } from "./join-versions.ts";
import type { ConnectionRequest, InvitationRequest } from "../wire/connection-request.ts";
import { connInfoPaddedLength } from "../wire/padded-lengths.ts";
import { newSndQueue } from "./queues.ts";

const ID_BYTES = 12;

/** An id that names nothing outside of this profile. */
export function newId(): string {
  return base64url(randomBytes(ID_BYTES));
}

export interface Beginning {
  readonly profile: string;
  readonly now: number;
  readonly pq: boolean;
}

function blank({ profile, now, pq }: Beginning, role: Connection["role"]): Connection {
  return {
    id: newId(),
    profile,
    createdAt: now,
    role,
    status: "pending",
    agentVersion: AGENT_VERSIONS.max,
    pq,
    e2eKeys: null,
    e2eParams: null,
    ratchet: null,
    sync: { state: "ok", keys: null, triedAt: 0, seen: [] },
    sent: { number: 0, hash: new Uint8Array() },
    received: { number: 0, hash: new Uint8Array() },
    nextItem: 1,
    nextQueue: 1,
    receive: [],
    send: [],
    info: null,
    confirmation: null,
    link: null,
    todo: [],
  };
}

/** The side that makes an invitation (agent protocol, joining an invitation, step 1). Its queue is not made yet. */
export function newInitiator(beginning: Beginning): Connection & { readonly e2eKeys: E2eKeys } {
  return { ...blank(beginning, "initiator"), e2eKeys: generateE2eKeys(beginning.pq) };
}

/** An address. Its queue is not made yet. */
export function newAddress(beginning: Beginning): Connection {
  return { ...blank(beginning, "contact"), status: "connected" };
}

/** `withKem`: whether the KEM key is in the link, which makes it long. */
export function invitationOf(keys: E2eKeys, queue: QueueUri, withKem: boolean): InvitationRequest {
  return {
    type: "invitation",
    agentVersions: AGENT_VERSIONS,
    queues: [queue],
    clientData: null,
    e2e: e2eUriOf(keys, withKem),
  };
}

/** @throws LinkError when the keys in the link are unusable */
function startRatchet<T>(start: () => T): T {
  try {
    return start();
  } catch (cause) {
    if (!(cause instanceof KeyError || cause instanceof RatchetError)) throw cause;
    throw new LinkError("KEY", "the keys in the link are unusable; ask for another link", { cause });
  }
}

/**
 * What a confirmation needs besides the information: a letter and, for a joiner, its queue. Official clients leave as
 * much, so their longest information fits; a joiner whose relay has long host names may have less.
 */
const ROOM = 138;

/** @throws AgentError when it would not fit into a confirmation */
export function checkInfo(info: Uint8Array, agentVersion: number, pq: boolean): void {
  const most = connInfoPaddedLength(agentVersion, pq) - ROOM;
  if (info.length <= most) return;
  throw new AgentError("LARGE", `connection information of ${info.length} bytes does not fit; the most is ${most}`);
}

/**
 * The side that joins an invitation (steps 2 to 4): it has a ratchet at once. `authKeys`: the pair with which the
 * invitation's queue was secured when its short link was opened.
 * @throws LinkError when there is no version in common; AgentError when the information is too long
 */
export function newJoiner(
  beginning: Beginning,
  request: InvitationRequest,
  info: Uint8Array,
  authKeys?: KeyPair<"Ed25519">,
): Connection {
  const { agent: agentVersion, client } = agreeJoinVersions(request);
  const [link] = request.queues;
  const e2e = chooseE2eParams(request.e2e);
  if (!link || !e2e) throw new LinkError("VERSION", "the link offers no encryption that is known here");
  const pq = beginning.pq && isPqSupported(agentVersion, e2e.version);
  checkInfo(info, agentVersion, pq);
  const keys = generateReplyKeys(e2e, pq);
  const base = blank({ ...beginning, pq }, "joiner");
  const queue = newSndQueue(1, queueInfoOf(link, client), authKeys);
  const mustSecure = queue.mode === "messaging" && queue.status === "new";
  return {
    ...base,
    agentVersion,
    e2eParams: encode(e2eParams, e2eParamsOf(keys, e2e.version)),
    ratchet: startRatchet(() => initJoiner(keys, e2e)),
    nextQueue: 2,
    send: [queue],
    info,
    todo: [...(mustSecure ? [{ type: "secureSend", queue: 1 } as const] : []), { type: "createReply" }],
  };
}

/**
 * The side that asks an address for a connection (agent protocol, contact address, step 2): it becomes the initiator
 * of an invitation that goes to the address.
 * @throws LinkError when there is no version in common; AgentError when the information is too long
 */
export function newRequester(beginning: Beginning, address: ConnectionRequest, info: Uint8Array): Connection {
  const { agent, client } = agreeJoinVersions(address);
  const [queue] = address.queues;
  if (!queue) throw new LinkError("SYNTAX", "the link has no queue");
  const pq = beginning.pq && agent >= AGENT_VERSION.pqRatchet;
  checkInfo(info, agent, pq);
  const task = { type: "request", address: encode(smpQueueInfo, queueInfoOf(queue, client)), agentVersion: agent } as const;
  return { ...newInitiator({ ...beginning, pq }), info, todo: [{ type: "createOwn" }, task] };
}
