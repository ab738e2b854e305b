import { hex, utf8 } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import { Actor, type ActorOptions, type World } from "./actor.ts";
import { expectSame } from "./check.ts";

/** A story that can be told wherever there are stores and relays. It throws when it does not end as it should. */
export interface Story {
  readonly name: string;
  run(stage: Stage): Promise<void>;
}

/** The two sides of a connection, and the ids by which each knows it. */
export interface Pair {
  readonly alice: Actor;
  readonly bob: Actor;
  readonly a: string;
  readonly b: string;
}

/** The people of one story. */
export class Stage {
  readonly world: World;
  readonly #actors: Actor[] = [];

  constructor(world: World) {
    this.world = world;
  }

  /** Somebody with a new profile. `world`: unless it is the stage's. */
  enter(name: string, options: ActorOptions & { readonly world?: World } = {}): Promise<Actor> {
    const { world = this.world, ...rest } = options;
    const actor = new Actor(world, `${name} ${hex(randomBytes(6))}`, rest);
    this.#actors.push(actor);
    return actor.start();
  }

  /** Two people who have just connected through an invitation. */
  async pair(options: ActorOptions = {}): Promise<Pair> {
    const [alice, bob] = [await this.enter("Alice", options), await this.enter("Bob", options)];
    return { alice, bob, ...await connectActors(alice, bob) };
  }

  /** Ends everybody. @throws Error when somebody had an `error` event that no story took. */
  async end(): Promise<void> {
    const errors = this.#actors.flatMap((actor) => {
      return actor.takeErrors().map((error) => `${actor.name}: ${String(error)}`);
    });
    for (const actor of this.#actors) await actor.stop();
    expectSame(errors, [], "errors that nobody expected");
  }
}

export async function connectActors(alice: Actor, bob: Actor): Promise<{ readonly a: string; readonly b: string }> {
  const { connection: a, link } = await alice.agent.invite();
  const b = await bob.agent.join(link, utf8("Bob"));
  const { confirmation } = await alice.next("confirmation");
  await alice.agent.allow(a, confirmation, utf8("Alice"));
  await Promise.all([alice.next("connected"), bob.next("connected"), bob.next("info")]);
  return { a, b };
}

/** Tells one story. @throws what did not come as it should */
export async function play(story: Story, world: World): Promise<void> {
  const stage = new Stage(world);
  try {
    await story.run(stage);
  } catch (error) {
    // What went wrong first is what counts.
    await stage.end().catch(() => undefined);
    throw error;
  }
  await stage.end();
}
