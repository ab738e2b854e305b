import { fromBase64url } from "#crypto/bytes";
import { isDead } from "#protocol/ntf/status";
import type { PushMode, PushState } from "../push/api.ts";
import { subscribe, unsubscribe } from "../push/browser.ts";
import { SessionError } from "../session/api.ts";
import { words } from "../words/words.ts";
import type { App } from "./app.ts";
import { closeAll, permission } from "./notifications.ts";

const { notified, settings } = words;

/** One tab after the other: what is turned off in one must not be turned on again by one that starts. */
const inTurn = <T>(work: () => Promise<T>): Promise<T> => navigator.locks.request("smp-edge push", work);

/** Notifications while the page is closed. */
export class Push {
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  /** Null while it is not known. */
  get state(): PushState | null {
    return this.#app.status.value?.push ?? null;
  }

  /** @param mode null: off */
  async choose(mode: PushMode | null): Promise<void> {
    const { push } = this.#app.session;
    if (mode !== null && !this.state?.mode) {
      // First of all, while what was pressed still counts for the browser.
      const isAllowed = await Notification.requestPermission() === "granted";
      if (!isAllowed) throw new SessionError("UNSUPPORTED", settings.notificationsDenied);
    }
    await inTurn(async () => {
      if (mode === null) {
        await push.remove();
        await unsubscribe();
      } else if (this.state?.mode) {
        await push.setMode(mode);
      } else {
        await this.#begin(mode);
      }
    });
  }

  async #begin(mode: PushMode): Promise<void> {
    try {
      await this.#register(mode);
    } catch (error) {
      // What is only down now is tried again.
      if (error instanceof SessionError && error.failure === "UNSUPPORTED") await unsubscribe();
      throw error;
    }
  }

  async setNaming(isNaming: boolean): Promise<void> {
    await this.#app.session.push.setNaming(isNaming);
    if (!isNaming) await closeAll();
  }

  /** At every start: browsers end subscriptions, and relays lose what they were told. */
  async refresh(): Promise<void> {
    if (!this.state) return;
    await inTurn(async () => {
      const { state } = this;
      // Another tab may have closed the profile meanwhile.
      if (!state) return;
      if (state.mode === null) return unsubscribe();
      // Without it nothing can be shown. That pushes are wanted is not forgotten.
      if (permission() !== "granted") return;
      const wasDead = state.status !== null && isDead(state.status);
      const { mode, status } = await this.#register(state.mode, wasDead);
      // The relay has only now told that the push service does not take the address any more.
      if (!wasDead && mode !== null && status !== null && isDead(status)) await this.#register(mode, true);
    });
  }

  async #register(mode: PushMode, wasDead = false): Promise<PushState> {
    return this.#app.session.push.register(await subscribe(await this.#key(), wasDead), mode);
  }

  async #key(): Promise<Uint8Array<ArrayBuffer>> {
    const own = await this.#app.session.ownRelay();
    if (!own?.notifications) throw new SessionError("UNSUPPORTED", notified.noRelay);
    return new Uint8Array(fromBase64url(own.notifications.vapid));
  }
}
