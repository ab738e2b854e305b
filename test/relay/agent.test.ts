import { exports } from "cloudflare:workers";
import { beforeAll, describe, test } from "vitest";
import { type BaseStore, MemoryFile, MemoryStore } from "../../client/index.ts";
import { stories } from "../scenario/agent/suite/all.ts";
import type { RelayPlace } from "../scenario/agent/suite/actor.ts";
import { play } from "../scenario/agent/suite/stage.ts";
import { openInnerSocket } from "../support/workerd-socket.ts";

const files = new Map<string, MemoryFile>();

async function openStore(name: string): Promise<BaseStore> {
  const file = files.get(name) ?? new MemoryFile();
  files.set(name, file);
  return new MemoryStore(file);
}

/** The relay in this runtime under one of its names, which are different relays to a client. */
async function place(host: string): Promise<RelayPlace> {
  const response = await exports.default.fetch(new Request(`https://${host}/relay.json`));
  const { address } = await response.json<{ readonly address: string }>();
  return { address, url: `wss://${host}/` };
}

let relays: [RelayPlace, RelayPlace];
beforeAll(async () => {
  relays = [await place("relay.example.org"), await place("other.example.org")];
});

describe("agents in workerd, with the relay in the same runtime", () => {
  test.each(stories)("$name", (story) => play(story, { relays, openStore, openSocket: openInnerSocket }));
});
