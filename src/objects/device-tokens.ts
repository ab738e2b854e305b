import { DurableObject } from "cloudflare:workers";
import type { AuthAlgorithm, PublicKey } from "#crypto/keys";
import type { DeviceToken } from "#protocol/ntf/token";
import {
  activate,
  enroll,
  lookAgainAt,
  NO_REGISTRATIONS,
  noteTold,
  type Registrations,
  release,
  tidy,
} from "../relay/notification/registrations.ts";
import { AlarmClock } from "./alarm-clock.ts";
import type { DeviceTokensApi } from "./api.ts";
import type { Env } from "./env.ts";
import { deviceAt } from "./locate.ts";
import { report } from "./log.ts";

const KEY = "state";

/**
 * All registrations of one device token, named by a keyed hash of where it leads (`placeOf`). Who knows a device token
 * can register it, so the one that reads its pushes ends the others, and attempts are counted here.
 */
export class DeviceTokens extends DurableObject<Env> implements DeviceTokensApi {
  readonly #alarm = new AlarmClock(this.ctx);

  #registrations(): Registrations {
    return this.ctx.storage.kv.get<Registrations>(KEY) ?? NO_REGISTRATIONS;
  }

  #save(registrations: Registrations): void {
    this.ctx.storage.kv.put<Registrations>(KEY, registrations);
    const at = lookAgainAt(registrations, Date.now());
    if (at !== null) this.#alarm.by(at);
  }

  /** Who is to be told is stored with the change that it comes from, and told again until it is done. */
  async #tell(): Promise<void> {
    for (const one of this.#registrations().forgotten.filter(({ toldAt }) => toldAt === null)) {
      try {
        await deviceAt(this.env, one.device).forget(one.token);
        this.#save(noteTold(this.#registrations(), one, Date.now()));
      } catch (error) {
        report("a registration could not be forgotten, it is tried again later", error);
      }
    }
  }

  async enroll(token: DeviceToken, verifyKey: PublicKey<AuthAlgorithm>, device: Uint8Array): Promise<Uint8Array | null> {
    const enrolled = enroll(this.#registrations(), { device, token, verifyKey }, Date.now());
    if (!enrolled) return null;
    this.#save(enrolled.registrations);
    await this.#tell();
    return enrolled.device;
  }

  async activate(token: DeviceToken, verifyKey: PublicKey<AuthAlgorithm>, device: Uint8Array): Promise<boolean> {
    const former = this.#registrations();
    const registrations = activate(former, { device, token, verifyKey }, Date.now());
    if (!registrations) return false;
    // As most often: it is the only one, and known to be.
    if (registrations === former) return true;
    this.#save(registrations);
    await this.#tell();
    return true;
  }

  async release(token: DeviceToken, device: Uint8Array): Promise<void> {
    const former = this.#registrations();
    const registrations = release(former, { device, token });
    if (registrations !== former) this.#save(registrations);
  }

  override async alarm(): Promise<void> {
    this.#alarm.over();
    await this.#tell();
    const left = tidy(this.#registrations(), Date.now());
    if (left) this.#save(left);
    else this.#alarm.forget();
  }
}
