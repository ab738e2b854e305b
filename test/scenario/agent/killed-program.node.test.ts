import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { openSqliteStore } from "../../../client/node/sqlite-store.ts";
import { utf8 } from "#crypto/bytes";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { Chance } from "./chance.ts";
import { Person } from "./person.ts";

const PROGRAM = fileURLToPath(new URL("receiving-program.ts", import.meta.url));
const MESSAGES = 200;
const KILLS = 6;

const chance = Chance.fresh();

/** What the program wrote: one line for each time that it was given a message. */
function linesOf(file: string): { readonly item: string; readonly text: string }[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8").split("\n").filter((line) => line !== "").map((line) => {
    const [item = "", ...text] = line.split(" ");
    return { item, text: text.join(" ") };
  });
}

it(`a program with its profile in SQLite, killed again and again, loses no message (seed ${chance.seed})`, { timeout: 120_000 }, async () => {
  const folder = temporaryFolder();
  const relay = await RelayProcess.start(join(folder, "relay"), { MESSAGES_PER_MINUTE: "0" });
  const [profile, file] = [join(folder, "profile"), join(folder, "messages")];
  const sender = await new Person("The sender", [relay.info]).start();
  const { connection, link } = await sender.agent.invite({ pq: false });
  const errors: string[] = [];
  const start = (): ChildProcess => {
    const { address, url } = relay.info;
    const args = ["--disable-warning=ExperimentalWarning", PROGRAM, profile, file, address, url, link];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    createInterface({ input: child.stdout }).on("line", (line) => line.startsWith("error") && errors.push(line));
    return child;
  };

  let child = start();
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await relay.kill();
    removeFolder(folder);
  });
  const { confirmation } = await sender.next("confirmation");
  await sender.agent.allow(connection, confirmation, utf8("the sender"));
  await sender.next("connected");
  const texts = Array.from({ length: MESSAGES }, (_, i) => `message ${i}`);
  for (const text of texts) await sender.send(connection, text);
  for (let i = 0; i < KILLS; i++) {
    const enough = linesOf(file).length + chance.below(MESSAGES / KILLS);
    await expect.poll(() => linesOf(file).length, { timeout: 20_000, interval: 1 }).toBeGreaterThanOrEqual(enough);
    await sleep(chance.below(20));
    expect(linesOf(file).at(-1)?.text).not.toBe(texts.at(-1));
    child.kill("SIGKILL");
    await once(child, "exit");
    child = start();
  }
  await expect.poll(() => linesOf(file).at(-1)?.text, { timeout: 30_000 }).toBe(texts.at(-1));
  for (let i = 0; i < MESSAGES; i++) await sender.next("receipt");
  child.kill("SIGKILL");
  await once(child, "exit");

  const lines = linesOf(file);
  // A message may come twice when the program was killed before its acknowledgement: then under the same number.
  const first = lines.filter(({ item }, i) => lines.findIndex((line) => line.item === item) === i);
  expect(first.map(({ text }) => text)).toEqual(texts);
  expect(lines.filter(({ item }, i) => i > 0 && lines[i - 1]?.item === item).length).toBe(lines.length - MESSAGES);
  expect(errors.filter((line) => !line.includes("connection"))).toEqual([]);
  const store = await openSqliteStore(profile);
  expect(await store.list("events")).toEqual([]);
  await store.close();
  await sender.stop();
});
