import { readFileSync } from "node:fs";
import { join } from "node:path";
import { notify, type NotifiedQueue, Phone, sendNotifying } from "../support/ntf-phone.ts";
import type { NtfWireClient } from "../support/ntf-wire-client.ts";
import { endpointOf, PushRelay } from "../support/push-relay.ts";
import { makeQueue } from "../support/queue-user.ts";
import type { WireClient } from "../support/wire-client.ts";
import { cpuOf, residentOf } from "./machine.ts";
import type { Plan } from "./plan.ts";
import { ADMIN_TOKEN, type Meter } from "./relay.ts";
import { quantile, spreadOf } from "./stats.ts";
import type { Metric, Section } from "./table.ts";

const SETTINGS = { NEW_QUEUES_PER_MINUTE: "0", MESSAGES_PER_MINUTE: "0", ADMIN_TOKEN };
/** A connection may register so many devices a minute, so each does a few. */
const DEVICES_PER_CONNECTION = 50;
const REGISTERING_AT_ONCE = 8;
const SENDING_AT_ONCE = 16;
const MB = 1024 * 1024;

/** A browser that is told of one queue. */
interface Device {
  readonly queue: NotifiedQueue;
  /** When its next push is there, milliseconds of `performance.now`. */
  pushed(): Promise<number>;
}

async function inParallel<T>(items: readonly T[], atOnce: number, work: (item: T, lane: number) => Promise<void>): Promise<void> {
  const left = items.values();
  await Promise.all(Array.from({ length: atOnce }, async (_, lane) => {
    for (const item of left) await work(item, lane);
  }));
}

/** Registers browsers, each with a queue of its own on the same relay. */
class Crowd {
  readonly devices: Device[] = [];
  readonly #bench: PushRelay;
  readonly #owners: readonly WireClient[];
  readonly #ntf = new Map<number, { readonly client: NtfWireClient; readonly used: number }>();
  readonly #vapid: string;

  private constructor(bench: PushRelay, owners: readonly WireClient[], vapid: string) {
    this.#bench = bench;
    this.#owners = owners;
    this.#vapid = vapid;
  }

  static async open(bench: PushRelay): Promise<Crowd> {
    const owners = await Promise.all(Array.from({ length: REGISTERING_AT_ONCE }, () => bench.relay.connect()));
    return new Crowd(bench, owners, (await bench.notifications()).vapid);
  }

  async grow(size: number): Promise<void> {
    const missing = Array.from({ length: size - this.devices.length });
    await inParallel(missing, REGISTERING_AT_ONCE, async (_, lane) => void this.devices.push(await this.#register(lane)));
  }

  async #client(lane: number): Promise<NtfWireClient> {
    const known = this.#ntf.get(lane);
    if (known && known.used < DEVICES_PER_CONNECTION) {
      this.#ntf.set(lane, { ...known, used: known.used + 1 });
      return known.client;
    }
    known?.client.close();
    const client = await this.#bench.connectNtf();
    this.#ntf.set(lane, { client, used: 1 });
    return client;
  }

  async #register(lane: number): Promise<Device> {
    const owner = this.#owners[lane];
    if (!owner) throw new Error("there is no such lane");
    const browser = this.#bench.service.subscribe(this.#vapid);
    const phone = new Phone(await this.#client(lane), endpointOf(browser.token, async () => JSON.parse((await browser.next()).text)));
    await phone.activate();
    const queue = await notify(owner, await makeQueue(owner, { change: { subscribe: false } }));
    await phone.subscribe(this.#bench.server, queue);
    return { queue, pushed: () => browser.next().then(() => performance.now()) };
  }
}

class Watch {
  readonly #bench: PushRelay;
  readonly #pid: number;

  constructor(bench: PushRelay) {
    this.#bench = bench;
    this.#pid = Number(readFileSync(join(bench.relay.info.data, "workerd.pid"), "utf8"));
  }

  async meter(): Promise<Meter & { readonly cpu: number }> {
    const url = `${this.#bench.relay.info.url.replace(/^ws/, "http")}admin/meter`;
    const response = await fetch(url, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    return { ...await response.json() as Meter, cpu: cpuOf(this.#pid) };
  }

  get resident(): number {
    return residentOf(this.#pid);
  }
}

const metric = (name: string, unit: string, values: readonly number[]): Metric => ({ name, unit, value: spreadOf([...values]) });
const single = (name: string, unit: string, value: number): Metric => metric(name, unit, [value]);

/** One after the other to devices that were told nothing before: nothing gathers. */
async function measureOne(sender: WireClient, watch: Watch, devices: readonly Device[]): Promise<Metric[]> {
  const before = await watch.meter();
  const latencies: number[] = [];
  for (const { queue, pushed } of devices) {
    const sentAt = performance.now();
    const [at] = await Promise.all([pushed(), sendNotifying(sender, queue)]);
    latencies.push(at - sentAt);
  }
  const after = await watch.meter();
  const each = (of: (meter: Meter & { readonly cpu: number }) => number): number => (of(after) - of(before)) / devices.length;
  return [
    single("SEND to the provider's request, p50", "ms", quantile(latencies, 0.5)),
    single("SEND to the provider's request, p99", "ms", quantile(latencies, 0.99)),
    single("object requests, SEND included", "/notification", each((meter) => meter.queueRequests + meter.pushes)),
    single("rows written, SEND included", "/notification", each((meter) => meter.rowsWritten)),
    single("rows read, SEND included", "/notification", each((meter) => meter.rowsRead)),
    single("relay CPU, SEND included", "us/notification", each(({ cpu }) => cpu)),
  ];
}

/** All at once. */
async function measureBurst(senders: readonly WireClient[], watch: Watch, devices: readonly Device[]): Promise<Metric[]> {
  const before = await watch.meter();
  const sentAt = performance.now();
  const pushed = Promise.all(devices.map((device) => device.pushed()));
  await inParallel(devices, SENDING_AT_ONCE, async ({ queue }, lane) => {
    const sender = senders[lane];
    if (sender) await sendNotifying(sender, queue);
  });
  const times = await pushed;
  const seconds = (Math.max(...times) - sentAt) / 1000;
  const { cpu } = await watch.meter();
  return [
    single("a message to each at once: pushes", "/s", devices.length / seconds),
    single("the last of them after", "s", seconds),
    single("relay CPU, SEND included", "us/notification", (cpu - before.cpu) / devices.length),
  ];
}

/** Notifications through a real push service stand-in, and how they grow with the number of devices. */
export async function measurePush(plan: Plan): Promise<Section[]> {
  const bench = await PushRelay.start(["--tls-port", "0"], SETTINGS);
  try {
    const watch = new Watch(bench);
    const crowd = await Crowd.open(bench);
    const senders = await Promise.all(Array.from({ length: SENDING_AT_ONCE }, () => bench.relay.connect()));
    const [sender] = senders;
    if (!sender) throw new Error("nobody sends");
    const sections: Section[] = [];
    for (const size of plan.devices) {
      const started = performance.now();
      const former = crowd.devices.length;
      await crowd.grow(size);
      const each = (performance.now() - started) / (size - former);
      const fresh = crowd.devices.slice(former);
      const half = Math.min(plan.notifications, Math.floor(fresh.length / 2));
      sections.push({
        title: `Notifications with ${size} devices`,
        metrics: [
          single("device made, verified, subscribed", "ms", each),
          ...await measureOne(sender, watch, fresh.slice(0, half)),
          ...await measureBurst(senders, watch, fresh.slice(-half)),
          single("memory of workerd", "MB", watch.resident / MB),
        ],
        notes: bench.service.refused.length === 0 ? [] : [`THE PUSH SERVICE REFUSED: ${bench.service.refused[0]}`],
      });
    }
    return sections;
  } finally {
    await bench.stop();
  }
}
