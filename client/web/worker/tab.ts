import { StoreError } from "../../store/store.ts";
import { LEADER_LOCK, type Order, type PageBuild, type Report } from "../session/protocol.ts";
import { Leader } from "./leader.ts";

// The worker of one tab. Those of all tabs wait for one lock; who gets it has the chat.

let build: PageBuild = { version: "", begunAt: 0 };
let origin = "";
let passphrase: string | null = null;
let leader: Leader | null = null;
let waiting: AbortController | null = null;

function report(): void {
  const message: Report = { type: "leading", leader: leader?.id ?? null };
  postMessage(message);
}

/** Leads until the lock is taken away, which never happens while somebody uses this tab. */
async function lead(takeOver: boolean): Promise<never> {
  const mine = new Leader({ build, origin, takeOver, passphrase });
  leader = mine;
  report();
  await mine.start();
  return new Promise(() => undefined);
}

/** Waits until no other worker has the lock; with `takeOver` it is taken away from whoever has it. */
async function stand(takeOver: boolean): Promise<void> {
  waiting?.abort();
  const controller = new AbortController();
  waiting = controller;
  const options = takeOver ? { steal: true } : { signal: controller.signal };
  try {
    await navigator.locks.request(LEADER_LOCK, options, () => lead(takeOver));
  } catch (error) {
    if (controller.signal.aborted) return;
    const isLost = error instanceof DOMException && error.name === "AbortError";
    if (!isLost) throw error;
    await depose();
    await stand(false);
  }
}

/** Another worker leads now. */
async function depose(): Promise<void> {
  const mine = leader;
  leader = null;
  report();
  try {
    await mine?.close();
  } catch (error) {
    // What it was writing when the profile was taken away.
    if (!(error instanceof StoreError)) throw error;
  }
}

function standFor(takeOver: boolean): void {
  stand(takeOver).catch((error: unknown) => reportError(error));
}

/** Takes the orders of the page that started this worker. */
export function serveTab(): void {
  addEventListener("message", ({ data }: MessageEvent<Order>) => {
    if (data.type === "takeOver") {
      if (!leader) standFor(true);
      return;
    }
    if (data.type === "secret") {
      ({ passphrase } = data);
      leader?.learn(passphrase).catch((error: unknown) => reportError(error));
      return;
    }
    const { version, begunAt } = data;
    build = { version, begunAt };
    ({ origin } = data);
    standFor(false);
  });
}
