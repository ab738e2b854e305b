/** Work that an object does beside everything else, one piece at a time. */
export class Errand {
  readonly #state: DurableObjectState;
  #work: Promise<void> | null = null;

  constructor(state: DurableObjectState) {
    this.#state = state;
  }

  /** Ends with what is being done, and never fails; null: nothing is. */
  get work(): Promise<void> | null {
    return this.#work;
  }

  /** Unless something is being done already. `done` and `failed` may start it again; what `done` throws has failed too. */
  start(act: () => Promise<void>, done: () => void, failed: (error: unknown) => void): void {
    if (this.#work) return;
    const run = async (): Promise<void> => {
      try {
        await act();
        this.#work = null;
        done();
      } catch (error) {
        this.#work = null;
        failed(error);
      }
    };
    this.#work = run();
    this.#state.waitUntil(this.#work);
  }
}
