import { evictDurableObject, listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { utf8 } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { Server } from "#protocol/address";
import { identityFingerprint } from "../../src/relay/identity.ts";
import { contextOf } from "../../src/objects/context.ts";
import { destinationId } from "../../src/objects/locate.ts";
import type { Env } from "../../src/objects/env.ts";
import { DESTINATION, PROXIED_SESSIONS, PRXY_PER_MINUTE } from "../../src/relay/limits.ts";
import { askThrough, type Behind, openRelay, sealCommand } from "../support/forwarding.ts";
import { makeQueue, open, send, type TestQueue } from "../support/queue-user.ts";
import { named, type WireClient } from "../support/wire-client.ts";
import { connect } from "../support/workerd-relay.ts";

// There is no network in this runtime: every name leads to the relay itself, which is its own destination.

let relays = 0;
const reached: string[] = [];
let network: (url: string, init?: RequestInit) => Promise<Response>;

beforeEach(() => {
  reached.length = 0;
  network = (url, init) => exports.default.fetch(new Request(url, init));
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    reached.push(url.replace(/\?.*/, ""));
    return network(url, init as RequestInit);
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** The relay under a name that no other test has used. */
async function nextRelay(change: Partial<Server> = {}): Promise<Server> {
  const { identity } = await contextOf(env as unknown as Env);
  return { hosts: [`relay${++relays}.test`], port: "443", keyHash: identityFingerprint(identity), ...change };
}

const prxy = async (client: WireClient, change: Partial<Server> = {}): Promise<string> =>
  named(await client.ask({ tag: "PRXY", server: await nextRelay(change), basicAuth: null }));

const sendThrough = (client: WireClient, relay: Behind, queue: TestQueue, text: string): Promise<string> =>
  askThrough(client, relay, { tag: "SEND", notification: false, body: utf8(text) }, null, queue.ids.sndId).then(named);

describe("a proxy", () => {
  it("connects a client to a relay, and forwards what it sends", async () => {
    const [recipient, sender] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(recipient);
    const relay = await openRelay(sender, await nextRelay());
    const key = generateKeyPair("Ed25519");
    const skey = { tag: "SKEY", key: key.publicKey } as const;
    const secured = await askThrough(sender, relay, skey, key.secretKey, queue.ids.sndId);
    expect(named(secured)).toBe("OK");
    const command = { tag: "SEND", notification: false, body: utf8("through") } as const;
    expect(named(await askThrough(sender, relay, command, key.secretKey, queue.ids.sndId))).toBe("OK");
    expect(open(queue, (await recipient.event()).message).text).toBe("through");
    expect(await sendThrough(sender, relay, queue, "unsigned")).toBe("ERR AUTH");
  });

  it("opens one session for all clients that want it at once, and for those that come later", async () => {
    const server = await nextRelay();
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect()));
    const twice = clients.flatMap((client) => [client, client]);
    const opened = await Promise.all(twice.map((client) => openRelay(client, server)));
    const later = await openRelay(await connect({ version: 8 }), server);
    expect(new Set([...opened, later].map(({ sessionId }) => sessionId.join())).size).toBe(1);
    expect(reached).toEqual([`https://${server.hosts[0]}:443/`]);
  });

  it("does not go where policy forbids, nor tries to", async () => {
    const client = await connect();
    const addresses = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "0x7f.1"];
    for (const host of [...addresses, "localhost", "a.onion", "x@y.org"]) {
      expect(await prxy(client, { hosts: [host] }), host).toBe("ERR PROXY BROKER HOST");
    }
    for (const port of ["22", "8443", "0443"]) expect(await prxy(client, { port }), port).toBe("ERR PROXY BROKER HOST");
    expect(reached).toEqual([]);
  });

  it("tells who is at fault when the relay is another than the address says", async () => {
    const client = await connect();
    expect(await prxy(client, { keyHash: randomBytes(32) })).toBe("ERR PROXY BROKER TRANSPORT HANDSHAKE BAD_AUTH");
  });

  it.each([
    ["a page", () => Promise.resolve(new Response("hello"))],
    ["a redirect", () => Promise.resolve(Response.redirect("https://elsewhere.example.org/"))],
    ["nothing", () => Promise.reject(new TypeError("connection refused"))],
  ])("tells that it got no connection where there is %s, and asks again only after a while", async (_, answer) => {
    const client = await connect();
    const server = await nextRelay();
    network = answer;
    const ask = async (): Promise<string> => named(await client.ask({ tag: "PRXY", server, basicAuth: null }));
    expect(await ask()).toBe("ERR PROXY BROKER NETWORK");
    network = (url, init) => exports.default.fetch(new Request(url, init));
    expect(await ask()).toBe("ERR PROXY BROKER NETWORK");
    expect(reached).toHaveLength(1);
    vi.setSystemTime(Date.now() + DESTINATION.failure + 1);
    expect(await ask()).toBe("PKEY");
  });

  it("knows only the sessions that its client has asked for, and of these the newest", async () => {
    const [recipient, client, other] = await Promise.all([connect(), connect(), connect()]);
    const queue = await makeQueue(recipient);
    const opened: Behind[] = [];
    for (let i = 0; i <= PROXIED_SESSIONS; i++) opened.push(await openRelay(client, await nextRelay()));
    const [oldest, second] = opened;
    if (!oldest || !second) throw new Error("nothing was opened");
    expect(await sendThrough(client, oldest, queue, "forgotten")).toBe("ERR PROXY NO_SESSION");
    expect(await sendThrough(client, second, queue, "known")).toBe("OK");
    expect(await sendThrough(other, second, queue, "of another")).toBe("ERR PROXY NO_SESSION");
    const madeUp = { ...second, sessionId: randomBytes(32) };
    expect(await sendThrough(client, madeUp, queue, "made up")).toBe("ERR PROXY NO_SESSION");
  });

  it("remembers a session while its own objects leave memory, but not longer than the session is", async () => {
    const [recipient, client] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(recipient);
    const server = await nextRelay();
    const relay = await openRelay(client, server);
    const connections = await listDurableObjectIds(env.CONNECTION);
    // Those of clients that are gone are not there any more.
    await Promise.allSettled(connections.map((id) => evictDurableObject(env.CONNECTION.get(id))));
    expect(await sendThrough(client, relay, queue, "kept")).toBe("OK");
    // Its socket keeps the object that holds the session in memory, until something ends both.
    const { host, keyHash } = { host: server.hosts[0] ?? "", keyHash: server.keyHash };
    const id = destinationId(env as unknown as Env, { host, port: 443, keyHash, isPrivate: false });
    const end = runInDurableObject(env.DESTINATION.get(id), (_, state) => state.abort("gone"));
    await expect(end).rejects.toThrow("gone");
    expect(await sendThrough(client, relay, queue, "lost")).toBe("ERR PROXY NO_SESSION");
    const again = await openRelay(client, server);
    expect(again.sessionId).not.toEqual(relay.sessionId);
    expect(await sendThrough(client, again, queue, "again")).toBe("OK");
  });

  it("connects no more often than is decent, and refuses it as a passing fault", async () => {
    const client = await connect();
    const server = await nextRelay({ hosts: ["localhost"] });
    const corrIds = Array.from({ length: PRXY_PER_MINUTE + 5 }, () => randomBytes(24));
    const prxyCommand = { tag: "PRXY", server, basicAuth: null } as const;
    client.sendAll(corrIds.map((corrId) => client.transmission(prxyCommand, null, undefined, corrId)));
    const answers: string[] = [];
    for (const corrId of corrIds) answers.push(named((await client.answer(corrId)).message));
    expect(answers).toEqual([
      ...Array<string>(PRXY_PER_MINUTE).fill("ERR PROXY BROKER HOST"),
      ...Array<string>(5).fill("ERR PROXY BROKER TIMEOUT"),
    ]);
    expect(await prxy(await connect())).toBe("PKEY");
  });

  it("keeps no other command waiting for a relay that does not answer", async () => {
    const [recipient, client] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(recipient);
    const gate = Promise.withResolvers<void>();
    network = async (url, init) => {
      await gate.promise;
      return await exports.default.fetch(new Request(url, init));
    };
    const corrIds = Array.from({ length: 40 }, () => randomBytes(24));
    for (const corrId of corrIds) {
      const server = await nextRelay();
      client.sendAll([client.transmission({ tag: "PRXY", server, basicAuth: null }, null, undefined, corrId)]);
    }
    expect(named(await send(client, queue, "meanwhile"))).toBe("OK");
    expect(open(queue, (await recipient.event()).message).text).toBe("meanwhile");
    // As many as are done at once, and no more.
    expect(reached).toHaveLength(32);
    gate.resolve();
    for (const corrId of corrIds) expect((await client.answer(corrId)).message.tag).toBe("PKEY");
    expect(reached).toHaveLength(40);
  });

  it("puts off a bounded number of commands, and tells the others to come back", async () => {
    const client = await connect();
    const gate = Promise.withResolvers<void>();
    network = async (url, init) => {
      await gate.promise;
      return await exports.default.fetch(new Request(url, init));
    };
    const server = await nextRelay();
    const asked = client.transmission({ tag: "PRXY", server, basicAuth: null });
    const relay = { sessionId: randomBytes(32), key: generateKeyPair("X25519").publicKey, version: 19 };
    const { publicKey, encTransmission } = sealCommand(relay, { tag: "PING" });
    client.sendAll(Array.from({ length: 32 }, () => asked));
    const corrIds = Array.from({ length: 130 }, () => randomBytes(24));
    const pfwd = { tag: "PFWD", version: 19, key: publicKey, encTransmission } as const;
    for (const corrId of corrIds) client.sendAll([client.transmission(pfwd, null, relay.sessionId, corrId)]);
    for (const corrId of corrIds.slice(128)) {
      expect(named((await client.answer(corrId)).message)).toBe("ERR PROXY BROKER TIMEOUT");
    }
    gate.resolve();
    for (const corrId of corrIds.slice(0, 128)) {
      expect(named((await client.answer(corrId)).message)).toBe("ERR PROXY NO_SESSION");
    }
  });
});
