import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { utf8 } from "#crypto/bytes";
import { Person, type RelayPlace } from "../scenario/agent/person.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../support/relay-process.ts";
import { Chromium, temporaryData } from "./support/chromium.ts";
import { PageServer } from "./support/page-server.ts";

const SETTINGS = { PROXY_PRIVATE: "on", PROXY_PORTS: "1-65535" };

const folder = temporaryFolder();
const data = temporaryData();
let own: RelayProcess;
let classic: RelayProcess;
let server: PageServer;
let browser: Chromium;

const withGateway = (name: string): Promise<RelayProcess> =>
  RelayProcess.start(join(folder, name), SETTINGS, 0, ["--tls-port", "0"]);

/** A relay as others know it: by an address where nothing but TLS is spoken. */
function known({ info }: RelayProcess, host: string): RelayPlace {
  return { address: (info.gateway ?? "").replace("127.0.0.1", host), url: info.url };
}

beforeAll(async () => {
  [own, classic, server, browser] = await Promise.all([
    withGateway("own"),
    withGateway("classic"),
    PageServer.start("test/browser/page/agent.ts"),
    Chromium.start(data.path),
  ]);
});

afterAll(async () => {
  await browser.stop();
  await server.stop();
  data.remove();
  for (const relay of [own, classic]) await relay.stop();
  removeFolder(folder);
});

test("a page joins an invitation from a server that speaks TLS alone, and nobody connects to the other's relay", async () => {
  const ports = new Set<string>();
  const bob = await new Person("Bob", [known(classic, "localhost")], {
    openSocket: (url) => {
      ports.add(new URL(url).port);
      return new WebSocket(url);
    },
  }).start();
  const page = await browser.open(server.url);
  expect(await page.call("start", "Alice", known(own, "127.0.0.1"))).toBe("started");

  const { connection, shortLink } = await bob.agent.invite();
  expect(shortLink).toContain("localhost");
  const a = await page.call<string>("join", shortLink);
  const { confirmation } = await bob.next("confirmation");
  await bob.agent.allow(connection, confirmation, utf8("Bob"));
  await Promise.all([bob.next("connected"), page.call("connected")]);
  for (let i = 0; i < 5; i++) {
    await page.call("send", a, `from the page ${i}`);
    expect(await bob.receive()).toBe(`from the page ${i}`);
    await bob.send(connection, `to the page ${i}`);
    expect(await page.call("receive")).toBe(`to the page ${i}`);
  }

  expect([...ports]).toEqual([new URL(classic.info.url).port]);
  const { sendsTo } = await bob.agent.connection(connection);
  expect(sendsTo.map(({ hosts: [host], port }) => `${host}:${port}`)).toEqual([(own.info.gateway ?? "").split("@")[1]]);
  expect(await page.call("complaints")).toEqual([]);
  await page.call("stop");
  await bob.stop();
});
