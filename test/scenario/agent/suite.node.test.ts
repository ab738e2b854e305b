import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type BaseStore, MemoryFile, MemoryStore } from "../../../client/index.ts";
import { openSqliteStore } from "../../../client/node/sqlite-store.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { stories } from "./suite/all.ts";
import { play } from "./suite/stage.ts";

const folder = temporaryFolder();
let relays: [RelayProcess, RelayProcess];
beforeAll(async () => {
  relays = await Promise.all([RelayProcess.start(join(folder, "first")), RelayProcess.start(join(folder, "second"))]);
});
afterAll(async () => {
  for (const relay of relays) await relay.stop();
  removeFolder(folder);
});

const files = new Map<string, MemoryFile>();

async function openMemory(name: string): Promise<BaseStore> {
  const file = files.get(name) ?? new MemoryFile();
  files.set(name, file);
  return new MemoryStore(file);
}

function openSqlite(name: string): Promise<BaseStore> {
  return openSqliteStore(join(folder, `${name}.sqlite`));
}

describe.each([["memory", openMemory], ["SQLite", openSqlite]] as const)("agents in Node with %s", (_, openStore) => {
  test.each(stories)("$name", (story) => {
    const [first, second] = relays;
    return play(story, { relays: [first.info, second.info], openStore });
  });
});
