import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { ChatError } from "../../../client/chat/errors.ts";
import type { MessageItem } from "../../../client/chat/records.ts";
import { Chance } from "../agent/chance.ts";
import { fastClock, patientLimits } from "../agent/fast-clock.ts";
import { isMessage, type Talker, textOf } from "./talker.ts";
import { world } from "./world.ts";

const SPEED = 20;
const FAST = { clock: fastClock(SPEED), ...patientLimits(SPEED) };
const ROUNDS = 3;
const STEPS = 60;
const EMOJI = ["👍", "😀", "🚀"] as const;
const { friends } = world();

/** One of the two, with what it has deleted for itself. */
class Side {
  readonly talker: Talker;
  readonly other: string;
  /** Ids of messages that may be here no longer, though the other side has them. */
  readonly thrownAway = new Set<string>();

  constructor(talker: Talker, other: string) {
    this.talker = talker;
    this.other = other;
  }

  async messages(): Promise<MessageItem[]> {
    return (await this.talker.items(this.other)).filter(isMessage);
  }
}

type Action = (side: Side, step: string) => Promise<unknown>;

/** Refusals are what a person gets who asks for what cannot be: deleted twice, too many reactions. */
async function ifAllowed(doing: Promise<unknown>): Promise<void> {
  try {
    await doing;
  } catch (error) {
    if (!(error instanceof ChatError) || error.refusal === "CLOSED") throw error;
  }
}

/** What ends the life of the program, and begins another one. */
function fatesOf(chance: Chance): Action[] {
  return [
    async ({ talker }) => {
      talker.kill();
      await talker.start();
    },
    ({ talker }) => talker.restart(),
    async ({ talker }) => {
      await talker.stop();
      const isAlive = await talker.live({ write: 1 + chance.below(15), when: chance.pick(["before", "after"]) });
      if (!isAlive) await talker.start();
    },
  ];
}

function actionsOf(chance: Chance): Action[] {
  const onOne = (act: (side: Side, item: MessageItem, step: string) => Promise<unknown>): Action => async (side, step) => {
    const items = await side.messages();
    if (items.length > 0) await ifAllowed(act(side, chance.pick(items.slice(-8)), step));
  };
  const say: Action = ({ talker, other }, step) => talker.say(other, `${step} ${"x".repeat(chance.below(3000))}`);
  const edit = onOne(({ talker }, { id }, step) => talker.chat.messages.edit(id, `${step} edited`));
  const react = onOne(({ talker }, { id }) => talker.chat.messages.react(id, chance.pick(EMOJI), chance.below(3) > 0));
  return [
    say, say, say, say, say, say,
    edit, edit, edit,
    react, react, react,
    onOne(({ talker }, { id }) => talker.chat.messages.delete(id, "everyone")),
    onOne(({ talker, thrownAway }, { id, msgId }) => {
      if (msgId !== null) thrownAway.add(msgId);
      return talker.chat.messages.delete(id, "self");
    }),
    onOne(({ talker }, { id }) => talker.chat.history.markRead(id.slice(0, id.indexOf("/")))),
    () => sleep(chance.below(30)),
    () => sleep(chance.below(300)),
  ];
}

/** Does something, unless the program dies of it; then it is started again. */
async function perform(action: Action, side: Side, step: string): Promise<void> {
  const { talker } = side;
  if (talker.mortal.isDead) await talker.start();
  await Promise.race([action(side, step), talker.mortal.died]);
}

const reactionsOf = ({ reactions }: MessageItem, isOwn: boolean): string[] =>
  reactions.filter((one) => one.isOwn === isOwn)
    .map(({ reaction }) => (reaction.type === "emoji" ? reaction.emoji : "?")).toSorted();

/** What one has written is with the other as it is with the one. */
async function agree(writer: Side, reader: Side): Promise<void> {
  const written = (await writer.messages()).filter(({ isOwn }) => isOwn);
  const read = (await reader.messages()).filter(({ isOwn }) => !isOwn);
  const idsOf = (items: readonly MessageItem[], among: readonly MessageItem[]): (string | null)[] => {
    const known = new Set(among.map(({ msgId }) => msgId));
    return items.map(({ msgId }) => msgId).filter((id) => known.has(id));
  };
  const isNew = (id: string | null): boolean => id !== null && !reader.thrownAway.has(id);
  expect(idsOf(written, read).filter(isNew)).toEqual(idsOf(read, written).filter(isNew));
  expect(new Set(read.map(({ msgId }) => msgId)).size).toBe(read.length);
  for (const theirs of read) {
    const own = written.find(({ msgId }) => msgId === theirs.msgId);
    if (!own) expect(writer.thrownAway, `'${textOf(theirs).slice(0, 30)}' is not with who wrote it`).toContain(theirs.msgId);
  }
  for (const own of written) {
    const theirs = read.find(({ msgId }) => msgId === own.msgId);
    const what = textOf(own).slice(0, 30);
    if (!theirs) {
      expect(own.deletedAt !== null || reader.thrownAway.has(own.msgId ?? ""), `'${what}' has not come`).toBe(true);
      continue;
    }
    expect(theirs.deletedAt !== null, `'${what}' is deleted on one side`).toBe(own.deletedAt !== null);
    if (own.deletedAt !== null) continue;
    expect(textOf(theirs)).toBe(textOf(own));
    expect(own.status, what).toEqual({ type: "delivered", isIntact: true });
    if (reader.thrownAway.has(own.msgId ?? "")) continue;
    expect(reactionsOf(theirs, false), `the writer's reactions to '${what}'`).toEqual(reactionsOf(own, true));
    expect(reactionsOf(theirs, true), `the reader's reactions to '${what}'`).toEqual(reactionsOf(own, false));
  }
}

it("two people who do anything, and whose programs die at any time, remember the same", async () => {
  const chance = Chance.fresh();
  const [actions, fates] = [actionsOf(chance), fatesOf(chance)];
  for (let round = 0; round < ROUNDS; round++) {
    const [alice, bob] = await friends(FAST);
    const sides = [new Side(alice, "Bob"), new Side(bob, "Alice")];
    const trail: string[] = [];
    try {
      for (let step = 0; step < STEPS; step++) {
        const side = chance.pick(sides);
        const isFate = chance.below(8) === 0;
        const action = isFate ? chance.pick(fates) : chance.pick(actions);
        trail.push(`${side.talker.name} ${isFate ? `fate ${fates.indexOf(action)}` : actions.indexOf(action)}`);
        if (isFate && !side.talker.mortal.isDead) await action(side, "");
        else if (!isFate) await perform(action, side, `${round}.${step}`);
      }
      // A life that was to end at some write may still do so.
      for (const { talker } of sides) await talker.restart();
      const [a, b] = sides as [Side, Side];
      for (const [from, to] of [[a, b], [b, a], [a, b]] as const) {
        const end = `the end ${trail.push("end")}`;
        await from.talker.say(from.other, end);
        await to.talker.message(to.other, end);
        await from.talker.message(from.other, end, ({ status }) => status.type === "delivered");
      }
      await agree(a, b);
      await agree(b, a);
      for (const { talker } of sides) {
        for (const table of ["chat.outbox", "chat.waiting"]) expect(await talker.mortal.store.list(table), table).toEqual([]);
      }
    } catch (error) {
      throw new Error(`SEED=${chance.seed}, round ${round}, ${trail.join(", ")}`, { cause: error });
    }
    await Promise.all([alice.stop(), bob.stop()]);
  }
}, 240_000);
