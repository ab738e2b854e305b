import { EMPTY, fromUtf8, utf8 } from "#crypto/bytes";
import { StoreError } from "../../../../client/index.ts";
import { expectSame, failureOf, present } from "./check.ts";
import type { Story } from "./stage.ts";

const handshake: Story = {
  name: "each side is restarted after every step of connecting",
  async run(stage) {
    const [alice, bob] = [await stage.enter("Alice"), await stage.enter("Bob")];
    const { connection: a, link } = await alice.agent.invite();
    await alice.stop();
    const b = await bob.agent.join(link, utf8("Bob"));
    await bob.restart();
    await alice.start();
    await alice.next("confirmation");
    await alice.restart();
    // Its event was handled, so only the connection knows of it now.
    const { confirmation } = await alice.agent.connection(a);
    await alice.agent.allow(a, present(confirmation, "a confirmation"), utf8("Alice"));
    await Promise.all([alice.restart(), bob.restart()]);
    await Promise.all([alice.next("connected"), bob.next("connected")]);
    await Promise.all([alice.restart(), bob.restart()]);
    await alice.send(a, "here we are");
    expectSame(await bob.receive(), "here we are", "what Bob gets");
    await bob.send(b, "at last");
    expectSame(await alice.receive(), "at last", "what Alice gets");
  },
};

const redelivery: Story = {
  name: "messages are kept while a side is away, and come again until they are acknowledged",
  async run(stage) {
    const { alice, bob, a, b } = await stage.pair();
    await bob.stop();
    const items = [await alice.send(a, "one"), await alice.send(a, "two"), await alice.send(a, "three")];
    // They may be on their way, at the relay or still here.
    await alice.restart();
    await bob.start();
    const first = await bob.next("message");
    await bob.restart();
    expectSame(await bob.next("message"), first, "what comes again");
    await bob.agent.acknowledge(b, first.item, EMPTY);
    expectSame(await bob.receive(EMPTY), "two", "the second message");
    await alice.stop();
    expectSame(await bob.receive(EMPTY), "three", "the third message");
    await bob.restart();
    await alice.start();
    const receipts = [await alice.next("receipt"), await alice.next("receipt"), await alice.next("receipt")];
    expectSame(receipts.map(({ item }) => item), items, "what was received");
    expectSame(bob.hasUnseen("message"), false, "whether a message comes again after its acknowledgement");
  },
};

const crash: Story = {
  name: "a side that crashes loses nothing and gets nothing twice",
  async run(stage) {
    const { alice, bob, a, b } = await stage.pair();
    await alice.send(a, "before the crash");
    const first = await bob.next("message");
    await bob.crash();
    await bob.start();
    expectSame(await bob.next("message"), first, "what comes again");
    await bob.agent.acknowledge(b, first.item);
    await bob.crash();
    const item = await alice.send(a, "after the crash");
    await bob.start();
    // That it was handled is on disk only a moment later.
    const crashing = alice.next("receipt", (event) => event.item === item).then(async (event) => {
      await alice.crash();
      return event;
    });
    const [receipt, text] = await Promise.all([crashing, bob.receive(EMPTY)]);
    expectSame(text, "after the crash", "what comes next");
    await alice.start();
    expectSame(await alice.next("receipt"), receipt, "what Alice was told just before the crash");

    // Told to nobody yet, but promised.
    await bob.send(b, "last words");
    await bob.crash();
    await bob.start();
    expectSame(await alice.receive(), "last words", "what was promised");
  },
};

const owner: Story = {
  name: "a profile that is open cannot be opened a second time",
  async run(stage) {
    const alice = await stage.enter("Alice");
    const failure = await failureOf(stage.world.openStore(alice.name));
    expectSame(failure instanceof StoreError ? failure.code : String(failure), "BUSY", "why it cannot be opened");
    const { link } = await alice.agent.invite();
    await alice.stop();
    const store = await stage.world.openStore(alice.name);
    await store.close();
    await alice.start();
    const bob = await stage.enter("Bob");
    await bob.agent.join(link, utf8("Bob"));
    expectSame(fromUtf8((await alice.next("confirmation")).info), "Bob", "who uses the invitation");
  },
};

export const restarts: readonly Story[] = [handshake, redelivery, crash, owner];
