import { DurableObject } from "cloudflare:workers";
import { equal } from "#crypto/bytes";
import type { AuthAlgorithm, PublicKey } from "#crypto/keys";
import type { DeviceToken } from "#protocol/ntf/token";
import {
  activate,
  enroll,
  NO_REGISTRATIONS,
  type Registrations,
  type RegistrationsChange,
  release,
} from "../relay/notification/registrations.ts";
import { AlarmClock } from "./alarm-clock.ts";
import type { DeviceTokensApi } from "./api.ts";
import type { Env } from "./env.ts";
import { deviceAt } from "./locate.ts";
import { report } from "./log.ts";

interface State {
  readonly token: DeviceToken;
  readonly registrations: Registrations;
  /** Registrations that have yet to be told that they are over. */
  readonly forgetting: readonly Uint8Array[];
}

const KEY = "state";
/** Milliseconds until registrations that could not be told are told again. */
const RETRY = 30_000;
/** Milliseconds after which the attempts to register that were counted say nothing any more. */
const COUNTED = 60_000;

/**
 * All registrations of one device token, named by a keyed hash of it. Who knows a device token can register it, so the
 * one that reads its pushes ends the others, and attempts are counted here.
 */
export class DeviceTokens extends DurableObject<Env> implements DeviceTokensApi {
  readonly #alarm = new AlarmClock(this.ctx);

  #state(): State | undefined {
    return this.ctx.storage.kv.get<State>(KEY);
  }

  #save(state: State): void {
    this.ctx.storage.kv.put<State>(KEY, state);
    // A token that nobody has registered (any more) is forgotten.
    if (state.registrations.entries.length === 0) this.#alarm.by(Date.now() + COUNTED);
  }

  /** What is to be forgotten is stored with the change, and told again until it is done. */
  async #apply(token: DeviceToken, { registrations, forgotten }: RegistrationsChange): Promise<void> {
    this.#save({ token, registrations, forgetting: [...this.#state()?.forgetting ?? [], ...forgotten] });
    await this.#forget();
  }

  async #forget(): Promise<void> {
    const { token, forgetting } = this.#state() ?? { token: null, forgetting: [] };
    if (!token || forgetting.length === 0) return;
    this.#alarm.by(Date.now() + RETRY);
    for (const device of forgetting) {
      try {
        await deviceAt(this.env, device).forget(token);
        const state = this.#state();
        if (state) this.#save({ ...state, forgetting: state.forgetting.filter((one) => !equal(one, device)) });
      } catch (error) {
        report("a registration could not be forgotten, it is tried again later", error);
      }
    }
  }

  async enroll(token: DeviceToken, verifyKey: PublicKey<AuthAlgorithm>, device: Uint8Array): Promise<Uint8Array | null> {
    const change = enroll(this.#state()?.registrations ?? NO_REGISTRATIONS, verifyKey, device, Date.now());
    if (!change) return null;
    await this.#apply(token, change);
    return change.device;
  }

  async activate(token: DeviceToken, device: Uint8Array): Promise<void> {
    const { registrations } = this.#state() ?? { registrations: NO_REGISTRATIONS };
    const change = activate(registrations, device);
    // As most often: it is the only one, and known to be.
    const isKnown = registrations.entries.length === 1 && registrations.entries[0]?.isActive === true;
    if (!isKnown || change.forgotten.length > 0) await this.#apply(token, change);
  }

  async release(device: Uint8Array): Promise<void> {
    const state = this.#state();
    if (state) this.#save({ ...state, registrations: release(state.registrations, device) });
  }

  override async alarm(): Promise<void> {
    this.#alarm.over();
    await this.#forget();
    const state = this.#state();
    if (!state) return;
    const { registrations: { entries, attempts }, forgetting } = state;
    if (forgetting.length > 0) return this.#alarm.by(Date.now() + RETRY);
    if (entries.length > 0) return;
    if (attempts && attempts.at + COUNTED > Date.now()) return this.#alarm.by(attempts.at + COUNTED);
    this.#alarm.forget();
  }
}
