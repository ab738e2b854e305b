import type { QueueUri } from "#protocol/address";
import { sameQueue, type SmpQueueInfo, type SndQAddr } from "#protocol/queue-address";
import type { RcvQueue, SndQueue } from "../records.ts";
import { SMP_CLIENT_VERSIONS } from "../versions.ts";

/** How the two sides of a connection name a queue to each other: relay and sender id. */
export function sndQAddrOf({ server, sndId }: RcvQueue | SndQueue): SndQAddr {
  return { server, senderId: sndId };
}

export function findQueue<Q extends RcvQueue | SndQueue>(queues: readonly Q[], address: SndQAddr): Q | undefined {
  return queues.find((queue) => sameQueue(sndQAddrOf(queue), address));
}

/** What the sender needs to know of a queue, in one version. */
export function infoOf(queue: RcvQueue, clientVersion: number): SmpQueueInfo {
  return { clientVersion, ...sndQAddrOf(queue), dhKey: queue.dhKeys.publicKey, mode: queue.mode };
}

/** The same for a link or QADD, where the sender chooses the version. */
export function uriOf(queue: RcvQueue): QueueUri {
  const address = { ...sndQAddrOf(queue), dhKey: queue.dhKeys.publicKey, mode: queue.mode };
  return { clientVersions: SMP_CLIENT_VERSIONS, ...address };
}
