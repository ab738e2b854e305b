import { AgentError } from "../../agent/errors.ts";
import { LinkError } from "../../agent/wire/link-error.ts";
import { SimplexError } from "../../errors.ts";
import type { Member } from "../group-records.ts";
import { acceptingInfo, joiningInfo, memberFailed } from "../rules/group/handshake.ts";
import { invitationMade } from "../rules/group/introduce.ts";
import { bindMember, groupOf, updateMember } from "../rules/group/records.ts";
import type { Step } from "../step.ts";
import { TABLE } from "../tables.ts";
import { type Core, isStoreTrouble } from "./core.ts";

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 300_000;

/** Setting that names the member whom a link is just being followed for. */
export const MAKING = "making";

interface Todo {
  readonly member: Member;
  readonly user: string;
  readonly info: Uint8Array | null;
}

/**
 * Has the agent make, follow and accept the connections to members, one at a time, again after a crash and for as long as
 * the relays cannot be reached.
 */
export class GroupMaker {
  readonly #core: Core;
  readonly #waiting = new Set<string>();
  #isRunning = false;
  #pause = FIRST_PAUSE;
  #cancel: (() => void) | null = null;

  constructor(core: Core) {
    this.#core = core;
  }

  wake(member: string): void {
    this.#waiting.add(member);
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#core.background(null, () => this.#run());
  }

  /** A relay can be reached again, or the program has started. */
  async wakeAll(): Promise<void> {
    this.#pause = FIRST_PAUSE;
    for (const { id, task } of await this.#core.listSound(TABLE.members)) if (task !== null) this.wake(id);
  }

  close(): void {
    this.#cancel?.();
  }

  async #run(): Promise<void> {
    const again: string[] = [];
    try {
      for (const id of this.#waiting) {
        if (this.#core.isClosed) return;
        this.#waiting.delete(id);
        if (!await this.#try(id)) again.push(id);
      }
    } finally {
      this.#isRunning = false;
      if (again.length > 0) this.#later(again);
    }
  }

  #later(members: readonly string[]): void {
    if (this.#core.isClosed) return;
    this.#cancel?.();
    this.#cancel = this.#core.clock.after(this.#pause, () => this.#core.background(null, () => this.wakeAll()));
    for (const member of members) this.#waiting.delete(member);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  /** False: it may succeed later. */
  async #try(id: string): Promise<boolean> {
    try {
      await this.make(id);
      this.#pause = FIRST_PAUSE;
      return true;
    } catch (error) {
      // The program ends: it goes on at the next start.
      if (this.#core.isClosed || (error instanceof AgentError && error.refusal === "CLOSED")) return true;
      this.#core.tellError(null, error);
      const member = await this.#core.read(TABLE.members, id);
      if (isPassing(error, member?.task === "invite")) return false;
      await this.fail(id, error);
      return true;
    }
  }

  /** It will never be. */
  async fail(id: string, error: unknown): Promise<void> {
    const why = error instanceof Error ? error.message : String(error);
    await this.#core.step(async (step) => {
      step.erase(TABLE.settings, MAKING);
      if (await step.read(TABLE.members, id)) await memberFailed(step, id, why);
    });
  }

  /** Does what the agent is still to be asked for. @throws the errors of the agent and of relays */
  make(id: string): Promise<void> {
    return this.#core.making(async () => {
      const todo = await this.#core.step((step) => this.#todo(step, id));
      switch (todo?.member.task) {
        case "invite":
          return this.#invite(todo);
        case "join":
          return this.#join(todo);
        case "accept":
          return this.#accept(todo);
        default:
      }
    });
  }

  async #todo(step: Step, id: string): Promise<Todo | null> {
    const member = await step.read(TABLE.members, id);
    if (!member || member.isEnding || member.task === null) return null;
    const { user } = await groupOf(step, member.group);
    switch (member.task) {
      case "invite":
        return { member, user, info: null };
      case "accept":
        return { member, user, info: await acceptingInfo(step, member) };
      case "join":
        // Should the program end before the connection has its owner, this tells whose it is.
        step.put(TABLE.settings, MAKING, { to: id });
        return { member, user, info: await joiningInfo(step, member) };
    }
  }

  async #invite({ member: { id }, user }: Todo): Promise<void> {
    const made = await this.#core.agent.invite({ profile: user, pq: false, short: false });
    await this.#core.step(async (step) => {
      if (!await madeFor(step, id, made.connection)) return;
      await invitationMade(step, await updateMember(step, id, { link: made.link }), made.link);
    });
  }

  async #join({ member: { id, link }, user, info }: Todo): Promise<void> {
    if (info === null) return;
    const connection = await this.#core.agent.join(link ?? "", info, { profile: user, pq: false });
    await this.#core.step((step) => madeFor(step, id, connection));
  }

  async #accept({ member: { id, connection }, info }: Todo): Promise<void> {
    if (connection === null || info === null) return;
    await this.#core.agent.accept(connection, info, { pq: false });
    await this.#core.step((step) => madeFor(step, id, connection));
  }
}

/** Notes whose a connection is. False: nobody wants it any more. */
export async function madeFor(step: Step, id: string, connection: string): Promise<boolean> {
  step.erase(TABLE.settings, MAKING);
  const member = await step.read(TABLE.members, id);
  if (!member || member.isEnding || member.task === null) {
    step.effect({ type: "drop", connection });
    return false;
  }
  if (member.connection !== connection) bindMember(step, id, connection);
  await updateMember(step, id, { connection, task: null });
  return true;
}

const PASSING: ReadonlySet<string> = new Set(["CONNECT", "TIMEOUT", "DISCONNECTED", "PROXY"]);

/** Whether the same may succeed later. */
function isPassing(error: unknown, isAtOwnRelay: boolean): boolean {
  if (isStoreTrouble(error)) return true;
  if (error instanceof AgentError || error instanceof LinkError || !(error instanceof SimplexError)) return false;
  // The own relay may take another time what it does not take now; another one has answered.
  return isAtOwnRelay || PASSING.has(error.code);
}
