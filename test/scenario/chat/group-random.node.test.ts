import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { ChatError } from "../../../client/chat/errors.ts";
import type { MessageItem } from "../../../client/chat/records.ts";
import { Chance } from "../agent/chance.ts";
import { fastClock, patientLimits } from "../agent/fast-clock.ts";
import { bring, circle, groupOf, itemsIn, memberOf, messageIn, tell, together } from "./circle.ts";
import { befriend, isMessage, type Talker, textOf } from "./talker.ts";
import { world } from "./world.ts";

const SPEED = 20;
const FAST = { clock: fastClock(SPEED), ...patientLimits(SPEED) };
const SEED = Chance.fresh().seed;
const ROUNDS = 2;
const STEPS = 50;
const EMOJI = ["👍", "😀", "🚀"] as const;
const { talker, expectError } = world();

const messagesOf = async (one: Talker): Promise<MessageItem[]> => (await itemsIn(one, "g")).filter(isMessage);

type Action = (one: Talker, step: string) => Promise<unknown>;

/** Refusals are what a person gets who asks for what cannot be: deleted twice, too many reactions. */
async function ifAllowed(doing: Promise<unknown>): Promise<void> {
  try {
    await doing;
  } catch (error) {
    if (!(error instanceof ChatError) || error.refusal === "CLOSED") throw error;
  }
}

function actionsOf(chance: Chance): Action[] {
  const onOne = (act: (one: Talker, item: MessageItem, step: string) => Promise<unknown>): Action => async (one, step) => {
    const items = await messagesOf(one);
    if (items.length > 0) await ifAllowed(act(one, chance.pick(items.slice(-8)), step));
  };
  const say: Action = (one, step) => tell(one, "g", `${step} ${"x".repeat(chance.below(2000))}`);
  const edit = onOne((one, { id }, step) => one.chat.messages.edit(id, `${step} edited`));
  const react = onOne((one, { id }) => one.chat.messages.react(id, chance.pick(EMOJI), chance.below(3) > 0));
  return [
    say, say, say, say, say,
    edit, edit,
    react, react, react,
    onOne((one, { id }) => one.chat.messages.delete(id, "everyone")),
    () => sleep(chance.below(200)),
  ];
}

/** What ends the life of a program, and begins another one. */
function fatesOf(chance: Chance): Action[] {
  return [
    (one) => one.restart(),
    async (one) => {
      one.kill();
      await one.start();
    },
    async (one) => {
      await one.stop();
      if (!await one.live({ write: 1 + chance.below(20), when: chance.pick(["before", "after"]) })) await one.start();
    },
  ];
}

/** Does something, unless the program dies of it; then it is started again. */
async function perform(action: Action, one: Talker, step: string): Promise<void> {
  if (one.mortal.isDead) await one.start();
  await Promise.race([action(one, step), one.mortal.died]);
}

/** What stands in the conversation, by the id of each message. */
async function viewOf(one: Talker, people: readonly Talker[]): Promise<Map<string, object>> {
  const names = new Map<string | null, string>([[null, one.name]]);
  for (const other of people) if (other !== one) names.set((await memberOf(one, "g", other.name)).id, other.name);
  const view = new Map<string, object>();
  for (const item of await messagesOf(one)) {
    const key = item.msgId ?? item.id;
    expect(view.has(key), `${one.name} has '${textOf(item)}' twice`).toBe(false);
    const isDeleted = item.deletedAt !== null;
    const reactions = item.reactions.map(({ member, reaction }) => `${names.get(member)} ${reaction.type === "emoji" ? reaction.emoji : "?"}`);
    // What happens to a message while it is deleted is seen by some and not by others.
    view.set(key, isDeleted ? { isDeleted } : { author: names.get(item.member), text: textOf(item), reactions: reactions.toSorted() });
  }
  return view;
}

it(`random stories of a group end with one history (SEED=${SEED})`, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const chance = new Chance(SEED + round);
    try {
      await tellStory(chance);
    } catch (error) {
      throw new Error(`SEED=${chance.seed}`, { cause: error });
    }
  }
}, 240_000);

async function tellStory(chance: Chance): Promise<void> {
  expectError(/did not take the receipt/u);
  const [alice, bob, carol] = [await talker("Alice", FAST), await talker("Bob", FAST), await talker("Carol", FAST)];
  await circle("g", alice, bob, carol);
  const { id } = await groupOf(alice, "g");
  await alice.chat.groups.setRole(id, (await memberOf(alice, "g", "Bob")).id, "moderator");
  await bob.until("the role", async () => (await groupOf(bob, "g")).role === "moderator");
  const people = [alice, bob, carol];
  const [actions, fates] = [actionsOf(chance), fatesOf(chance)];
  for (let step = 0; step < STEPS; step++) {
    const one = chance.pick(people);
    if (chance.below(6) > 0) await perform(chance.pick(actions), one, `step ${step}`);
    else if (!one.mortal.isDead) await chance.pick(fates)(one, "");
  }
  for (const one of people) {
    await one.stop();
    await one.start();
    await tell(one, "g", `${one.name} is at the end`);
  }
  for (const one of people) for (const other of people) await messageIn(one, "g", `${other.name} is at the end`);
  const ofAlice = await viewOf(alice, people);
  for (const one of [bob, carol]) expect(Object.fromEntries(await viewOf(one, people))).toEqual(Object.fromEntries(ofAlice));
  // Somebody who comes now hears the same as the others from then on.
  const dave = await talker("Dave", FAST);
  await befriend(alice, dave);
  await bring(alice, dave, "g");
  for (let step = 0; step < 10; step++) await tell(chance.pick([...people, dave]), "g", `later ${step}`);
  await together("g", ...people, dave);
  for (const one of [...people, dave]) {
    for (let step = 0; step < 10; step++) await messageIn(one, "g", `later ${step}`);
    await viewOf(one, [...people, dave]);
  }
  await Promise.all([...people, dave].map((one) => one.stop()));
}
