import { equal } from "#crypto/bytes";
import { formatServerAddress, type Server } from "#protocol/address";
import { isFollowed } from "#protocol/ntf/status";
import type { Subscription } from "../relay/notification/ports.ts";
import type { FollowEvent } from "../relay/notification/subscriptions.ts";
import { readDestination } from "../relay/proxy-policy.ts";
import type { FollowedQueue, Following, QueueApi } from "./api.ts";
import { configOf, contextOf } from "./context.ts";
import type { Env } from "./env.ts";
import { findQueue, followerAt } from "./locate.ts";
import { report } from "./log.ts";
import type { Notifications } from "./notifications.ts";
import { calling } from "./retry.ts";

// Queues of this relay, at whichever host, are asked themselves; those of others have a follower.

type Own = Pick<Notifications, "ownKeyHash">;

/** Own queues asked at the same time. */
const AT_ONCE = 16;

const isOwn = ({ ownKeyHash }: Own, server: Server): boolean => equal(server.keyHash, ownKeyHash);

async function ownQueue(env: Env, notifierId: Uint8Array): Promise<() => QueueApi> {
  const { ids } = await contextOf(env);
  return (await findQueue(env, ids.senderOfNotifier(notifierId))).at;
}

/** Whether another relay may be reached from here. For one that may not, no object is asked, or even made. */
function isReachable(env: Env, server: Server): boolean {
  const { proxy, push } = configOf(env);
  return readDestination(server, { ...proxy, allowsPrivate: push.endpoints.allowsPrivate }) !== null;
}

/** Whether a subscription may follow a queue, as far as others who do are asked. */
export async function mayClaim(env: Env, own: Own, server: Server, claim: FollowedQueue): Promise<boolean> {
  if (!isOwn(own, server)) {
    // Otherwise its subscription tells so.
    if (!isReachable(env, server)) return true;
    return await calling(() => followerAt(env, server).claim(server, claim.notifierId, claim));
  }
  const at = await ownQueue(env, claim.notifierId);
  return await calling(() => at().mayFollowFor(claim));
}

function toFollowed(device: Uint8Array, { subId, queue, notifierKey }: Subscription): FollowedQueue {
  return { device, subId, notifierId: queue.notifierId, notifierKey };
}

async function followOwn(env: Env, queue: FollowedQueue): Promise<readonly Following[]> {
  const { subId, notifierKey } = queue;
  try {
    const at = await ownQueue(env, queue.notifierId);
    return [{ subId, notifierKey, event: await calling(() => at().followFor(queue)) }];
  } catch (error) {
    report("a queue could not be followed", error);
    return [];
  }
}

async function inTurns<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += AT_ONCE) {
    results.push(...await Promise.all(items.slice(i, i + AT_ONCE).map(act)));
  }
  return results;
}

function byServer(subscriptions: readonly Subscription[]): readonly (readonly [Server, readonly Subscription[]])[] {
  const groups = Map.groupBy(subscriptions, ({ queue }) => formatServerAddress(queue.server));
  return [...groups.values()].flatMap((group) => (group[0] ? [[group[0].queue.server, group] as const] : []));
}

const SUBSCRIBING: FollowEvent = { type: "subscribing" };
const NOT_REACHABLE: FollowEvent = { type: "impossible", why: "the relay may not be reached from this server" };

/** Has queues followed. What became of it; what is missing there could not even be asked for. */
export async function follow(
  env: Env,
  own: Own,
  device: Uint8Array,
  subscriptions: readonly Subscription[],
): Promise<readonly Following[]> {
  const [mine, others] = [true, false].map((which) => subscriptions.filter(({ queue }) => isOwn(own, queue.server) === which));
  const news = await inTurns(mine ?? [], (one) => followOwn(env, toFollowed(device, one)));
  const taken = await Promise.all(byServer(others ?? []).map(async ([server, group]): Promise<readonly Following[]> => {
    const all = (event: FollowEvent): readonly Following[] =>
      group.map(({ subId, notifierKey }) => ({ subId, notifierKey, event }));
    if (!isReachable(env, server)) return all(NOT_REACHABLE);
    try {
      await calling(() => followerAt(env, server).follow(server, group.map((one) => toFollowed(device, one))));
      return all(SUBSCRIBING);
    } catch (error) {
      report("queues of another relay could not be followed", error);
      return [];
    }
  }));
  return [...news, ...taken].flat();
}

async function unfollowing(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    report("queues could not be unfollowed", error);
  }
}

/** Whether another relay may have been asked to tell of the queue. */
function mayBeFollowed(env: Env, { queue, status }: Subscription): boolean {
  // What the operator allows may have been otherwise when it was.
  return isFollowed(status) && (status !== "NEW" || isReachable(env, queue.server));
}

/** What fails is found out when the next notification comes and nobody has the subscription. */
export async function unfollow(
  env: Env,
  own: Own,
  device: Uint8Array,
  subscriptions: readonly Subscription[],
): Promise<void> {
  await unfollowing(async () => {
    const mine = subscriptions.filter(({ queue }) => isOwn(own, queue.server));
    await inTurns(mine, (one) =>
      unfollowing(async () => {
        const at = await ownQueue(env, one.queue.notifierId);
        await calling(() => at().unfollowFor(toFollowed(device, one)));
      }));
    const others = subscriptions.filter((one) => !isOwn(own, one.queue.server) && mayBeFollowed(env, one));
    await Promise.all(byServer(others).map(([server, group]) =>
      unfollowing(async () => {
        const queues = group.map(({ subId, queue: { notifierId } }) => ({ subId, notifierId }));
        await calling(() => followerAt(env, server).unfollow(queues));
      })
    ));
  });
}
