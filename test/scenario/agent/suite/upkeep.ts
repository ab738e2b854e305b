import { utf8 } from "#crypto/bytes";
import {
  addPassphrase,
  type BaseStore,
  type Change,
  isSealed,
  openProfile,
  parseServerAddress,
  SCRYPT_FLOOR,
  StoreError,
} from "../../../../client/index.ts";
import type { Actor, World } from "./actor.ts";
import { expectSame, expectThat, failureOf, present } from "./check.ts";
import { connectActors, type Story } from "./stage.ts";

/** How many messages may be on their way. */
const WINDOW = 5;

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

/** Messages from one side to the other for as long as something else goes on. */
class Flow {
  readonly #from: Actor;
  readonly #to: Actor;
  #sent = 0;
  #received = 0;
  #isOver = false;

  constructor(from: Actor, to: Actor) {
    this.#from = from;
    this.#to = to;
  }

  end(): void {
    this.#isOver = true;
  }

  async send(connection: string): Promise<void> {
    while (!this.#isOver) {
      await this.#from.send(connection, `${this.#sent++}`);
      while (!this.#isOver && this.#sent - this.#received > WINDOW) await pause();
    }
    await this.#from.send(connection, "the end");
  }

  /** All of them must come in order; but a number may seem to be missing, since QTEST goes to the new queue only. */
  async receive(): Promise<void> {
    for (;;) {
      const { text } = await this.#to.take();
      if (text === "the end") break;
      expectSame(text, `${this.#received++}`, `what ${this.#to.name} gets`);
    }
    expectSame(this.#received, this.#sent, `how many ${this.#to.name} gets`);
  }
}

const rotation: Story = {
  name: "both sides move to another relay while messages flow",
  async run(stage) {
    const { alice, bob, a, b } = await stage.pair();
    const [, { address }] = stage.world.relays;
    const server = parseServerAddress(address);
    const [toAlice, toBob] = [new Flow(bob, alice), new Flow(alice, bob)];
    const moving = async (): Promise<void> => {
      await Promise.all([alice.agent.rotate(a, server), bob.agent.rotate(b, server)]);
      for (const actor of [alice, bob]) {
        await actor.next("rotation", ({ direction, phase }) => direction === "receive" && phase === "completed");
        await actor.next("rotation", ({ direction, phase }) => direction === "send" && phase === "completed");
      }
    };
    const stop = (): void => {
      toAlice.end();
      toBob.end();
    };
    await Promise.all([toAlice.send(b), toBob.send(a), toAlice.receive(), toBob.receive(), moving().finally(stop)]);

    for (const info of [await alice.agent.connection(a), await bob.agent.connection(b)]) {
      expectSame([info.receivesAt, info.sendsTo].map((servers) => servers.map(({ hosts, port }) => [hosts, port])), [
        [[server.hosts, server.port]],
        [[server.hosts, server.port]],
      ], "where the queues are");
      expectSame(info.isMoving, false, "whether it is moving");
    }
    await Promise.all([alice.restart(), bob.restart()]);
    await alice.send(a, "settled in");
    expectSame((await bob.take()).text, "settled in", "what Bob gets at the new relay");
    await bob.send(b, "me too");
    expectSame((await alice.take()).text, "me too", "what Alice gets at the new relay");
  },
};

/** All records of a profile. */
async function copyOf(store: BaseStore): Promise<Change[]> {
  const records: Change[] = [];
  for (const table of await store.tables()) {
    for (const { key, value } of await store.list(table)) records.push({ table, key, value });
  }
  return records;
}

const repair: Story = {
  name: "a side that was restored from an old copy gets new encryption by itself",
  async run(stage) {
    const { alice, bob, a, b } = await stage.pair();
    const exchange = async (round: string): Promise<void> => {
      await alice.send(a, `${round}: hello Bob`);
      expectSame(await bob.receive(), `${round}: hello Bob`, "what Bob gets");
      await bob.send(b, `${round}: hello Alice`);
      expectSame(await alice.receive(), `${round}: hello Alice`, "what Alice gets");
    };
    await exchange("first");
    await bob.stop();
    const asleep = await stage.world.openStore(bob.name);
    const copy = await copyOf(asleep);
    await asleep.close();
    await bob.start();
    for (const round of ["second", "third", "fourth"]) await exchange(round);
    const code = (await bob.agent.connection(b)).securityCode;

    await bob.stop();
    const restored = await stage.world.openStore(bob.name);
    const gone = (await copyOf(restored)).map(({ table, key }) => ({ table, key, value: null }));
    await restored.write([...gone, ...copy]);
    await restored.close();
    await bob.start();
    // Nobody can read this one any more: it is in the encryption that Bob has forgotten.
    await alice.send(a, "lost");
    for (const actor of [alice, bob]) await actor.next("sync", ({ state }) => state === "ok");
    expectThat(bob.takeErrors().length > 0, "Bob is told of the message that he cannot read");
    const { securityCode } = await alice.agent.connection(a);
    expectSame((await bob.agent.connection(b)).securityCode, present(securityCode, "a security code"), "the new codes");
    expectThat(JSON.stringify(securityCode) !== JSON.stringify(code), "the security code is another one");

    await alice.send(a, "can you read this?");
    // How many are missing may be known or not: it depends on which side had to answer the new keys.
    expectSame((await bob.take()).text, "can you read this?", "the first message of the new encryption");
    await bob.send(b, "again");
    expectSame((await alice.take()).text, "again", "the answer");
    await bob.restart();
    await exchange("fifth");
  },
};

const MANY = 50;

async function receiveMany(actor: Actor, word: string): Promise<void> {
  for (let i = 0; i < MANY; i++) expectSame(await actor.receive(), `${word} ${i}`, `what ${actor.name} gets`);
}

const many: Story = {
  name: `${MANY} messages each way at once arrive in order`,
  async run(stage) {
    const { alice, bob, a, b } = await stage.pair();
    const items: number[] = [];
    for (let i = 0; i < MANY; i++) {
      items.push(await alice.send(a, `to Bob ${i}`));
      await bob.send(b, `to Alice ${i}`);
    }
    await Promise.all([receiveMany(alice, "to Alice"), receiveMany(bob, "to Bob")]);
    const sent: number[] = [];
    while (sent.length < MANY) sent.push((await alice.next("sent")).item);
    expectSame(sent, items, "what was sent, in order");
  },
};

const PASSPHRASE = "correct horse battery staple";

async function holds(store: BaseStore, text: string): Promise<boolean> {
  // Latin1 keeps every byte, so that text can be looked for in it.
  const latin1 = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return (await copyOf(store)).some(({ value }) => value !== null && latin1(value).includes(latin1(utf8(text))));
}

const sealed: Story = {
  name: "a profile with a passphrase is unreadable without it, and works with it",
  async run(stage) {
    const { openStore } = stage.world;
    const world: World = {
      ...stage.world,
      openStore: async (name) => {
        const base = await openStore(name);
        if (!await isSealed(base)) await addPassphrase(base, PASSPHRASE, SCRYPT_FLOOR);
        return openProfile(base, PASSPHRASE);
      },
    };
    const [alice, bob] = [await stage.enter("Alice", { world }), await stage.enter("Bob")];
    const { a, b } = await connectActors(alice, bob);
    await bob.send(b, "for your eyes only");
    const message = await alice.next("message");
    expectThat(await holds(alice.store, "for your eyes only"), "the message lies in the profile");
    await alice.stop();

    const base = await openStore(alice.name);
    expectThat(!await holds(base, "for your eyes only"), "the message cannot be found from outside");
    for (const wrong of ["guessed", null]) {
      const failure = await failureOf(openProfile(base, wrong));
      const why = failure instanceof StoreError ? failure.code : String(failure);
      expectSame(why, "PASSPHRASE", "what keeps the profile shut");
    }
    await base.close();

    await alice.start();
    expectSame(await alice.next("message"), message, "what comes again");
    await alice.agent.acknowledge(a, message.item);
    await alice.send(a, "understood");
    expectSame(await bob.receive(), "understood", "what Bob gets");
  },
};

export const upkeep: readonly Story[] = [rotation, repair, many, sealed];
