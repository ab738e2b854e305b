import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Server } from "#protocol/address";
import { PushService } from "../../support/push-service.ts";
import { removeFolder, type RelayProcess, temporaryFolder } from "../../support/relay-process.ts";
import { connectPeople, Person, type RelayPlace } from "./person.ts";
import { Device, ntfServerOf, startPushingRelay, until } from "./pushed.ts";

const folders = [temporaryFolder(), temporaryFolder()] as const;
let service: PushService;
let relay: RelayProcess;
let elsewhere: RelayProcess;
let server: Server;
let people: Person[] = [];

beforeAll(async () => {
  service = await PushService.start();
  [relay, elsewhere] = await Promise.all([
    startPushingRelay(folders[0], service),
    startPushingRelay(folders[1], service),
  ]);
  server = await ntfServerOf(relay);
});

afterEach(async () => {
  for (const person of people) await person.stop();
  people = [];
});

afterAll(async () => {
  await Promise.all([relay.stop(), elsewhere.stop(), service.stop()]);
  for (const folder of folders) removeFolder(folder);
});

interface Pair {
  readonly alice: Person;
  readonly bob: Person;
  readonly a: string;
  readonly b: string;
  /** Of Alice, registered. */
  readonly device: Device;
}

async function pair(mode: "instant" | "periodic" = "instant", place: RelayPlace = relay.info): Promise<Pair> {
  const alice = await new Person("alice", [place]).start();
  const bob = await new Person("bob", [place]).start();
  people.push(alice, bob);
  const { a, b } = await connectPeople(alice, bob);
  const device = new Device(alice, service);
  await device.register(server, mode);
  if (mode === "instant") await device.following(1);
  return { alice, bob, a, b, device };
}

describe("notifications", () => {
  it("tell of a message that came while the program was closed", async () => {
    const { alice, bob, a, b, device } = await pair();
    expect(await alice.agent.notifications.state()).toMatchObject({ mode: "instant", status: "ACTIVE" });
    await alice.stop();
    await bob.send(b, "are you there?");
    const { text } = await device.subscriber.next();
    await alice.start();
    expect(await alice.agent.notifications.open(JSON.parse(text))).toMatchObject({
      type: "messages",
      messages: [{ connection: a }],
    });
    expect(await alice.receive()).toBe("are you there?");
  });

  it("tell of messages at a relay that is not the notification server's own", async () => {
    const { alice, bob, a, b, device } = await pair("instant", elsewhere.info);
    await alice.stop();
    await bob.send(b, "over there");
    await alice.start();
    expect(await device.messages()).toEqual([a]);
    expect(await alice.receive()).toBe("over there");
  });

  it("go on after the relay was restarted", async () => {
    const { alice, bob, a, b, device } = await pair();
    const port = Number(new URL(relay.info.url).port);
    await alice.stop();
    await relay.kill();
    relay = await startPushingRelay(folders[0], service, port);
    await bob.send(b, "after the power cut");
    const { text } = await device.subscriber.next();
    await alice.start();
    expect(await alice.agent.notifications.open(JSON.parse(text))).toMatchObject({ messages: [{ connection: a }] });
    const { subscriber } = device;
    expect(await alice.agent.notifications.register(subscriber.token, "instant", server)).toMatchObject({ status: "ACTIVE" });
    expect(await alice.receive()).toBe("after the power cut");
  });

  it("follow a connection that moves", async () => {
    const { alice, bob, a, b, device } = await pair();
    const [before] = await alice.agent.notifications.followed();
    await alice.agent.rotate(a);
    await alice.next("rotation", ({ phase }) => phase === "completed");
    await until("the new queue alone", async () => {
      const all = await alice.agent.notifications.followed();
      return all.length === 1 && all[0]?.queue !== before?.queue && all[0]?.status !== null;
    });
    const known = device.subscriber.received.length;
    await alice.stop();
    await bob.send(b, "at the new place");
    await until("its push", async () => device.subscriber.received.length > known);
    await alice.start();
    const push = device.subscriber.received.at(-1)?.text ?? "";
    expect(await alice.agent.notifications.open(JSON.parse(push))).toMatchObject({ messages: [{ connection: a }] });
    expect(await alice.receive()).toBe("at the new place");
  });

  it("come only in instant mode, only of connections that want it, and not after they were turned off", async () => {
    const { alice, bob, a, b, device } = await pair("periodic");
    const pushes = (): number => device.subscriber.received.length;
    const say = async (text: string): Promise<void> => {
      await bob.send(b, text);
      expect(await alice.receive()).toBe(text);
    };
    await say("unseen");
    expect(pushes()).toBe(1);
    await alice.agent.notifications.setMode("instant");
    await device.following(1);
    await say("seen");
    expect(await device.messages()).toEqual([a]);
    await alice.agent.setNotifications(a, false);
    await device.following(0);
    await say("muted");
    await alice.agent.setNotifications(a, true);
    await device.following(1);
    await say("loud");
    expect(await device.messages()).toEqual([a]);
    await alice.agent.notifications.delete();
    await device.following(0);
    await say("off");
    // A push of a second ago would have come by now.
    await new Promise((resolve) => void setTimeout(resolve, 1_000));
    expect(pushes()).toBe(3);
  });

  it("come to the device that the profile has now", async () => {
    const { alice, bob, a, b, device } = await pair();
    const other = new Device(alice, service);
    await alice.agent.notifications.register(other.subscriber.token, "instant", server);
    await other.verify();
    await alice.stop();
    await bob.send(b, "to the new phone");
    await alice.start();
    expect(await other.messages()).toEqual([a]);
    expect(device.subscriber.received).toHaveLength(1);
  });
});
