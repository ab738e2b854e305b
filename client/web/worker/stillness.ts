/** Waits for a time in which nothing happens. */
export class Stillness {
  readonly #stirred = new Set<() => void>();
  readonly #ended = new Set<() => void>();

  /** Something happened. */
  stir(): void {
    for (const again of this.#stirred) again();
  }

  /** Nothing is to be waited for any more. */
  end(): void {
    for (const end of this.#ended) end();
  }

  /**
   * True as soon as nothing happened for `calm` milliseconds and it `isReady`; false after `longest` milliseconds, or
   * when it was ended.
   */
  wait(isReady: () => boolean, { calm, longest }: { readonly calm: number; readonly longest: number }): Promise<boolean> {
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout>;
      const finish = (isCalm: boolean): void => {
        clearTimeout(timer);
        clearTimeout(cap);
        this.#stirred.delete(again);
        this.#ended.delete(give);
        resolve(isCalm);
      };
      const again = (): void => {
        clearTimeout(timer);
        timer = setTimeout(() => (isReady() ? finish(true) : again()), calm);
      };
      const give = (): void => finish(false);
      const cap = setTimeout(give, longest);
      this.#stirred.add(again);
      this.#ended.add(give);
      again();
    });
  }
}
