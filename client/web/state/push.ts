import { fromBase64url } from "#crypto/bytes";
import type { PushMode, PushState } from "../push/api.ts";
import { subscribe, unsubscribe } from "../push/browser.ts";
import { SessionError } from "../session/api.ts";
import { words } from "../words/words.ts";
import type { App } from "./app.ts";
import { permission } from "./notifications.ts";

const { notified, settings } = words;

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
    if (mode === null) {
      await push.remove();
      await unsubscribe();
    } else if (this.state?.mode) {
      await push.setMode(mode);
    } else {
      // First of all, while what was pressed still counts for the browser.
      const isAllowed = await Notification.requestPermission() === "granted";
      if (!isAllowed) throw new SessionError("UNSUPPORTED", settings.notificationsDenied);
      await this.#begin(mode);
    }
  }

  async #begin(mode: PushMode): Promise<void> {
    const endpoint = await subscribe(await this.#key());
    try {
      await this.#app.session.push.register(endpoint, mode);
    } catch (error) {
      // What is only down now is tried again.
      if (error instanceof SessionError && error.failure === "UNSUPPORTED") await unsubscribe();
      throw error;
    }
  }

  async setNaming(isNaming: boolean): Promise<void> {
    await this.#app.session.push.setNaming(isNaming);
  }

  /** At every start: browsers end subscriptions, and relays lose what they were told. */
  async refresh(): Promise<void> {
    const { state } = this;
    if (!state) return;
    if (state.mode === null) return unsubscribe();
    // Without it nothing can be shown. That pushes are wanted is not forgotten.
    if (permission() !== "granted") return;
    await this.#app.session.push.register(await subscribe(await this.#key()), state.mode);
  }

  async #key(): Promise<Uint8Array<ArrayBuffer>> {
    const own = await this.#app.session.ownRelay();
    if (!own?.notifications) throw new SessionError("UNSUPPORTED", notified.noRelay);
    return new Uint8Array(fromBase64url(own.notifications.vapid));
  }
}
