import { describe, expect, it } from "vitest";
import { EMPTY, equal, hex, utf8 } from "#crypto/bytes";
import { sha3_384 } from "#crypto/hash";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { AuthSecretKey } from "#protocol/authorize";
import type { Command, Message } from "#protocol/commands";
import { encodeBatch } from "#protocol/transmission";
import { makeQueue, open, send, type TestQueue } from "../support/queue-user.ts";
import { named, type WireClient } from "../support/wire-client.ts";
import { RelayBench } from "./support/relay-bench.ts";
import { mutate, type Seeded, seeded } from "./support/seeded.ts";

const bench = RelayBench.use();
const ROUNDS = 80;
const TOO_MUCH = new Uint8Array(16_049);
const VERSIONS = [6, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19];

/** A contact queue with a link and a notifier, and a messaging queue that only its sender can send to. */
interface Victim {
  readonly address: TestQueue;
  readonly invitation: TestQueue;
  readonly linkId: Uint8Array;
  readonly notifierKey: AuthSecretKey;
  readonly senderKey: AuthSecretKey;
}

async function makeVictim(): Promise<Victim> {
  const owner = await bench.connect();
  const linkId = randomBytes(24);
  const corrId = randomBytes(24);
  const notifier = generateKeyPair("Ed25519");
  const linkData = { fixedData: utf8("fixed"), userData: utf8("user") };
  const data = { linkId, senderId: sha3_384(corrId).slice(0, 24), linkData };
  const ntfCreds = { authKey: notifier.publicKey, dhKey: generateKeyPair("X25519").publicKey };
  const address = await makeQueue(owner, { corrId, change: { queueReqData: { mode: "contact", data }, ntfCreds } });
  const invitation = await makeQueue(owner, { algorithm: "X25519" });
  const sender = generateKeyPair("Ed25519");
  await owner.ask({ tag: "SKEY", key: sender.publicKey }, sender.secretKey, invitation.ids.sndId);
  await send(owner, invitation, "the one message", sender.secretKey);
  owner.close();
  return { address, invitation, linkId, notifierKey: notifier.secretKey, senderKey: sender.secretKey };
}

/** Everything that an owner can see of the two queues. */
async function look(victim: Victim): Promise<unknown> {
  const client = await bench.connect();
  const { address, invitation, linkId, notifierKey, senderKey } = victim;
  const ask = (queue: TestQueue, command: Command): Promise<Message> =>
    client.ask(command, queue.recipientKey, queue.ids.rcvId);
  const sender = { algorithm: "Ed25519", secret: senderKey.secret } as const;
  const state = [
    await ask(address, { tag: "QUE" }),
    await ask(invitation, { tag: "QUE" }),
    await client.ask({ tag: "LGET" }, null, linkId),
    await client.ask({ tag: "NSUB" }, notifierKey, address.ids.serverNtfCreds?.notifierId),
    open(invitation, await ask(invitation, { tag: "GET" })),
    // Sending too much for a session says that the key and the queue are as they were, and sends nothing.
    named(await client.ask({ tag: "SEND", notification: false, body: TOO_MUCH }, sender, invitation.ids.sndId)),
  ];
  client.close();
  return state;
}

type Given = readonly [Command, AuthSecretKey | null, Uint8Array];

/** Every command as its rightful giver would send it. */
function commandsFor(victim: Victim, random: Seeded): readonly Given[] {
  const { address, invitation, linkId, notifierKey, senderKey } = victim;
  const notifierId = address.ids.serverNtfCreds?.notifierId ?? EMPTY;
  const stranger = generateKeyPair("Ed25519");
  const { publicKey: key, secretKey } = stranger;
  const dhKey = generateKeyPair("X25519").publicKey;
  const linkData = { fixedData: random.bytes(20), userData: random.bytes(20) };
  const both = (command: Command): Given[] =>
    [address, invitation].map((queue) => [command, queue.recipientKey, queue.ids.rcvId]);
  const create = { rcvAuthKey: key, rcvDhKey: dhKey, basicAuth: null, subscribe: true, queueReqData: null, ntfCreds: null };
  return [
    ...both({ tag: "SUB" }),
    ...both({ tag: "KEY", key }),
    ...both({ tag: "RKEY", keys: [key] }),
    ...both({ tag: "LSET", linkId, linkData }),
    ...both({ tag: "LDEL" }),
    ...both({ tag: "NKEY", key, dhKey }),
    ...both({ tag: "NDEL" }),
    ...both({ tag: "GET" }),
    ...both({ tag: "ACK", msgId: EMPTY }),
    ...both({ tag: "OFF" }),
    ...both({ tag: "DEL" }),
    ...both({ tag: "QUE" }),
    [{ tag: "NEW", ...create }, secretKey, EMPTY],
    [{ tag: "SKEY", key }, secretKey, invitation.ids.sndId],
    [{ tag: "SEND", notification: true, body: random.bytes(40) }, senderKey, invitation.ids.sndId],
    [{ tag: "LKEY", key }, secretKey, linkId],
    [{ tag: "LGET" }, null, linkId],
    [{ tag: "NSUB" }, notifierKey, notifierId],
    [{ tag: "SUBS", queues: { count: 1, idsHash: random.bytes(16) } }, secretKey, random.bytes(24)],
    [{ tag: "NSUBS", queues: null }, secretKey, random.bytes(24)],
    [{ tag: "PING" }, null, EMPTY],
    // A port that no proxy goes to.
    [{ tag: "PRXY", server: { hosts: ["a.example"], port: "1", keyHash: random.bytes(32) }, basicAuth: null }, null, EMPTY],
    [{ tag: "PFWD", version: 19, key: dhKey, encTransmission: random.bytes(50) }, null, random.bytes(32)],
    [{ tag: "RFWD", encFwdTransmission: random.bytes(50) }, null, EMPTY],
    [{ tag: "RSLV", domain: "name.example" }, null, EMPTY],
  ];
}

/** What a broken command may be answered. Without a signature to break, some still mean what they say. */
const HARMLESS = /^(?:ERR (?:BLOCK|SESSION|AUTH|SERVICE|CRYPTO|NO_MSG|LARGE_MSG|CMD \w+|PROXY .*|NAME NO_RESOLVER)|PONG|LNK)$/;

/** Sends them and a PING in one go; everything that comes up to its PONG. */
async function answersTo(client: WireClient, transmissions: readonly Uint8Array[]): Promise<string[]> {
  client.sendAll(transmissions);
  const answers: string[] = [];
  for (const _ of transmissions) answers.push(named((await client.next(5000)).message));
  expect(named(await client.ask({ tag: "PING" }))).toBe("PONG");
  return answers;
}

describe("a valid command in which something was broken on the way", () => {
  it("is refused in the protocol's words, and does nothing to anybody's queue", seeded(async (random) => {
    const victim = await makeVictim();
    const before = await look(victim);
    // One object answers for all ids that lead nowhere.
    await (await bench.connect()).ask({ tag: "LGET" }, null, randomBytes(24));
    const files = bench.files("Queue").length;
    const seen = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const client = await bench.connect({ version: random.pick(VERSIONS), keyless: random.below(4) === 0 });
      const whole = commandsFor(victim, random).filter(([, key]) => key?.algorithm !== "X25519" || client.version >= 7)
        .map(([command, key, entityId]) => client.transmission(command, key, entityId));
      const broken = whole.map((bytes) => mutate(random, bytes).bytes)
        .filter((bytes, i) => !equal(bytes, whole[i] ?? EMPTY));
      for (const answer of await answersTo(client, broken)) {
        expect(answer).toMatch(HARMLESS);
        seen.set(answer, (seen.get(answer) ?? 0) + 1);
      }
      client.close();
    }
    expect(await look(victim)).toEqual(before);
    expect(bench.files("Queue").length).toBe(files);
    // The cases reached every stage of checking, not only the first.
    for (const answer of ["ERR BLOCK", "ERR AUTH", "ERR CMD UNKNOWN", "ERR CMD SYNTAX", "ERR CMD NO_AUTH"]) {
      expect([answer, seen.has(answer)]).toEqual([answer, true]);
    }
  }), 60_000);

  it("is refused at every bit and every length of a DEL", async () => {
    const victim = await makeVictim();
    const { recipientKey, ids } = victim.address;
    for (const version of [6, 10, 19]) {
      const client = await bench.connect({ version });
      const whole = client.transmission({ tag: "DEL" }, recipientKey, ids.rcvId);
      const flips = Array.from({ length: 8 * whole.length }, (_, bit) =>
        whole.with(bit >> 3, (whole[bit >> 3] ?? 0) ^ (1 << (bit & 7))));
      const cuts = Array.from(whole, (_, length) => whole.slice(0, length));
      for (const answer of await answersTo(client, [...flips, ...cuts])) expect(answer).toMatch(HARMLESS);
      expect(named(await client.ask({ tag: "QUE" }, recipientKey, ids.rcvId))).toBe("INFO");
    }
  }, 60_000);
});

describe("a command that is whole but not its sender's to give", () => {
  it("is refused whatever key of whatever kind signs it", seeded(async (random) => {
    const victim = await makeVictim();
    const before = await look(victim);
    const strangers = (["Ed25519", "Ed448", "X25519"] as const)
      .map((kind) => generateKeyPair(kind).secretKey as AuthSecretKey);
    const isOpenToAll = new Set(["PING", "PRXY", "PFWD", "RFWD", "RSLV", "LGET", "NEW"]);
    const client = await bench.connect();
    for (const [command, rightful, entityId] of commandsFor(victim, random)) {
      if (isOpenToAll.has(command.tag)) continue;
      const others = [...strangers, victim.notifierKey, victim.senderKey].filter((key) => key !== rightful);
      for (const key of [null, ...others]) {
        const answer = named(await client.ask(command, key, entityId));
        expect(`${command.tag}: ${answer}`).toMatch(/: ERR (AUTH|SERVICE|CMD NO_AUTH)$/);
      }
    }
    expect(await look(victim)).toEqual(before);
  }));

  it("is refused for an id of another kind, another queue or no queue", seeded(async (random) => {
    const [victim, other] = await Promise.all([makeVictim(), makeVictim()]);
    const before = await look(victim);
    const client = await bench.connect();
    const { address, invitation, linkId } = victim;
    const notifierId = address.ids.serverNtfCreds?.notifierId ?? EMPTY;
    const own = [address, invitation].flatMap(({ ids: { rcvId, sndId } }) => [rcvId, sndId]);
    const ids = [...own, linkId, notifierId, random.bytes(24)];
    for (const [command, key, entityId] of commandsFor(other, random)) {
      if (entityId.length !== 24 || key === null || command.tag === "SKEY") continue;
      for (const id of ids) {
        const answer = named(await client.ask(command, key, id));
        expect(`${command.tag} ${hex(id).slice(0, 6)}: ${answer}`).toMatch(/: ERR (AUTH|SERVICE)$/);
      }
    }
    expect(await look(victim)).toEqual(before);
  }));
});

describe("a sealed block in which something was broken", () => {
  it("is ERR BLOCK at any byte, and costs the connection nothing but that block", seeded(async (random) => {
    const client = await bench.connect();
    for (let i = 0; i < 400; i++) {
      const block = client.seal(encodeBatch([client.transmission({ tag: "PING" })]));
      const at = i < 40 ? i : random.below(block.length);
      client.sendRaw(block.with(at, (block[at] ?? 0) ^ (1 << random.below(8))));
      const { corrId, message } = await client.next();
      expect([corrId.length, named(message)]).toEqual([0, "ERR BLOCK"]);
    }
    expect(named(await client.ask({ tag: "PING" }))).toBe("PONG");
  }));

  it("is a batch of broken things where its content was broken before it was sealed", seeded(async (random) => {
    const client = await bench.connect();
    const queue = await makeQueue(client);
    for (let i = 0; i < 200; i++) {
      const stranger = generateKeyPair("Ed25519").secretKey;
      const tags = ["SUB", "DEL", "OFF"] as const;
      const batch = encodeBatch(tags.map((tag) => client.transmission({ tag }, stranger, queue.ids.rcvId)));
      client.sendRaw(client.seal(mutate(random, batch).bytes));
      const ending = randomBytes(24);
      client.sendAll([client.transmission({ tag: "PING" }, null, EMPTY, ending)]);
      for (;;) {
        const { corrId, message } = await client.next();
        if (equal(corrId, ending)) break;
        expect(named(message)).toMatch(HARMLESS);
      }
    }
    expect(named(await client.ask({ tag: "QUE" }, queue.recipientKey, queue.ids.rcvId))).toBe("INFO");
  }));
});
