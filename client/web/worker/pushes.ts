import * as v from "valibot";
import { parseNtfServer } from "#protocol/ntf/server";
import { type WebPushToken, webPushToken } from "#protocol/ntf/token";
import { AgentError } from "../../agent/errors.ts";
import type { ChatHappening } from "../../chat/events.ts";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { Store } from "../../store/store.ts";
import type { Arrival, Endpoint, Mark, PushApi, PushMode, PushState } from "../push/api.ts";
import { type OwnRelay, SessionError } from "../session/api.ts";
import { keepTold, newsOf } from "./news.ts";
import type { Running } from "./running.ts";
import { Stillness } from "./stillness.ts";

const TABLE = "web.settings";
const NAMING = "notifications";
const namingForm = v.object({ isNaming: v.boolean() });

/** Everything came when nothing does for so long. Milliseconds. */
const CALM = 1_500;
/** Relays that are not reached by then are not waited for. Milliseconds. */
const REACH = 8_000;

export interface PushHost {
  /** @throws SessionError "CLOSED" */
  readonly open: () => Running;
  readonly ownRelay: () => OwnRelay | null;
  readonly changed: () => void;
}

/** TNEW with a longer one fits no block. Characters. */
const LONGEST_ENDPOINT = "https://".length + 232;

/** @throws SessionError "UNSUPPORTED", TokenError */
function tokenOf({ url, auth, p256dh }: Endpoint): WebPushToken {
  if (url.length <= LONGEST_ENDPOINT) return webPushToken(url, auth, p256dh);
  // Of Edge on Windows, which has 390.
  const what = `this browser's push service gives out an address of ${url.length} characters`;
  throw new SessionError("UNSUPPORTED", `${what}, and ${LONGEST_ENDPOINT} can be registered: use another browser`);
}

async function readNaming(store: Store): Promise<boolean> {
  const bytes = await store.read(TABLE, NAMING);
  if (bytes === null) return false;
  return decodeRecord(bytes, (value) => v.parse(namingForm, value), { table: TABLE, key: NAMING }).isNaming;
}

/** Pushes to this browser: that they come, and what is done when one has come. */
export class Pushes implements PushApi {
  readonly #host: PushHost;
  readonly #stillness = new Stillness();
  #state: PushState | null = null;

  constructor(host: PushHost) {
    this.#host = host;
  }

  /** Null while the profile is not open. */
  get state(): PushState | null {
    return this.#state;
  }

  async begin({ store, agent }: Running): Promise<void> {
    const { mode, status } = await agent.notifications.state();
    this.#state = { mode, status, isNaming: await readNaming(store) };
  }

  /** The profile is closed. */
  end(): void {
    this.#state = null;
    this.#stillness.end();
  }

  hear(happening: ChatHappening): void {
    this.#stillness.stir();
    if (happening.type === "agent" && happening.event.type === "notifications") this.#set(happening.event.state);
  }

  async register(endpoint: Endpoint, mode: PushMode): Promise<PushState> {
    const running = this.#host.open();
    const { store, agent } = running;
    const server = this.#host.ownRelay()?.notifications ?? null;
    if (server === null) throw new SessionError("UNSUPPORTED", "the relay that serves this page sends no pushes");
    // What was not read before they are turned on is no news.
    if (this.#state?.mode === null) await keepTold(store, await newsOf(running, false));
    return this.#set(await agent.notifications.register(tokenOf(endpoint), mode, parseNtfServer(server.address)));
  }

  async renew(endpoint: Endpoint): Promise<boolean> {
    const { agent } = this.#host.open();
    const { mode, server } = await agent.notifications.state();
    if (mode === null || server === null) return false;
    this.#set(await agent.notifications.register(tokenOf(endpoint), mode, server));
    return true;
  }

  async setMode(mode: PushMode): Promise<PushState> {
    return this.#set(await this.#host.open().agent.notifications.setMode(mode));
  }

  async setNaming(isNaming: boolean): Promise<PushState> {
    const { store, agent } = this.#host.open();
    await store.write([{ table: TABLE, key: NAMING, value: encodeRecord({ isNaming }) }]);
    const { mode, status } = await agent.notifications.state();
    return this.#set({ mode, status }, isNaming);
  }

  async remove(): Promise<PushState> {
    await this.#host.open().agent.notifications.delete();
    return this.#set({ mode: null, status: null });
  }

  async arrived(json: unknown, until: number): Promise<Arrival> {
    const running = this.#host.open();
    const code = await verificationIn(running, json);
    if (code) {
      this.#set(await running.agent.notifications.verify(code));
      return { isVerification: true, isComplete: true, news: [] };
    }
    const isComplete = await this.#receive(running, until);
    return { isVerification: false, isComplete, news: await newsOf(running, this.#state?.isNaming ?? false) };
  }

  async seen(told: readonly Mark[]): Promise<void> {
    await keepTold(this.#host.open().store, told);
  }

  /** Until everything that waited was received. False: not all of it can be now. */
  async #receive({ agent }: Running, until: number): Promise<boolean> {
    agent.online();
    // Until every queue is subscribed nobody knows whether something waits in it.
    const isReached = (): boolean => agent.relays().every(({ isSubscribed }) => isSubscribed);
    const longest = Math.max(0, until - Date.now());
    const patientUntil = performance.now() + REACH;
    const isReady = (): boolean => isReached() || performance.now() > patientUntil;
    return await this.#stillness.wait(isReady, { calm: CALM, longest }) && isReached();
  }

  #set({ mode, status }: Pick<PushState, "mode" | "status">, isNaming = this.#state?.isNaming ?? false): PushState {
    const state = { mode, status, isNaming };
    this.#state = state;
    this.#host.changed();
    return state;
  }
}

/** What is to be sent back so that the relay sees who got the push; null in all other pushes. */
async function verificationIn({ agent }: Running, json: unknown): Promise<Uint8Array | null> {
  try {
    const opened = await agent.notifications.open(json);
    return opened.type === "verification" ? opened.code : null;
  } catch (error) {
    // One from before pushes were turned off, or made up: that there may be messages is all that it says.
    if (error instanceof AgentError) return null;
    throw error;
  }
}
