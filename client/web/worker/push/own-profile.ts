import type { Store } from "../../../store/store.ts";
import { CHANNEL, LEADER_LOCK, type Message } from "../../session/protocol.ts";
import { checkClaim } from "../build.ts";
import { Engine } from "../engine.ts";

/** The profile in the hands of the push worker: until everything came, or a page wants it. */
export class OwnProfile {
  readonly engine: Engine;
  readonly #channel = new BroadcastChannel(CHANNEL);
  readonly #release: () => void;
  #ending: Promise<void> | null = null;
  /** A page wants it, or took it: that goes on with what was begun here. */
  isWanted = false;

  private constructor(takeOver: boolean, release: () => void) {
    this.#release = release;
    const silent = (): void => undefined;
    const origin = globalThis.location.origin;
    const admit = (store: Store): Promise<void> => checkClaim(store);
    this.engine = new Engine({ origin, takeOver, admit, tell: silent, changed: silent, remember: silent });
    this.#channel.addEventListener("message", ({ data }: MessageEvent<Message>) => {
      // A page begins, or somebody looks at one: it is served by its own worker, which waits for the lock.
      if (data.type === "ask" || data.type === "heir") this.#giveWay();
    });
  }

  /** Null: somebody else has it. @param takeOver whoever has it gives no sign of life */
  static async take(takeOver: boolean): Promise<OwnProfile | null> {
    const held = Promise.withResolvers<void>();
    const granted = Promise.withResolvers<boolean>();
    const options: LockOptions = takeOver ? { steal: true } : { ifAvailable: true };
    let own: OwnProfile | null = null;
    const holding = navigator.locks.request(LEADER_LOCK, options, async (lock) => {
      granted.resolve(lock !== null);
      if (lock) await held.promise;
    });
    // A page took it in turn.
    holding.catch((error: unknown) => {
      granted.reject(error);
      if (own) own.#giveWay();
    });
    if (!await granted.promise) return null;
    own = new OwnProfile(takeOver, held.resolve);
    await own.engine.start(null);
    return own;
  }

  /** Closes the profile and gives it free. What is being received comes again to whoever opens it next. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  #giveWay(): void {
    this.isWanted = true;
    // Whoever uses it ends it too, and hears of what goes wrong.
    this.end().catch(() => undefined);
  }

  async #end(): Promise<void> {
    this.#channel.close();
    try {
      await this.engine.close();
    } finally {
      this.#release();
    }
  }
}
