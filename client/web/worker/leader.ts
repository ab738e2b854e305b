import { StoreError } from "../../store/store.ts";
import { toPlain } from "../session/errors.ts";
import { sendHappening } from "../session/happenings.ts";
import { type Call, CHANNEL, type FromLeader, type Message, newLeaderId, type PageBuild } from "../session/protocol.ts";
import { claim } from "./build.ts";
import { Engine } from "./engine.ts";
import { answer } from "./serve.ts";

export interface LeaderOptions {
  readonly build: PageBuild;
  readonly origin: string;
  readonly takeOver: boolean;
  /** Known to this worker since another one told it. */
  readonly passphrase: string | null;
}

/** How long changes of the state are gathered before they are told, in milliseconds. */
const GATHER = 20;

/** Has the chat, and serves the pages of this browser. */
export class Leader {
  readonly id = newLeaderId();
  readonly #channel = new BroadcastChannel(CHANNEL);
  readonly #build: PageBuild;
  readonly #engine: Engine;
  #secret: string | null;
  #isTelling = false;
  #isClosed = false;

  constructor({ build, origin, takeOver, passphrase }: LeaderOptions) {
    this.#build = build;
    this.#secret = passphrase;
    this.#engine = new Engine({
      origin,
      takeOver,
      admit: (store) => claim(store),
      tell: (happening) => {
        sendHappening(happening, (plain) => this.#post({ type: "happening", leader: this.id, ...plain }));
      },
      changed: () => this.#changed(),
      remember: (secret) => this.#remember(secret),
    });
    this.#channel.addEventListener("message", ({ data }: MessageEvent<Message>) => this.#take(data));
    addEventListener("online", () => this.#engine.online());
  }

  async start(): Promise<void> {
    this.#tell();
    await this.#engine.start(this.#secret);
  }

  /** What other tabs know may come after this one has begun. */
  async learn(secret: string | null): Promise<void> {
    if (secret === null) return;
    try {
      await this.#engine.unlock(secret);
    } catch (error) {
      // It was changed meanwhile: the user is asked.
      if (!(error instanceof StoreError && error.code === "PASSPHRASE")) throw error;
    }
  }

  /** Falls silent at once, and closes the profile. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#channel.close();
    await this.#engine.close();
  }

  #post(message: FromLeader): void {
    if (!this.#isClosed) this.#channel.postMessage(message);
  }

  #tell(): void {
    this.#post({ type: "state", leader: this.id, ...this.#build, state: this.#engine.state });
  }

  #changed(): void {
    const { phase } = this.#engine.state;
    // Pages wait for a phase; relays come up and go down by the dozen.
    if (phase !== "open") return this.#tell();
    if (this.#isTelling) return;
    this.#isTelling = true;
    setTimeout(() => {
      this.#isTelling = false;
      this.#tell();
    }, GATHER);
  }

  #remember(secret: string | null): void {
    this.#secret = secret;
    this.#post({ type: "secret", to: null, passphrase: secret });
  }

  #take(message: Message): void {
    if (message.type === "ask") return this.#tell();
    if (message.type === "heir") return this.#post({ type: "secret", to: message.from, passphrase: this.#secret });
    if (message.type === "call" && message.leader === this.id) void this.#answer(message);
  }

  async #answer(call: Call): Promise<void> {
    const result = await answer(this.#engine, call);
    // The page has to know the state that the answer comes from: that it is open before it uses what it opened.
    if (call.facade === "session") this.#tell();
    try {
      this.#post(result);
    } catch (error) {
      this.#post({ type: "failure", to: call.from, leader: this.id, id: call.id, error: toPlain(error) });
    }
  }
}
