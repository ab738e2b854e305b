import { parseArgs } from "node:util";
import { equal, fromUtf8, hex, utf8 } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { type ConnectOptions, parseServerAddress, ProtocolError, RelayConnection, smp } from "../index.ts";
import { Cutter } from "./cutter.ts";
import { startOwnRelay } from "./local-relay.ts";

const USAGE = `usage: npm run demo [-- --relay smp://FINGERPRINT@HOST[:PORT] [--url wss://...]]

Two clients talk through a relay; one loses its connection in the middle. Without --relay the demo starts a relay
of its own in a temporary folder.
`;

/** Messages each way: fewer than the 128 that a queue holds. */
const FROM_ALICE = 60;
const FROM_BOB = 10;
/** Bob is cut off when he has this many, before he acknowledges the last of them. */
const CUT_AFTER = 20;
const FINISH_TIMEOUT = 60_000;

const started = Date.now();
function say(line: string): void {
  process.stdout.write(`${((Date.now() - started) / 1000).toFixed(2).padStart(6)} s  ${line}\n`);
}

/** One side: a connection, a queue of its own to receive from, and the queue of the other side to send to. */
class Person {
  readonly name: string;
  readonly relay: RelayConnection;
  readonly received: string[] = [];
  /** Messages that came again after a new connection and were recognised. */
  repeated = 0;
  /** Called with the number of messages so far, before the newest is acknowledged. */
  onReceived: (count: number) => void = () => undefined;
  readonly #keys = generateKeyPair("Ed25519");
  readonly #seen = new Set<string>();
  #queue: smp.RcvQueue | null = null;
  #peerId: Uint8Array | null = null;

  constructor(name: string, options: Pick<ConnectOptions, "server" | "url">) {
    this.name = name;
    this.relay = new RelayConnection(options);
  }

  /** Creates the queue; the answer is what the other side needs to send to it. */
  async createQueue(password: string | null): Promise<Uint8Array> {
    this.#queue = await smp.createQueue(this.relay, { mode: "messaging", password });
    void this.#listen(this.#queue).catch((error: unknown) => {
      say(`${this.name} cannot go on: ${String(error)}`);
      process.exitCode = 1;
    });
    return this.#queue.senderId;
  }

  async secure(peerId: Uint8Array): Promise<void> {
    await smp.secureAsSender(this.relay, peerId, this.#keys);
    this.#peerId = peerId;
  }

  async send(text: string): Promise<void> {
    if (this.#peerId) await smp.send(this.relay, this.#peerId, this.#keys.secretKey, utf8(text));
  }

  async #listen(queue: smp.RcvQueue): Promise<void> {
    for await (const event of this.relay.events) {
      if (event.type === "down") say(`${this.name}: no connection (${event.error.message})`);
      if (event.type === "up") say(`${this.name}: connected again and subscribed`);
      if (event.type !== "message" || event.message.tag !== "MSG" || !equal(event.entityId, queue.entityId)) continue;
      this.#take(queue, event.message);
      // Without an answer the message comes again after the next connection, so a failure needs no care.
      smp.acknowledge(this.relay, queue, event.message.msgId).catch(() => undefined);
    }
  }

  #take(queue: smp.RcvQueue, message: { readonly msgId: Uint8Array; readonly encBody: Uint8Array }): void {
    const id = hex(message.msgId);
    if (this.#seen.has(id)) {
      this.repeated++;
      return;
    }
    this.#seen.add(id);
    const opened = smp.openMessage(this.relay, queue, message);
    if (opened.type === "message") this.received.push(fromUtf8(opened.body));
    this.onReceived(this.received.length);
  }

  async leave(): Promise<void> {
    if (this.#queue) await smp.remove(this.relay, this.#queue).catch(() => undefined);
    this.relay.dispose();
  }
}

async function converse(alice: Person, bob: Person, cutter: Cutter, password: string | null): Promise<void> {
  const toAlice = await alice.createQueue(password);
  const version = alice.relay.client?.version ?? "?";
  say(`Alice connected, version ${version}; the relay proved its identity; her queue is there`);
  const toBob = await bob.createQueue(password);
  say("Bob connected; his queue is there");
  await bob.secure(toAlice);
  await alice.secure(toBob);
  say("each has secured the other's queue: nobody else can send to it");

  bob.onReceived = (count) => {
    if (count !== CUT_AFTER) return;
    say(`Bob has ${count} messages; his connection is cut before he acknowledges the last`);
    cutter.cutLast();
  };
  for (let i = 1; i <= FROM_BOB; i++) await bob.send(`Bob ${i}`);
  say(`Bob sent ${FROM_BOB} messages; Alice begins to send ${FROM_ALICE}`);
  for (let i = 1; i <= FROM_ALICE; i++) await alice.send(`Alice ${i}`);
  say(`the relay took all ${FROM_ALICE} of Alice's messages`);
}

/** Waits until both have everything, or in vain. */
async function finish(alice: Person, bob: Person): Promise<void> {
  const deadline = Date.now() + FINISH_TIMEOUT;
  const isDone = (): boolean => bob.received.length >= FROM_ALICE && alice.received.length >= FROM_BOB;
  while (!isDone() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  // What should not come has a moment to come all the same.
  await new Promise((resolve) => setTimeout(resolve, 300));
}

function check(reader: Person, writer: Person, count: number): boolean {
  const expected = Array.from({ length: count }, (_, i) => `${writer.name} ${i + 1}`);
  const { received } = reader;
  const isRight = expected.length === received.length && expected.every((text, i) => text === received[i]);
  const again = reader.repeated === 0 ? "" : `; ${reader.repeated} came again and were recognised`;
  const verdict = isRight ? "each once and in order" : `WRONG: ${received.join(", ")}`;
  say(`${reader.name} received ${received.length} of ${count}: ${verdict}${again}`);
  return isRight;
}

async function run(address: string, url: string | undefined): Promise<boolean> {
  const { password, ...server } = parseServerAddress(address);
  const cutter = new Cutter();
  cutter.watch();
  const alice = new Person("Alice", { server, url });
  const bob = new Person("Bob", { server, url });
  try {
    await converse(alice, bob, cutter, password);
    await finish(alice, bob);
    const results = [check(bob, alice, FROM_ALICE), check(alice, bob, FROM_BOB)];
    const wasCut = cutter.count > 2;
    if (!wasCut) say("WRONG: the connection was not cut, so nothing was shown");
    return wasCut && results.every(Boolean);
  } finally {
    await Promise.all([alice.leave(), bob.leave()]);
    say("the queues are deleted");
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { relay: { type: "string" }, url: { type: "string" }, help: { type: "boolean", default: false } },
  });
  if (values.help || (values.url !== undefined && values.relay === undefined)) {
    process.stdout.write(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const own = values.relay === undefined ? await startOwnRelay() : null;
  process.once("SIGINT", () => void own?.stop().finally(() => process.exit(130)));
  if (own) say(`a relay of our own runs at ${own.url}`);
  try {
    const isRight = await run(values.relay ?? own?.address ?? "", values.url ?? own?.url);
    say(isRight ? "nothing was lost" : "the demo FAILED");
    process.exitCode = isRight ? process.exitCode ?? 0 : 1;
  } finally {
    await own?.stop();
  }
}

try {
  await main();
} catch (error) {
  const hint = error instanceof ProtocolError && error.error.type === "AUTH"
    ? " (does the relay want a password in its address, smp://FINGERPRINT:PASSWORD@HOST?)"
    : "";
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}${hint}\n`);
  process.exitCode = 1;
}
