import { EMPTY, fromUtf8, utf8 } from "#crypto/bytes";
import { AgentError, parseLink, ProtocolError } from "../../../../client/index.ts";
import { expectSame, expectThat, failureOf, present } from "./check.ts";
import type { Story } from "./stage.ts";

/** Fails unless the relay says that there is nothing (any more) behind the link. */
async function expectGone(work: Promise<unknown>): Promise<void> {
  const failure = await failureOf(work);
  const why = failure instanceof ProtocolError ? failure.error.type : String(failure);
  expectSame(why, "AUTH", "why the link leads nowhere");
}

const invitation: Story = {
  name: "an invitation: both say who they are, messages go both ways, receipts come back",
  async run(stage) {
    const [alice, bob] = [await stage.enter("Alice"), await stage.enter("Bob")];
    const { connection: a, link } = await alice.agent.invite();
    expectSame(parseLink(link).type, "invitation", "the kind of the link");
    const b = await bob.agent.join(link, utf8("I am Bob"));
    const confirmation = await alice.next("confirmation");
    expectSame(confirmation.connection, a, "whose confirmation it is");
    expectSame(fromUtf8(confirmation.info), "I am Bob", "what Alice is told");
    await alice.agent.allow(a, confirmation.confirmation, utf8("I am Alice"));
    await Promise.all([alice.next("connected"), bob.next("connected")]);
    expectSame(fromUtf8((await bob.next("info")).info), "I am Alice", "what Bob is told");

    const toBob = await alice.send(a, "hello Bob");
    expectSame((await alice.next("sent")).item, toBob, "the message that was sent");
    expectSame(await bob.receive(EMPTY), "hello Bob", "what Bob gets");
    const receipt = await alice.next("receipt");
    expectSame(receipt, { type: "receipt", item: toBob, status: "ok", connection: a }, "the receipt");
    const toAlice = await bob.send(b, "hello Alice");
    expectSame(await alice.receive(EMPTY), "hello Alice", "what Alice gets");
    expectSame((await bob.next("receipt")).item, toAlice, "the receipt for Bob");

    const [of, about] = [await alice.agent.connection(a), await bob.agent.connection(b)];
    expectSame(present(of.securityCode, "a security code"), about.securityCode, "the security codes");
    expectSame([of.quantumSafe, about.quantumSafe].map(({ sending }) => sending), [true, true], "what is quantum safe");
    // As a program does that crashed before it knew that it had.
    await alice.agent.allow(a, confirmation.confirmation, utf8("I am Alice"));
    const unknown = await failureOf(alice.agent.allow(a, "another", EMPTY));
    expectSame(unknown instanceof AgentError && unknown.refusal, "NOT_FOUND", "what comes of a wrong confirmation");
  },
};

const address: Story = {
  name: "an address: one request is accepted after a restart, another one rejected",
  async run(stage) {
    const alice = await stage.enter("Alice");
    const { connection, link } = await alice.agent.createAddress();
    const bob = await stage.enter("Bob");
    const eve = await stage.enter("Eve");
    const b = await bob.agent.join(link, utf8("Bob"));
    const fromBob = await alice.next("request", ({ info }) => fromUtf8(info) === "Bob");
    await eve.agent.join(link, utf8("Eve"));
    const fromEve = await alice.next("request", ({ info }) => fromUtf8(info) === "Eve");
    expectSame([fromBob.connection, fromEve.connection], [connection, connection], "where the requests came to");

    await alice.restart();
    expectSame((await alice.agent.requests()).length, 2, "the number of requests that wait");
    await alice.agent.reject(fromEve.request);
    const late = await failureOf(alice.agent.accept(fromEve.request, EMPTY));
    expectSame(late instanceof AgentError && late.refusal, "NOT_FOUND", "what comes of accepting a rejected request");
    const a = await alice.agent.accept(fromBob.request, utf8("Alice"));
    expectSame(await alice.agent.requests(), [], "the requests that wait");

    const { confirmation, info } = await bob.next("confirmation");
    expectSame(fromUtf8(info), "Alice", "who accepts");
    await bob.agent.allow(b, confirmation, utf8("Bob, the same"));
    expectSame(fromUtf8((await alice.next("info")).info), "Bob, the same", "who is let in");
    await Promise.all([alice.next("connected"), bob.next("connected")]);
    await bob.send(b, "thank you");
    expectSame(await alice.receive(), "thank you", "what Alice gets");
    await alice.send(a, "you are welcome");
    expectSame(await bob.receive(), "you are welcome", "what Bob gets");
    expectThat(!eve.hasUnseen("confirmation"), "whoever was rejected hears nothing");

    await alice.agent.delete(connection);
    expectSame((await alice.agent.connections()).map(({ id }) => id), [a], "Alice's connections without the address");
    await alice.send(a, "still here");
    expectSame(await bob.receive(), "still here", "what outlives the address");
  },
};

const shortInvitation: Story = {
  name: "the short link of an invitation: whoever looks first has it, a restart later too",
  async run(stage) {
    const [alice, bob, eve] = [await stage.enter("Alice"), await stage.enter("Bob"), await stage.enter("Eve")];
    const made = await alice.agent.invite({ data: utf8("Alice, for one person") });
    const link = present(made.shortLink, "a short link");
    const preview = await bob.agent.preview(link);
    expectSame(preview.type, "invitation", "the kind of the link");
    expectSame(fromUtf8(present(preview.data, "data")), "Alice, for one person", "what is behind the link");
    await expectGone(eve.agent.preview(link));
    await expectGone(eve.agent.join(link, utf8("Eve")));

    await bob.restart();
    const b = await bob.agent.join(link, utf8("Bob"));
    const { connection: a, confirmation } = await alice.next("confirmation");
    await alice.agent.allow(a, confirmation, utf8("Alice"));
    await Promise.all([alice.next("connected"), bob.next("connected")]);
    await bob.send(b, "found you");
    expectSame(await alice.receive(), "found you", "what Alice gets");
  },
};

const shortAddress: Story = {
  name: "the short link of an address: its data change, it goes away, the long link stays",
  async run(stage) {
    const [alice, bob] = [await stage.enter("Alice"), await stage.enter("Bob")];
    const made = await alice.agent.createAddress({ data: utf8("Alice's shop") });
    const link = present(made.shortLink, "a short link");
    const behind = async (): Promise<string> => fromUtf8(present((await bob.agent.preview(link)).data, "data"));
    expectSame(await behind(), "Alice's shop", "the data");
    await alice.agent.setLinkData(made.connection, utf8("closed on Sundays"));
    expectSame(await behind(), "closed on Sundays", "the data after the change");

    await bob.agent.join(link, utf8("Bob, short"));
    expectSame(fromUtf8((await alice.next("request")).info), "Bob, short", "who came through the short link");
    await alice.agent.removeShortLink(made.connection);
    await expectGone(bob.agent.preview(link));
    await bob.agent.join(made.link, utf8("Bob, long"));
    expectSame(fromUtf8((await alice.next("request")).info), "Bob, long", "who came through the long link");
  },
};

export const connecting: readonly Story[] = [invitation, address, shortInvitation, shortAddress];
