import { afterEach, describe, expect, test } from "vitest";
import { fromHex } from "#crypto/bytes";
import { leaveDevice } from "../../../client/agent/notifications/leave-device.ts";
import { MemoryStore } from "../../../client/store/memory.ts";
import { FakeNtfServer } from "../support/fake-ntf-server.ts";
import { DAY, HOUR, NotifiedAgent } from "../support/notified-agent.ts";

const programs: NotifiedAgent[] = [];

async function world(connections = 2): Promise<NotifiedAgent> {
  const program = await new NotifiedAgent().start();
  programs.push(program);
  await program.invite(connections);
  return program;
}

afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop();
});

const PHONE = { provider: "apns_prod", token: "ab".repeat(32) } as const;
const AUTH = { tag: "ERR", error: { type: "AUTH" } } as const;

describe("a token", () => {
  test("is registered and verified, then every queue is followed", async () => {
    const program = await world();
    const { notifications } = program.agent;
    expect(await notifications.register(PHONE, "instant", program.ntf.server)).toMatchObject({ status: "REGISTERED" });
    expect(program.asked()).toEqual({ relay: [], server: ["TNEW"] });
    await program.verify();
    expect(await notifications.state()).toMatchObject({ mode: "instant", status: "ACTIVE", token: `apns_prod ${PHONE.token}` });
    expect(program.asked()).toEqual({ relay: ["NKEY", "NKEY"], server: ["TVFY", "TCRN", "SNEW", "SNEW"] });
    expect(program.ntf.device.record()?.cronMinutes).toBe(20);
    expect(await program.followed()).toEqual(["NEW", "NEW"]);
  });

  test("is asked for at every start, and nothing is done twice", async () => {
    const program = await world();
    await program.register();
    await program.restart();
    program.asked();
    expect(await program.agent.notifications.register(PHONE, "instant", program.ntf.server)).toMatchObject({ status: "ACTIVE" });
    await program.calm();
    expect(program.asked()).toEqual({ relay: [], server: ["TCHK", "TCRN"] });
  });

  test("gets its push again when the first was lost", async () => {
    const program = await world(0);
    await program.agent.notifications.register(PHONE, "instant", program.ntf.server);
    program.ntf.push();
    await program.restart();
    await program.register();
    expect(program.asked().server).toEqual(["TNEW", "TNEW", "TVFY", "TCRN"]);
  });

  test("is not verified twice, by whatever push that comes again", async () => {
    const program = await world(0);
    await program.agent.notifications.register(PHONE, "instant", program.ntf.server);
    const push = program.ntf.push();
    const opened = await program.open(push);
    if (opened.type !== "verification") throw new Error("no code came");
    await program.agent.notifications.verify(opened.code);
    await program.calm();
    program.asked();
    await program.agent.notifications.verify(opened.code);
    expect(program.asked().server).toEqual([]);
  });

  test("that another one replaces keeps its queues", async () => {
    const program = await world();
    await program.register();
    program.asked();
    const token = { provider: "apns_prod", token: "cd".repeat(32) } as const;
    expect(await program.agent.notifications.register(token, "instant", program.ntf.server)).toMatchObject({ status: "REGISTERED" });
    await program.calm();
    await program.verify();
    expect(program.asked()).toEqual({ relay: [], server: ["TRPL", "TVFY"] });
    expect(program.ntf.device.record()?.token).toEqual(token);
    expect(await program.followed()).toEqual(["NEW", "NEW"]);
  });

  test("that its server has forgotten is registered anew, with other keys, and every queue gets a new notifier", async () => {
    const program = await world();
    await program.register();
    const before = new Set(program.notifiers.values());
    program.ntf.devices = [];
    await expect(program.agent.notifications.register(PHONE, "instant", program.ntf.server)).rejects.toMatchObject({ error: { type: "AUTH" } });
    expect(await program.agent.notifications.state()).toMatchObject({ status: "REGISTERED" });
    await program.calm();
    program.asked();
    await program.verify();
    expect(program.asked()).toEqual({ relay: ["NKEY", "NKEY"], server: ["TVFY", "TCRN", "SNEW", "SNEW"] });
    expect([...program.notifiers.values()].some((one) => before.has(one))).toBe(false);
  });

  test("moves with the application to another server, and the first one forgets it", async () => {
    const program = await world();
    await program.register();
    const other = new FakeNtfServer(program.ntf.identity);
    program.asked();
    await program.agent.notifications.register(PHONE, "instant", { ...other.server, port: "5443" });
    await program.calm();
    expect(program.asked().server).toEqual(["TNEW", "TDEL"]);
    await program.verify();
    expect(program.asked()).toEqual({ relay: ["NKEY", "NKEY"], server: ["TVFY", "TCRN", "SNEW", "SNEW"] });
  });

  test("that the server does not take is not kept", async () => {
    const program = await world();
    program.ntf.answer = () => ({ tag: "ERR", error: { type: "CMD", cmdErr: { type: "PROHIBITED" } } });
    await expect(program.agent.notifications.register(PHONE, "instant", program.ntf.server)).rejects.toThrow(/PROHIBITED/);
    await program.pass(HOUR);
    expect(program.asked().server).toEqual(["TNEW"]);
    expect(await program.agent.notifications.state()).toMatchObject({ mode: null, status: null });
  });

  test("that the server does not take now is registered later, and a code that overtakes its answer waits for it", async () => {
    const program = await world();
    program.ntf.answer = () => ({ tag: "ERR", error: { type: "QUOTA" } });
    const { notifications } = program.agent;
    await expect(notifications.register(PHONE, "instant", program.ntf.server)).rejects.toThrow(/QUOTA/);
    expect(await notifications.state()).toMatchObject({ status: "NEW" });
    program.ntf.answer = () => undefined;
    const held: (() => void)[] = [];
    const { send } = program.ntf;
    program.ntf.send = (socket, block) => void held.push(() => send(socket, block));
    await program.pass(2_000);
    const opening = program.open();
    await program.calm();
    for (const release of held.splice(0)) release();
    expect(await opening).toMatchObject({ type: "verification" });
    program.ntf.send = send;
  });

  test("is deleted with all that belongs to it, at once here and elsewhere as soon as that can be", async () => {
    const program = await world();
    await program.register();
    program.asked();
    program.ntf.answer = () => null;
    await program.agent.notifications.delete();
    expect(await program.agent.notifications.state()).toMatchObject({ mode: null });
    await program.restart();
    expect(await program.followed()).toEqual([]);
    program.ntf.answer = () => undefined;
    await program.pass(HOUR);
    expect(program.asked().relay).toEqual(["NDEL", "NDEL"]);
    expect(program.ntf.device.record()).toBeNull();
    await program.pass(4 * HOUR);
    expect(program.asked()).toEqual({ relay: [], server: [] });
  });
});

describe("queues", () => {
  test("are asked about after a day, then every three", async () => {
    const program = await world();
    await program.register();
    program.asked();
    await program.pass(DAY - 1);
    expect(program.asked().server).toEqual([]);
    await program.pass(1);
    expect(program.asked().server).toEqual(["SCHK", "SCHK"]);
    await program.restart();
    await program.pass(3 * DAY - 1);
    expect(program.asked().server).toEqual([]);
    await program.pass(1);
    expect(program.asked()).toEqual({ relay: [], server: ["SCHK", "SCHK"] });
  });

  test.each(["END", "DELETED", "AUTH", "SERVICE", "ERR something"] as const)("begin anew when the server says %s", async (status) => {
    const program = await world();
    await program.register();
    program.asked();
    let isFirst = true;
    program.ntf.answer = ({ tag }) => {
      if (tag !== "SCHK" || !isFirst) return undefined;
      isFirst = false;
      return { tag: "SUB", status };
    };
    await program.pass(DAY);
    expect(program.asked()).toEqual({ relay: ["NKEY"], server: ["SCHK", "SCHK", "SNEW"] });
    expect(await program.followed()).toEqual(["NEW", "NEW"]);
  });

  test("of a token that the server lost bring it back", async () => {
    const program = await world();
    await program.register();
    program.ntf.devices = [];
    program.asked();
    await program.pass(DAY);
    expect(program.asked()).toEqual({ relay: [], server: ["SCHK", "SCHK", "TCHK", "TNEW", "TDEL"] });
    expect(program.events.some((event) => event.type === "notifications" && event.state.status === "REGISTERED")).toBe(true);
    await program.verify();
    expect(program.asked()).toEqual({ relay: ["NKEY", "NKEY"], server: ["TVFY", "TCRN", "SNEW", "SNEW"] });
    expect(await program.followed()).toEqual(["NEW", "NEW"]);
  });

  test("that are refused are not asked for again at once", async () => {
    const program = await world();
    program.ntf.answer = ({ tag }) => (tag === "SNEW" ? AUTH : undefined);
    await program.register();
    expect(program.asked()).toEqual({ relay: ["NKEY", "NKEY"], server: ["TNEW", "TVFY", "TCRN", "SNEW", "SNEW", "TCHK", "TCRN"] });
    await program.pass(DAY - HOUR);
    expect(program.asked()).toEqual({ relay: [], server: [] });
    program.ntf.answer = () => undefined;
    await program.pass(HOUR);
    expect(await program.followed()).toEqual(["NEW", "NEW"]);
  });

  test("come and go with their connections", async () => {
    const program = await world();
    await program.register();
    program.asked();
    const [third = ""] = await program.invite(1);
    expect(program.asked()).toEqual({ relay: ["NKEY"], server: ["SNEW"] });
    await program.agent.setNotifications(third, false);
    await program.calm();
    expect(program.asked()).toEqual({ relay: ["NDEL"], server: [] });
    expect(await program.agent.connection(third)).toMatchObject({ notifications: false });
    await program.agent.setNotifications(third, true);
    await program.calm();
    expect(program.asked()).toEqual({ relay: ["NKEY"], server: ["SNEW"] });
    await program.agent.delete(third);
    await program.calm();
    // Its notifier goes with the queue.
    expect(program.asked()).toEqual({ relay: [], server: [] });
    expect(await program.followed()).toEqual(["NEW", "NEW"]);
  });

  test("are followed in instant mode only", async () => {
    const program = await world();
    await program.register("periodic");
    expect(program.asked()).toEqual({ relay: [], server: ["TNEW", "TVFY", "TCRN"] });
    await program.agent.notifications.setMode("instant");
    await program.calm();
    expect(program.asked()).toEqual({ relay: ["NKEY", "NKEY"], server: ["SNEW", "SNEW"] });
    await program.agent.notifications.register(PHONE, "periodic", program.ntf.server);
    await program.calm();
    expect(program.asked()).toEqual({ relay: ["NDEL", "NDEL"], server: ["TCHK", "TCRN"] });
    expect(await program.followed()).toEqual([]);
  });

  test("go on where they were left, wherever the program ended", async () => {
    const program = await world(3);
    program.answer = ({ parsed }) => (parsed.tag === "NKEY" ? null : undefined);
    await program.register();
    program.answer = () => undefined;
    program.ntf.answer = ({ tag }) => (tag === "SNEW" ? null : undefined);
    await program.restart();
    expect(program.asked().relay).toEqual(Array.from({ length: 6 }, () => "NKEY"));
    program.ntf.answer = () => undefined;
    await program.restart();
    expect(program.asked()).toEqual({ relay: [], server: ["SNEW", "SNEW", "SNEW"] });
    expect(await program.followed()).toEqual(["NEW", "NEW", "NEW"]);
  });

  test("by the hundred go in batches, and a server that is away is not run over", async () => {
    const program = await world(160);
    await program.register();
    await program.calm();
    expect((await program.followed()).filter((status) => status === "NEW")).toHaveLength(160);
    program.asked();
    program.ntf.answer = () => null;
    const { connections } = program.ntf;
    const errors = program.events.length;
    await program.pass(DAY);
    await program.pass(HOUR / 6);
    const tries = program.ntf.connections - connections;
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(25);
    expect(program.asked().server).toHaveLength(150 * tries);
    expect(program.events.length - errors).toBeLessThan(2 * tries);
    program.ntf.answer = () => undefined;
    await program.pass(HOUR);
    expect(program.asked().server).toHaveLength(160);
  }, 60_000);
});

describe("a push", () => {
  test("tells which connections have messages", async () => {
    const program = await world(0);
    const connections = await program.invite(3);
    await program.register();
    const [a, b, c] = [...program.notifiers.values()];
    if (!a || !b || !c) throw new Error("a notifier is missing");
    const opened = await program.open(program.messages({ notifier: a, ts: 1000 }, { notifier: c, ts: 1001 }, { notifier: b, ts: 1002 }));
    const told = opened.type === "messages" ? opened.messages : [];
    expect(told.map(({ at }) => at)).toEqual([1_000_000, 1_001_000, 1_002_000]);
    expect(new Set(told.map(({ connection }) => connection))).toEqual(new Set(connections));
  });

  test("tells of a message once, but of the last always", async () => {
    const program = await world();
    await program.register();
    const [a, b] = [...program.notifiers.values()];
    if (!a || !b) throw new Error("a notifier is missing");
    const one = { notifier: a, ts: 1000, msgId: fromHex("0a".repeat(24)) };
    const count = async (push: ReturnType<typeof program.messages>): Promise<number> => {
      const opened = await program.open(push);
      return opened.type === "messages" ? opened.messages.length : -1;
    };
    expect(await count(program.messages(one))).toBe(1);
    await program.restart();
    expect(await count(program.messages(one, { notifier: b, ts: 1001 }))).toBe(1);
    expect(await count(program.messages(one))).toBe(1);
    expect(await count(program.messages({ notifier: a, ts: 1002 }, { notifier: b, ts: 1003 }))).toBe(2);
  });

  test("of a queue that is gone, or that nobody can open, tells nothing", async () => {
    const program = await world(0);
    const [connection = ""] = await program.invite(1);
    await program.register();
    const [notifier] = [...program.notifiers.values()];
    if (!notifier) throw new Error("the notifier is missing");
    const forged = program.messages({ notifier: { ...notifier, secret: new Uint8Array(32) }, ts: 1 });
    expect(await program.open(forged)).toEqual({ type: "messages", messages: [] });
    const push = program.messages({ notifier, ts: 1 });
    await program.agent.delete(connection);
    await program.calm();
    expect(await program.open(push)).toEqual({ type: "messages", messages: [] });
  });

  test("for nobody, or for somebody else, is refused", async () => {
    const program = await world(0);
    const refusal = { code: "AGENT", refusal: "PROHIBITED" };
    await expect(program.open({ checkMessages: true })).rejects.toMatchObject(refusal);
    await program.register();
    expect(await program.open({ checkMessages: true })).toEqual({ type: "check" });
    for (const json of [null, 7, {}, { nonce: "AAAA" }, { nonce: "A".repeat(32), message: "A".repeat(200) }]) {
      await expect(program.agent.notifications.open(json)).rejects.toMatchObject(refusal);
    }
  });
});

describe("a profile that comes to another device", () => {
  test("leaves the token behind, and silences its queues there until it has one of its own", async () => {
    const program = await world();
    await program.register();
    program.asked();
    await program.stop();
    const store = new MemoryStore(program.file);
    await store.write(await leaveDevice(store));
    await store.close();
    await program.start();
    expect(await program.agent.notifications.state()).toMatchObject({ mode: null });
    expect(program.asked()).toEqual({ relay: ["NDEL", "NDEL"], server: [] });
    await program.register("instant", "ef");
    expect(program.asked()).toEqual({ relay: ["NKEY", "NKEY"], server: ["TNEW", "TVFY", "TCRN", "SNEW", "SNEW"] });
    expect(program.ntf.devices).toHaveLength(2);
  });
});
