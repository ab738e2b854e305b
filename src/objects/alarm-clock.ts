/**
 * The one alarm of an object, made with it. It is only ever moved forward: one that finds nothing to do costs less than
 * a write.
 */
export class AlarmClock {
  readonly #state: DurableObjectState;
  /** Milliseconds since 1970; null: none is set. */
  #at: number | null = null;

  /** Nothing else happens to the object before it knows what its former life has set. */
  constructor(state: DurableObjectState) {
    this.#state = state;
    void state.blockConcurrencyWhile(async () => void (this.#at = await state.storage.getAlarm()));
  }

  /**
   * Goes off at that time or before: the earliest of all that the object has to do. One row where it must be set. It
   * is set together with whatever was written before, so nothing is answered that it would not bring to its end.
   */
  by(at: number): void {
    if (this.#at !== null && this.#at <= at) return;
    this.#at = at;
    this.#state.waitUntil(this.#state.storage.setAlarm(at));
  }

  /** It went off. */
  over(): void {
    this.#at = null;
  }

  /** With everything else that the object stores. */
  forget(): void {
    this.#at = null;
    this.#state.waitUntil(Promise.all([this.#state.storage.deleteAlarm(), this.#state.storage.deleteAll()]));
  }
}
