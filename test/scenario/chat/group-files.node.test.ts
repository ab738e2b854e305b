import { expect, it } from "vitest";
import type { Item } from "../../../client/chat/records.ts";
import { bring, circle, groupOf, messageIn, together } from "./circle.ts";
import { befriend } from "./talker.ts";
import { world } from "./world.ts";

const { talker } = world();

const isWhole = ({ file }: Item): boolean => file?.state === "received";

it.each([1000, 100_000])("a file of %i bytes comes to all members, also to who is connected later", async (size) => {
  const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
  await circle("g", alice, bob);
  await befriend(alice, carol);
  await bob.stop();
  await bring(alice, carol, "g");
  const data = Uint8Array.from({ length: size }, (_, i) => (i * 7) % 251);
  const { id } = await groupOf(carol, "g");
  const file = { name: "data.bin", size, bytes: () => Promise.resolve(data) };
  const own = await carol.chat.messages.send(id, { type: "file", text: "for all" }, { file });
  const atAlice = await messageIn(alice, "g", "for all", isWhole);
  expect(await alice.chat.files.bytes(atAlice.id)).toEqual(data);
  await bob.start();
  await together("g", alice, bob, carol);
  const atBob = await messageIn(bob, "g", "for all", isWhole);
  expect(await bob.chat.files.bytes(atBob.id)).toEqual(data);
  expect(await carol.chat.files.bytes(own.id)).toEqual(data);
});
