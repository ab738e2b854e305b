import { afterEach, describe, expect, test } from "vitest";
import type { NtfCommand } from "#protocol/ntf/commands";
import type { FakeNtfServer } from "../support/fake-ntf-server.ts";
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

/** The first command of this kind is done, but the disk cannot keep what came of it. */
function failingOnce(program: NotifiedAgent, failing: NtfCommand["tag"]): FakeNtfServer["answer"] {
  let isFirst = true;
  return ({ tag }) => {
    if (tag === failing && isFirst) {
      isFirst = false;
      program.failingWrites = 1;
    }
    return undefined;
  };
}

describe("a token", () => {
  test("that another one replaces while the disk fails is replaced again, and stays what it is", async () => {
    const program = await world(0);
    await program.register();
    program.asked();
    const token = { provider: "apns_prod", token: "cd".repeat(32) } as const;
    program.ntf.answer = failingOnce(program, "TRPL");
    const { notifications } = program.agent;
    const failing = notifications.register(token, "instant", program.ntf.server);
    await expect(failing).rejects.toMatchObject({ name: "StoreError" });
    await program.pass(HOUR);
    expect(program.asked().server).toEqual(["TRPL", "TRPL"]);
    await program.verify();
    expect(await notifications.state()).toMatchObject({ mode: "instant", status: "ACTIVE" });
    expect(program.ntf.devices).toHaveLength(1);
  });

  test("that is registered while the disk fails is not forgotten", async () => {
    const program = await world(0);
    program.ntf.answer = failingOnce(program, "TNEW");
    const { notifications } = program.agent;
    const failing = notifications.register(PHONE, "instant", program.ntf.server);
    await expect(failing).rejects.toMatchObject({ name: "StoreError" });
    await program.pass(HOUR);
    expect(await notifications.state()).toMatchObject({ mode: "instant", status: "REGISTERED" });
    expect(program.asked().server).toEqual(["TNEW", "TNEW"]);
    expect(program.ntf.devices).toHaveLength(1);
  });

  test("whose interval the server refuses works without, and the server is not asked for ever", async () => {
    const program = await world(1);
    const refusal = { tag: "ERR", error: { type: "CMD", cmdErr: { type: "PROHIBITED" } } } as const;
    program.ntf.answer = ({ tag }) => (tag === "TCRN" ? refusal : undefined);
    await program.register();
    await program.pass(DAY - HOUR);
    expect(program.asked().server).toEqual(["TNEW", "TVFY", "TCRN", "SNEW"]);
    expect(program.events.filter(({ type }) => type === "error")).toHaveLength(1);
  });

  test("that the server does not know when it is told the interval is asked about", async () => {
    const program = await world(0);
    let isRefused = true;
    program.ntf.answer = ({ tag }) => {
      if (tag !== "TCRN" || !isRefused) return undefined;
      isRefused = false;
      program.ntf.devices = [];
      return AUTH;
    };
    await program.register();
    expect(program.asked().server.slice(0, 5)).toEqual(["TNEW", "TVFY", "TCRN", "TCHK", "TNEW"]);
    await program.verify();
    expect(await program.agent.notifications.state()).toMatchObject({ status: "ACTIVE" });
  });

  test("that always is refused its interval as unknown, though it is known, leads to no endless talk", async () => {
    const program = await world(0);
    program.ntf.answer = ({ tag }) => (tag === "TCRN" ? AUTH : undefined);
    await program.register();
    await program.pass(DAY);
    expect(program.asked().server).toEqual(["TNEW", "TVFY", "TCRN", "TCHK", "TCRN"]);
  });
});

describe("queues", () => {
  test("that were refused to a lost token are followed as soon as there is another", async () => {
    const program = await world();
    await program.register();
    program.ntf.devices = [];
    const [third = ""] = await program.invite(1);
    expect(program.asked().server.slice(-4)).toEqual(["SNEW", "TCHK", "TNEW", "TDEL"]);
    await program.verify();
    expect(program.asked().relay).toEqual(["NKEY", "NKEY", "NKEY"]);
    expect(await program.followed()).toEqual(["NEW", "NEW", "NEW"]);
    await program.restart();
    const all = await program.agent.notifications.followed();
    expect(all.find(({ connection }) => connection === third)).toMatchObject({ status: "NEW" });
  });

  test("that are made while the server is asked about the token are followed once it has answered", async () => {
    const program = await world(1);
    await program.register();
    const held: (() => void)[] = [];
    const { send } = program.ntf;
    program.asked();
    program.ntf.send = (socket, block) => void held.push(() => send(socket, block));
    const registering = program.agent.notifications.register(PHONE, "instant", program.ntf.server);
    await program.invite(2);
    expect(program.asked()).toEqual({ relay: [], server: ["TCHK"] });
    program.ntf.send = send;
    for (const release of held.splice(0)) release();
    expect(await registering).toMatchObject({ status: "ACTIVE" });
    await program.calm();
    expect(program.asked()).toEqual({ relay: ["NKEY", "NKEY"], server: ["TCRN", "SNEW", "SNEW"] });
    expect(await program.followed()).toEqual(["NEW", "NEW", "NEW"]);
  });
});
