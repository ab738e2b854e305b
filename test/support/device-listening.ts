import { formatNtfQueue } from "#protocol/ntf/queue";
import type { Push } from "../../src/relay/notification/ports.ts";
import { DeviceBench } from "./device-bench.ts";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const FAILED = { type: "retry", after: null, why: "503" } as const;

/** A device with so many queues. */
export function listening(
  count: number,
  bench = new DeviceBench().activate(),
): { readonly bench: DeviceBench; readonly subs: readonly Uint8Array[] } {
  const subs = Array.from({ length: count }, () => bench.subscribe());
  // The push that verified the token belongs to the past.
  bench.now += MINUTE;
  bench.store.writes = 0;
  return { bench, subs };
}

export const first = (subs: readonly Uint8Array[]): Uint8Array => subs[0] ?? new Uint8Array(0);

/** The queues that a push tells of, as their subscriptions' places. */
export function told(bench: DeviceBench, push: Push | null | undefined): number[] {
  if (push?.kind !== "messages") return [];
  const names = bench.store.subscriptions().map(({ queue }) => formatNtfQueue(queue));
  return push.messages.map(({ queue }) => names.indexOf(formatNtfQueue(queue)));
}
