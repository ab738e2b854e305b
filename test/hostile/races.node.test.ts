import { describe, expect, it } from "vitest";
import { EMPTY, utf8 } from "#crypto/bytes";
import { sha3_384 } from "#crypto/hash";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { Message } from "#protocol/commands";
import { acknowledge, makeQueue, open, send, subscribe, type TestQueue } from "../support/queue-user.ts";
import { named, type WireClient } from "../support/wire-client.ts";
import { pause, RelayBench } from "./support/relay-bench.ts";
import { seeded } from "./support/seeded.ts";

const bench = RelayBench.use();
const linkData = { fixedData: utf8("fixed"), userData: utf8("user") };

async function several(count: number): Promise<WireClient[]> {
  return Promise.all(Array.from({ length: count }, () => bench.connect()));
}

/** How often each answer was given. */
function tally(answers: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}

describe.concurrent("connections that take a queue from each other while somebody sends", () => {
  it("lose no message and see them in their order", seeded(async (random) => {
    const [owner, sender, ...rivals] = await several(5);
    if (!owner || !sender) throw new Error("no clients");
    const queue = await makeQueue(owner, { change: { subscribe: false } });
    const sent = Array.from({ length: 60 }, (_, i) => String(i));
    const received: string[] = [];
    const take = async (client: WireClient, message: Message): Promise<void> => {
      for (let current = message; current.tag === "MSG";) {
        const { text, msgId } = open(queue, current);
        current = await acknowledge(client, queue, msgId);
        // NO_MSG: another has taken the queue, and this message with it.
        if (named(current) !== "ERR NO_MSG") received.push(text);
      }
    };
    const fight = async (client: WireClient): Promise<void> => {
      while (received.length < sent.length) {
        await pause(random.below(20));
        expect(named(await subscribe(client, queue))).toBe("SOK");
        for (let turn = 0; turn < 3; turn++) {
          const event = await client.event(queue.ids.rcvId, 15).catch(() => null);
          if (event) await take(client, event.message);
        }
      }
    };
    const fighting = rivals.map(fight);
    for (const text of sent) expect(named(await send(sender, queue, text))).toBe("OK");
    await Promise.all(fighting);
    expect(received).toEqual(sent);
  }), 60_000);

  it("are told END each time they lose it, and get nothing in between", async () => {
    const [sender, first, second] = await several(3);
    if (!sender || !first || !second) throw new Error("no clients");
    const queue = await makeQueue(sender, { change: { subscribe: false } });
    await subscribe(second, queue);
    const sending = Promise.all(Array.from({ length: 40 }, (_, i) => send(sender, queue, String(i)).then(named)));
    for (let round = 0; round < 30; round++) {
      const [winner, loser] = round % 2 === 0 ? [first, second] : [second, first];
      expect(named(await subscribe(winner, queue))).toBe("SOK");
      let event = await loser.event(queue.ids.rcvId);
      // Nobody acknowledges here: it is the first message, again and again.
      while (event.message.tag === "MSG") {
        expect(open(queue, event.message).text).toBe("0");
        event = await loser.event(queue.ids.rcvId);
      }
      expect(event.message).toEqual({ tag: "END" });
    }
    expect(tally(await sending)).toEqual({ OK: 40 });
  });

  it("end with exactly one that gets the next message", async () => {
    const [sender, ...rivals] = await several(9);
    if (!sender) throw new Error("no client");
    for (let round = 0; round < 8; round++) {
      const queue = await makeQueue(sender, { change: { subscribe: false } });
      const answers = await Promise.all(rivals.map((client) => subscribe(client, queue)));
      expect(tally(answers.map(named))).toEqual({ SOK: rivals.length });
      await send(sender, queue, "for one");
      const events = await Promise.all(rivals.map(async (client) => named((await client.event(queue.ids.rcvId)).message)));
      expect(tally(events)).toEqual({ END: rivals.length - 1, MSG: 1 });
    }
  });
});

describe.concurrent("commands that only one can win", () => {
  it("SKEY: one key becomes the sender's, all others are refused", async () => {
    const clients = await several(6);
    const [owner] = clients;
    if (!owner) throw new Error("no client");
    for (let round = 0; round < 16; round++) {
      const queue = await makeQueue(owner);
      const pairs = clients.map(() => generateKeyPair("X25519"));
      const answers = await Promise.all(clients.map((client, i) => {
        const pair = pairs[i] ?? generateKeyPair("X25519");
        return client.ask({ tag: "SKEY", key: pair.publicKey }, pair.secretKey, queue.ids.sndId).then(named);
      }));
      expect(tally(answers)).toEqual({ OK: 1, "ERR AUTH": 5 });
      const sent = await Promise.all(clients.map((client, i) =>
        send(client, queue, "mine", pairs[i]?.secretKey ?? null).then(named)));
      expect(sent).toEqual(answers);
    }
  });

  it("NEW with a chosen sender id: one queue is made, and it works", async () => {
    const clients = await several(4);
    for (let round = 0; round < 12; round++) {
      const corrId = randomBytes(24);
      const senderId = sha3_384(corrId).slice(0, 24);
      const make = (client: WireClient): Promise<TestQueue | string> => {
        const data = { linkId: randomBytes(24), senderId, linkData };
        const change = { queueReqData: { mode: "contact", data } } as const;
        return makeQueue(client, { corrId, change }).catch((error: unknown) => String(error));
      };
      const results = await Promise.all(clients.map(make));
      const made = results.flatMap((queue, i) => (typeof queue === "string" ? [] : [{ queue, client: clients[i] }]));
      expect(results.filter((result) => result === "Error: no queue: ERR AUTH")).toHaveLength(3);
      const [winner] = made;
      if (!winner?.client) throw new Error("nobody won");
      const { client, queue } = { client: winner.client, queue: winner.queue };
      expect(await client.ask({ tag: "LGET" }, null, queue.ids.linkId ?? EMPTY)).toMatchObject({ tag: "LNK", senderId });
      expect(named(await client.ask({ tag: "QUE" }, queue.recipientKey, queue.ids.rcvId))).toBe("INFO");
    }
  });

  it("NEW and LSET with one link id: it leads to one queue, and to that one for good", async () => {
    const clients = await several(4);
    for (let round = 0; round < 12; round++) {
      const linkId = randomBytes(24);
      const results = await Promise.all(clients.map(async (client, i) => {
        const userData = utf8(`of ${i}`);
        const corrId = randomBytes(24);
        const data = { linkId, senderId: sha3_384(corrId).slice(0, 24), linkData: { ...linkData, userData } };
        if (i % 2 === 0) {
          const change = { queueReqData: { mode: "contact", data } } as const;
          return makeQueue(client, { corrId, change })
            .then(() => "OK", (error: unknown) => String(error).replace("Error: no queue: ", ""));
        }
        const queue = await makeQueue(client, { change: { queueReqData: { mode: "contact", data: null } } });
        const lset = { tag: "LSET", linkId, linkData: data.linkData } as const;
        return named(await client.ask(lset, queue.recipientKey, queue.ids.rcvId));
      }));
      expect(tally(results)).toEqual({ OK: 1, "ERR AUTH": 3 });
      const shown = await clients[0]?.ask({ tag: "LGET" }, null, linkId);
      expect(shown).toMatchObject({ tag: "LNK", linkData: { userData: utf8(`of ${results.indexOf("OK")}`) } });
    }
  });

  it("LKEY of an invitation: one visitor sees what it shows", async () => {
    const [owner, ...visitors] = await several(5);
    if (!owner) throw new Error("no client");
    for (let round = 0; round < 12; round++) {
      const corrId = randomBytes(24);
      const data = { senderId: sha3_384(corrId).slice(0, 24), linkData };
      const { ids } = await makeQueue(owner, { corrId, change: { queueReqData: { mode: "messaging", data } } });
      const answers = await Promise.all(visitors.map((client) => {
        const pair = generateKeyPair("X25519");
        return client.ask({ tag: "LKEY", key: pair.publicKey }, pair.secretKey, ids.linkId ?? EMPTY).then(named);
      }));
      expect(tally(answers)).toEqual({ LNK: 1, "ERR AUTH": 3 });
    }
  });

  it("DEL: one deletes, and everybody else finds no queue", async () => {
    const clients = await several(4);
    const [owner] = clients;
    if (!owner) throw new Error("no client");
    for (let round = 0; round < 12; round++) {
      const queue = await makeQueue(owner, { change: { subscribe: false } });
      const answers = await Promise.all(clients.map((client) =>
        client.ask({ tag: "DEL" }, queue.recipientKey, queue.ids.rcvId)));
      expect(tally(answers.map(named))).toEqual({ OK: 1, "ERR AUTH": 3 });
    }
  });
});

describe.concurrent("a queue that is deleted while others use it", () => {
  it("takes messages before and refuses them after, and answers each", async () => {
    const [owner, subscriber, ...senders] = await several(5);
    if (!owner || !subscriber) throw new Error("no clients");
    for (let round = 0; round < 12; round++) {
      const queue = await makeQueue(owner, { change: { subscribe: false } });
      await subscribe(subscriber, queue);
      const sending = senders.map(async (client) => {
        const answers = [];
        for (let i = 0; i < 6; i++) answers.push(named(await send(client, queue, "m")));
        return answers;
      });
      await pause(round % 8);
      expect(named(await owner.ask({ tag: "DEL" }, queue.recipientKey, queue.ids.rcvId))).toBe("OK");
      for (const answers of await Promise.all(sending)) {
        const refusedFrom = answers.indexOf("ERR AUTH");
        const accepted = refusedFrom < 0 ? answers : answers.slice(0, refusedFrom);
        expect(new Set([...accepted, "OK"])).toEqual(new Set(["OK"]));
        expect(new Set([...answers.slice(accepted.length), "ERR AUTH"])).toEqual(new Set(["ERR AUTH"]));
      }
      let event = await subscriber.event(queue.ids.rcvId);
      if (event.message.tag === "MSG") event = await subscriber.event(queue.ids.rcvId);
      expect(event.message).toEqual({ tag: "DELD" });
    }
  });

  it("can be made again under the same sender id at once", async () => {
    const [client] = await several(1);
    if (!client) throw new Error("no client");
    const corrId = randomBytes(24);
    const linkId = randomBytes(24);
    const data = { linkId, senderId: sha3_384(corrId).slice(0, 24), linkData };
    for (let round = 0; round < 15; round++) {
      const queue = await makeQueue(client, { corrId, change: { queueReqData: { mode: "contact", data } } });
      expect(named(await send(client, queue, `round ${round}`))).toBe("OK");
      expect(open(queue, (await client.event(queue.ids.rcvId)).message).text).toBe(`round ${round}`);
      expect(named(await client.ask({ tag: "LGET" }, null, linkId))).toBe("LNK");
      expect(named(await client.ask({ tag: "DEL" }, queue.recipientKey, queue.ids.rcvId))).toBe("OK");
    }
  });
});

describe.concurrent("a link that is taken away and set again in one breath", () => {
  it("leads to its queue in the end", async () => {
    const [client] = await several(1);
    if (!client) throw new Error("no client");
    const queue = await makeQueue(client, { change: { queueReqData: { mode: "contact", data: null } } });
    const linkId = randomBytes(24);
    for (let round = 0; round < 30; round++) {
      const corrIds = [randomBytes(24), randomBytes(24)];
      const lset = { tag: "LSET", linkId, linkData } as const;
      const sign = (command: typeof lset | { tag: "LDEL" }, i: number): Uint8Array =>
        client.transmission(command, queue.recipientKey, queue.ids.rcvId, corrIds[i]);
      const both = [sign({ tag: "LDEL" }, 0), sign(lset, 1)];
      if (round % 2 === 0) client.sendAll(both);
      else for (const one of both) client.sendAll([one]);
      for (const corrId of corrIds) expect(named((await client.answer(corrId)).message)).toBe("OK");
      expect(named(await client.ask({ tag: "LGET" }, null, linkId))).toBe("LNK");
    }
  });
});
