import { BLOCK_SIZE } from "#protocol/limits";
import { Crowd } from "./crowd.ts";
import { frames, Load, type LoadResult } from "./load.ts";
import { serve } from "./task-process.ts";

/** Frames that each connection of the echo has on their way. */
const ECHO_WINDOW = 2;

const crowd = new Crowd();
let load: Load | null = null;

export interface Loaded extends LoadResult {
  readonly framesSent: number;
  readonly framesReceived: number;
  /** CPU time of this process in seconds. */
  readonly cpu: number;
}

async function echoOn(url: string, until: number): Promise<number> {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", reject, { once: true });
  });
  const frame = new Uint8Array(BLOCK_SIZE).fill(7);
  let echoed = 0;
  let open = ECHO_WINDOW;
  await new Promise<void>((resolve) => {
    socket.addEventListener("message", () => {
      echoed++;
      if (performance.now() < until) socket.send(frame);
      else if (--open === 0) resolve();
    });
    for (let i = 0; i < ECHO_WINDOW; i++) socket.send(frame);
  });
  socket.close();
  return echoed;
}

/** What the parent process can ask for. */
const tasks = {
  async openLoad({ url, queues, pairs }: { url: string; queues: number; pairs: number }): Promise<void> {
    load = await Load.open(url, queues, pairs);
  },
  async closeLoad(): Promise<void> {
    load?.close();
    load = null;
  },
  async load({ queues, milliseconds }: { queues: number; milliseconds: number }): Promise<Loaded> {
    if (!load) throw new Error("no load is open");
    const before = { ...frames, cpu: process.cpuUsage() };
    const result = await load.run(queues, milliseconds);
    const { user, system } = process.cpuUsage(before.cpu);
    return {
      ...result,
      framesSent: frames.sent - before.sent,
      framesReceived: frames.received - before.received,
      cpu: (user + system) / 1_000_000,
    };
  },
  /** Frames echoed. */
  async echo({ url, connections, milliseconds }: { url: string; connections: number; milliseconds: number }): Promise<number> {
    const until = performance.now() + milliseconds;
    const counts = await Promise.all(Array.from({ length: connections }, () => echoOn(url, until)));
    return counts.reduce((sum, count) => sum + count, 0);
  },
  connect: ({ url, count }: { url: string; count: number }) => crowd.connect(url, count),
  ping: ({ count }: { count: number }) => crowd.ping(count),
  fill: ({ url, count }: { url: string; count: number }) => crowd.fill(url, count),
  resubscribe: ({ url }: { url: string }) => crowd.resubscribe(url),
  leave: () => crowd.leave(),
};

export type Tasks = typeof tasks;

serve(tasks);
