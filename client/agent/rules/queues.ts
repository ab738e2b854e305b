import { generateKeyPair, type KeyPair, dh } from "#crypto/keys";
import type { QueueUri, Server } from "#protocol/address";
import { agreedVersion } from "#protocol/version";
import type { RcvQueue as CreatedQueue } from "../../smp/queue.ts";
import type { RcvQueue, SndQueue } from "../records.ts";
import { SMP_CLIENT_VERSIONS } from "../versions.ts";
import { queueInfoOf, type SmpQueueInfo } from "#protocol/queue-address";

/** A queue's address in the highest version that both sides speak; null when there is none. */
export function chooseQueue(uri: QueueUri): SmpQueueInfo | null {
  const version = agreedVersion(SMP_CLIENT_VERSIONS, uri.clientVersions);
  return version === null ? null : queueInfoOf(uri, version);
}

/** A queue of the peer, with fresh keys of ours. `authKeys`: the pair with which it was secured already. */
export function newSndQueue(id: number, info: SmpQueueInfo, authKeys?: KeyPair<"Ed25519">): SndQueue {
  const dhKeys = generateKeyPair("X25519");
  return {
    id,
    server: info.server,
    sndId: info.senderId,
    authKeys: authKeys ?? generateKeyPair("Ed25519"),
    dhKeys,
    e2eSecret: dh(dhKeys.secretKey, info.dhKey),
    clientVersion: Math.min(info.clientVersion, SMP_CLIENT_VERSIONS.max),
    mode: info.mode,
    status: authKeys ? "secured" : "new",
    replaces: null,
    rotation: null,
  };
}

/** A queue that a relay has made. */
export function newRcvQueue(id: number, server: Server, created: CreatedQueue, dhKeys: KeyPair<"X25519">): RcvQueue {
  const { hosts, port, keyHash } = server;
  return {
    id,
    server: { hosts: [...hosts], port, keyHash },
    rcvId: created.entityId,
    sndId: created.senderId,
    authKey: created.key,
    rcvDhSecret: created.rcvDhSecret,
    dhKeys,
    e2eSecret: null,
    clientVersion: SMP_CLIENT_VERSIONS.max,
    mode: created.mode,
    status: "new",
    replaces: null,
    rotation: null,
  };
}
