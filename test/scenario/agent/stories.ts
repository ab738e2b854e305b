import { utf8 } from "#crypto/bytes";
import { AgentError } from "../../../client/agent/errors.ts";
import type { Life, Player } from "./player.ts";

/** What people do who meet: they hand each other links, and wait until both are ready for something. */
export class Meeting {
  readonly #link: Promise<string>;
  #give: (link: string) => void = () => undefined;
  readonly #arrived = new Map<string, Set<Player>>();
  readonly #said = new Map<string, string>();

  constructor() {
    this.#link = new Promise((resolve) => (this.#give = resolve));
  }

  give(link: string): void {
    this.#give(link);
  }

  take(): Promise<string> {
    return this.#link;
  }

  /** Something that one tells the other beside all messages. */
  say(about: string, text: string): void {
    this.#said.set(about, text);
  }

  async hear(life: Life, about: string): Promise<string> {
    await life.until(`to hear of ${about}`, () => this.#said.has(about));
    return this.#said.get(about) ?? "";
  }

  /** Waits until both have come here. */
  async both(life: Life, name: string): Promise<void> {
    const arrived = this.#arrived.get(name) ?? new Set();
    this.#arrived.set(name, arrived.add(life.player));
    await life.until(`the other one at ${name}`, () => arrived.size === 2);
  }
}

/** What was done before a kill may be refused the second time. */
export async function orDoneBefore(work: Promise<unknown>, refusal: AgentError["refusal"]): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof AgentError && error.refusal === refusal)) throw error;
  }
}

/** A link that was made just before a kill was never seen by anybody. */
async function forgetLinks(life: Life): Promise<void> {
  for (const { id } of await life.agent.connections()) await life.agent.delete(id);
}

export interface MeetingOptions {
  readonly pq: boolean;
  /** Whether the link is a short one. */
  readonly short: boolean;
}

/** Makes an invitation and allows whoever comes. The id of the connection. */
export async function invite(life: Life, meeting: Meeting, { pq, short }: MeetingOptions): Promise<string> {
  const made = await life.once("invite", async () => {
    await forgetLinks(life);
    return life.agent.invite({ pq, data: utf8("about me") });
  });
  meeting.give((short ? made.shortLink : null) ?? made.link);
  const { connection } = made;
  const { confirmation } = await life.seen("confirmation", (event) => event.connection === connection);
  await life.once("allow", () => orDoneBefore(life.agent.allow(connection, confirmation, utf8("inviter")), "NOT_FOUND"));
  await life.seen("connected", (event) => event.connection === connection);
  return connection;
}

/** Joins an invitation. */
export async function join(life: Life, meeting: Meeting, { pq }: MeetingOptions): Promise<string> {
  const link = await meeting.take();
  const connection = await life.once("join", async () => {
    const [begun] = await life.agent.connections();
    return begun?.id ?? life.agent.join(link, utf8("joiner"), { pq });
  });
  await life.seen("info");
  await life.seen("connected");
  return connection;
}

/** Makes an address and accepts whoever asks. */
export async function receiveGuest(life: Life, meeting: Meeting, { pq, short }: MeetingOptions): Promise<string> {
  const made = await life.once("address", async () => {
    await forgetLinks(life);
    return life.agent.createAddress({ pq });
  });
  meeting.give((short ? made.shortLink : null) ?? made.link);
  const { request } = await life.seen("request");
  const connection = await life.once("accept", async () => {
    const begun = (await life.agent.connections()).find(({ role }) => role === "joiner");
    return begun?.id ?? life.agent.accept(request, utf8("owner"), { pq });
  });
  await life.seen("info");
  await life.seen("connected");
  return connection;
}

/** Asks an address for a connection and allows it. */
export async function visit(life: Life, meeting: Meeting, { pq }: MeetingOptions): Promise<string> {
  const link = await meeting.take();
  const connection = await life.once("visit", async () => {
    const [begun] = await life.agent.connections();
    return begun?.id ?? life.agent.join(link, utf8("guest"), { pq });
  });
  const { confirmation } = await life.seen("confirmation");
  await life.once("allow", () => orDoneBefore(life.agent.allow(connection, confirmation, utf8("guest")), "NOT_FOUND"));
  await life.seen("connected");
  return connection;
}

/** Sends some messages, gets as many, and waits until everything is told of them. */
export async function exchange(life: Life, meeting: Meeting, connection: string, topic: string, count: number): Promise<void> {
  const { name, sent, received, history } = life.player;
  for (let i = 1; i <= count; i++) {
    const item = await life.send(connection, `${name} ${topic} ${i}`);
    await life.seen("sent", (event) => event.connection === connection && event.item === item);
  }
  await life.until("the last message", () => received.some(({ text }) => text.includes(` ${topic} ${count}.`)));
  const receipts = (): (number | null)[] => history.map((event) => (event.type === "receipt" ? event.item : null));
  await life.until("all receipts", () => sent.every(({ item }) => item === null || receipts().includes(item)));
  await meeting.both(life, topic);
}

/** Moves the connection's queue, while messages flow. */
export async function move(life: Life, connection: string): Promise<void> {
  await life.once("rotate", async () => orDoneBefore(life.agent.rotate(connection), "PROHIBITED"));
  await life.seen("rotation", ({ direction, phase }) => direction === "receive" && phase === "completed");
}

export async function watchMove(life: Life): Promise<void> {
  await life.seen("rotation", ({ direction, phase }) => direction === "send" && phase === "completed");
}

/** New encryption, though nothing is wrong with the old one. */
export async function renew(life: Life, connection: string): Promise<void> {
  await life.once("synchronise", async () => {
    const { sync } = await life.agent.connection(connection);
    const isBegun = sync !== "ok" || life.player.history.some(({ type }) => type === "sync");
    if (!isBegun) await life.agent.synchronise(connection, { force: true });
  });
  await watchRenewal(life);
}

export async function watchRenewal(life: Life): Promise<void> {
  await life.seen("sync", ({ state }) => state === "agreed");
  await life.seen("sync", ({ state }) => state === "ok");
}

/** What is wrong with how the messages of one came to the other; empty when nothing is. */
export function verdict(from: Player, to: Player): string[] {
  const came = to.received.map(({ text }) => text);
  const faults = to.complaints.map((what) => `${to.name}: ${what}`);
  for (const { text, item } of from.sent) {
    const times = came.filter((one) => one === text).length;
    if (times > 1 || (times === 0 && item !== null)) faults.push(`${text} came ${times} times`);
  }
  const inOrder = from.sent.map(({ text }) => text).filter((text) => came.includes(text)).join();
  if (inOrder !== came.join()) faults.push(`sent as ${inOrder}, came as ${came.join()}`);
  // New encryption leaves a gap in the numbers, and QTEST takes another way than what is sent after it.
  const isExcused = to.history.some(({ type }) => type === "sync" || type === "rotation");
  const broken = isExcused ? [] : to.received.filter(({ integrity }) => integrity !== "ok");
  faults.push(...broken.map(({ text, integrity }) => `${text} came as ${integrity}`));
  const wrong = from.history.filter((event) => event.type === "unsent" || (event.type === "receipt" && event.status !== "ok"));
  return [...faults, ...wrong.map(({ type }) => `${from.name} was told ${type}`)];
}

export interface Story {
  readonly alice: (life: Life, meeting: Meeting) => Promise<void>;
  readonly bob: (life: Life, meeting: Meeting) => Promise<void>;
}

/** Plays both parts of a story. What was wrong with it; empty when nothing was. */
export async function perform({ alice, bob }: Story, players: readonly [Player, Player], patience: number): Promise<string[]> {
  const [a, b] = players;
  const meeting = new Meeting();
  const done = Promise.all([a.play((life) => alice(life, meeting)), b.play((life) => bob(life, meeting))]).then(() => true);
  let cancel: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (cancel = setTimeout(() => resolve(false), patience)));
  const isDone = await Promise.race([done, late]);
  clearTimeout(cancel);
  const stuck = isDone ? [] : players.map((player) => player.describe());
  await Promise.all(players.map((player) => player.leave()));
  return [...stuck, ...verdict(a, b), ...verdict(b, a)];
}
