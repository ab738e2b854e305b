import { describe, test } from "vitest";
import { randomBytes } from "#crypto/random";
import { MemoryFile, MemoryStore } from "../../../client/store/memory.ts";
import { scoped } from "../../../client/store/scoped.ts";
import { SealedStore } from "../../../client/store/sealed.ts";
import { ownershipContract, storeContract } from "./contract.ts";
import type { NewPlace } from "./support/contract.ts";

const memory: NewPlace = async () => {
  const file = new MemoryFile();
  return { open: async () => new MemoryStore(file) };
};

const sealed: NewPlace = async () => {
  const file = new MemoryFile();
  const dataKey = randomBytes(32);
  return { open: async () => new SealedStore(new MemoryStore(file), dataKey) };
};

/** One profile among others, whose records it must neither see nor touch. */
const part: NewPlace = async () => {
  const base = new MemoryStore();
  await base.write(["alice", "alic/t", "alicf/t", "t"].map((table) => ({ table, key: "k", value: Uint8Array.of(7) })));
  return { open: async () => scoped(base, "alice") };
};

/** A profile with a passphrase among others in one file. */
const sealedPart: NewPlace = async () => {
  const base = new MemoryStore();
  const dataKey = randomBytes(32);
  return { open: async () => new SealedStore(scoped(base, "alice"), dataKey) };
};

const places: Readonly<Record<string, NewPlace>> = {
  "a store in memory": memory,
  "a sealed store": sealed,
  "a part of a store": part,
  "a sealed part of a store": sealedPart,
};

describe.each(Object.entries(places))("%s", (_, newPlace) => {
  test.each(storeContract)("$name", ({ run }) => run(newPlace));
});

describe.each(Object.entries({ "a store in memory": memory, "a sealed store": sealed }))("%s", (_, newPlace) => {
  test.each(ownershipContract)("$name", ({ run }) => run(newPlace));
});
