import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { parseServerAddress } from "#protocol/address";
import { secureAsSender, send as sendMessage } from "../../client/smp/calls.ts";
import { ProxiedRelay } from "../../client/smp/proxied-relay.ts";
import { RelayConnection } from "../../client/smp/relay-connection.ts";
import { askThrough, openRelay } from "../support/forwarding.ts";
import { acknowledge, makeQueue, open, send } from "../support/queue-user.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../support/relay-process.ts";
import { named, type WireClient } from "../support/wire-client.ts";

const LOCAL = { PROXY_PRIVATE: "on", PROXY_PORTS: "1024-65535" };

const folders: string[] = [];
const running: RelayProcess[] = [];

async function start(env: Record<string, string> = {}, options?: readonly string[]): Promise<RelayProcess> {
  const folder = temporaryFolder();
  folders.push(folder);
  const relay = await RelayProcess.start(folder, env, 0, options);
  running.push(relay);
  return relay;
}

let proxy: RelayProcess;
let relay: RelayProcess;

beforeAll(async () => {
  [proxy, relay] = await Promise.all([start(LOCAL), start({}, ["--tls-port", "0"])]);
});

afterAll(async () => {
  await Promise.all(running.map((one) => one.stop()));
  for (const folder of folders) removeFolder(folder);
});

/** A queue is made, secured and written to, by somebody who never connects to its relay. */
async function converse(sender: WireClient, address: string): Promise<void> {
  const recipient = await relay.connect();
  const queue = await makeQueue(recipient);
  const there = await openRelay(sender, parseServerAddress(address));
  const key = generateKeyPair("X25519");
  const skey = { tag: "SKEY", key: key.publicKey } as const;
  expect(named(await askThrough(sender, there, skey, key.secretKey, queue.ids.sndId))).toBe("OK");
  for (const text of ["first", "second"]) {
    const message = { tag: "SEND", notification: false, body: utf8(text) } as const;
    expect(named(await askThrough(sender, there, message, key.secretKey, queue.ids.sndId))).toBe("OK");
    const { text: received, msgId } = open(queue, (await recipient.event()).message);
    expect(received).toBe(text);
    await acknowledge(recipient, queue, msgId);
  }
  const unsigned = { tag: "SEND", notification: false, body: utf8("unsigned") } as const;
  expect(named(await askThrough(sender, there, unsigned, null, queue.ids.sndId))).toBe("ERR AUTH");
  recipient.close();
}

describe("a message through a proxy to another relay", () => {
  it("goes over a WebSocket", async () => {
    const sender = await proxy.connect();
    await converse(sender, relay.info.address);
    sender.close();
  });

  it("goes over TLS, as to a classic server", async () => {
    const sender = await proxy.connect();
    if (relay.info.gateway === null) throw new Error("no gateway");
    await converse(sender, relay.info.gateway);
    sender.close();
  });

  it.each(["WebSocket", "TLS"])("is sent so by the client of this project, over %s", async (way) => {
    const recipient = await relay.connect();
    const queue = await makeQueue(recipient);
    const address = way === "TLS" ? relay.info.gateway ?? "" : relay.info.address;
    const connection = new RelayConnection({ server: parseServerAddress(proxy.info.address), url: proxy.info.url });
    const there = new ProxiedRelay({ proxy: connection, server: parseServerAddress(address) });
    const key = generateKeyPair("X25519");
    await secureAsSender(there, queue.ids.sndId, key);
    await sendMessage(there, queue.ids.sndId, key.secretKey, utf8("unseen"));
    expect(open(queue, (await recipient.event()).message).text).toBe("unseen");
    await expect(sendMessage(there, queue.ids.sndId, null, utf8("unsigned"))).rejects.toThrow("AUTH");
    connection.dispose();
    recipient.close();
  });

  it("finds the relay again after that was restarted", async () => {
    const folder = temporaryFolder();
    folders.push(folder);
    const first = await RelayProcess.start(folder, {}, 0);
    const { port } = new URL(first.info.url);
    const sender = await proxy.connect();
    const there = await openRelay(sender, parseServerAddress(first.info.address));
    const ask = { tag: "LGET" } as const;
    const nobody = new Uint8Array(24);
    expect(named(await askThrough(sender, there, ask, null, nobody))).toBe("ERR AUTH");
    await first.stop();
    expect(named(await askThrough(sender, there, ask, null, nobody))).toMatch(/^ERR PROXY (NO_SESSION|BROKER NETWORK)$/);
    expect(named(await askThrough(sender, there, ask, null, nobody))).toBe("ERR PROXY NO_SESSION");
    running.push(await RelayProcess.start(folder, {}, Number(port)));
    const again = await openRelay(sender, parseServerAddress(first.info.address));
    expect(again.sessionId).not.toEqual(there.sessionId);
    expect(named(await askThrough(sender, again, ask, null, nobody))).toBe("ERR AUTH");
    sender.close();
  });
});

describe("a proxy", () => {
  it("is one only for those who know its password, if it has one, and for nobody when it is off", async () => {
    const settings = [{ ...LOCAL, CREATE_PASSWORD: "secret" }, { ...LOCAL, PROXY: "off" }] as const;
    const [closed, off] = await Promise.all([start(settings[0]), start(settings[1])]);
    const server = parseServerAddress(relay.info.address);
    const ask = async (at: RelayProcess, basicAuth: string | null): Promise<string> => {
      const client = await at.connect();
      const answer = named(await client.ask({ tag: "PRXY", server, basicAuth }));
      client.close();
      return answer;
    };
    expect(await ask(closed, null)).toBe("ERR PROXY BASIC_AUTH");
    expect(await ask(closed, "guessed")).toBe("ERR PROXY BASIC_AUTH");
    expect(await ask(closed, "secret")).toBe("PKEY");
    expect(await ask(off, null)).toBe("ERR PROXY BASIC_AUTH");
  });

  it("connects to nothing on its own machine unless it is told to", async () => {
    const strict = await start({ PROXY_PORTS: "1-65535" });
    const client = await strict.connect();
    const server = parseServerAddress(relay.info.address);
    expect(named(await client.ask({ tag: "PRXY", server, basicAuth: null }))).toBe("ERR PROXY BROKER HOST");
    client.close();
  });

  it("serves its own queues as ever", async () => {
    const [recipient, sender] = await Promise.all([proxy.connect(), proxy.connect()]);
    const queue = await makeQueue(recipient);
    expect(named(await send(sender, queue, "direct"))).toBe("OK");
    expect(open(queue, (await recipient.event()).message).text).toBe("direct");
    for (const client of [recipient, sender]) client.close();
  });

  it("may be the relay of the queue itself", async () => {
    const [recipient, sender] = await Promise.all([proxy.connect(), proxy.connect()]);
    const queue = await makeQueue(recipient);
    const there = await openRelay(sender, parseServerAddress(proxy.info.address));
    const message = { tag: "SEND", notification: false, body: utf8("round trip") } as const;
    expect(named(await askThrough(sender, there, message, null, queue.ids.sndId))).toBe("OK");
    expect(open(queue, (await recipient.event()).message).text).toBe("round trip");
    for (const client of [recipient, sender]) client.close();
  });
});
