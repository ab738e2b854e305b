import type { Target, Talk } from "../state/talk.ts";

/** Pixels from the end that count as being there. */
const AT_END = 60;
/** Pixels from an end of what is loaded at which more is loaded. */
const NEAR = 900;
const SETTLED = 150;
const MARKED_FOR = 2000;

/**
 * Keeps what is read where it is while messages come and go around it. The end stays the end for who is there; else the
 * message at the top of the view keeps its place.
 */
export class MessageScroll {
  readonly #talk: Talk;
  readonly #setAway: (isAway: boolean) => void;
  #isAtEnd = true;
  #anchor: { readonly id: string; readonly top: number } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLoading = false;

  constructor(talk: Talk, setAway: (isAway: boolean) => void) {
    this.#talk = talk;
    this.#setAway = setAway;
  }

  watch(viewport: HTMLElement, list: HTMLElement): () => void {
    const scrolled = (): void => this.#scrolled(viewport, list);
    const looked = (): void => this.#seen(viewport, list);
    // Pictures that get their size, a keyboard that comes up, a window that changes.
    const sizes = new ResizeObserver(() => this.#keep(viewport, list));
    sizes.observe(list);
    sizes.observe(viewport);
    viewport.addEventListener("scroll", scrolled, { passive: true });
    document.addEventListener("visibilitychange", looked);
    addEventListener("focus", looked);
    return () => {
      looked();
      clearTimeout(this.#timer);
      sizes.disconnect();
      viewport.removeEventListener("scroll", scrolled);
      document.removeEventListener("visibilitychange", looked);
      removeEventListener("focus", looked);
    };
  }

  /** After the messages were drawn anew. */
  settle(viewport: HTMLElement, list: HTMLElement): void {
    const target = this.#talk.target.peek();
    if (target && this.#talk.isReady.peek()) {
      this.#goTo(viewport, list, target);
      this.#talk.target.value = null;
    } else {
      this.#keep(viewport, list);
    }
    this.#later(viewport, list);
  }

  #goTo(viewport: HTMLElement, list: HTMLElement, { item, how }: Target): void {
    const row = how === "unread" ? list.querySelector("[data-unread]") : item === null ? null : this.#row(list, item);
    if (how === "end" || !row) {
      viewport.scrollTop = viewport.scrollHeight;
    } else {
      const offset = row.getBoundingClientRect().top - viewport.getBoundingClientRect().top;
      const space = how === "unread" ? 16 : Math.max(16, (viewport.clientHeight - row.clientHeight) / 2);
      viewport.scrollTop += offset - space;
    }
    if (how === "mark" && row instanceof HTMLElement) {
      row.focus({ preventScroll: true });
      row.classList.add("is-marked");
      setTimeout(() => row.classList.remove("is-marked"), MARKED_FOR);
    }
    this.#note(viewport, list);
  }

  #row(list: HTMLElement, item: string): HTMLElement | null {
    return list.querySelector<HTMLElement>(`[data-item="${CSS.escape(item)}"]`);
  }

  #keep(viewport: HTMLElement, list: HTMLElement): void {
    if (this.#isAtEnd && !this.#talk.hasNewer.peek()) {
      viewport.scrollTop = viewport.scrollHeight;
      return;
    }
    const anchor = this.#anchor && this.#row(list, this.#anchor.id);
    if (!anchor || !this.#anchor) return;
    const moved = anchor.getBoundingClientRect().top - viewport.getBoundingClientRect().top - this.#anchor.top;
    if (Math.abs(moved) >= 1) viewport.scrollTop += moved;
  }

  #scrolled(viewport: HTMLElement, list: HTMLElement): void {
    this.#note(viewport, list);
    this.#later(viewport, list);
  }

  /** Where the reader is. */
  #note(viewport: HTMLElement, list: HTMLElement): void {
    const fromEnd = viewport.scrollHeight - viewport.scrollTop - viewport.clientHeight;
    this.#isAtEnd = fromEnd < AT_END;
    this.#setAway(fromEnd > viewport.clientHeight / 2);
    const top = viewport.getBoundingClientRect().top;
    const first = this.#visible(viewport, list)[0];
    const id = first?.dataset["item"];
    this.#anchor = first && id !== undefined ? { id, top: first.getBoundingClientRect().top - top } : null;
  }

  #visible(viewport: HTMLElement, list: HTMLElement): HTMLElement[] {
    const view = viewport.getBoundingClientRect();
    const all = [...list.querySelectorAll<HTMLElement>("[data-item]")];
    // They stand one below the other: the first one is found by halves.
    let [low, high] = [0, all.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((all[middle]?.getBoundingClientRect().bottom ?? 0) > view.top) high = middle;
      else low = middle + 1;
    }
    const visible: HTMLElement[] = [];
    for (const one of all.slice(low)) {
      if (one.getBoundingClientRect().top >= view.bottom) break;
      visible.push(one);
    }
    return visible;
  }

  #later(viewport: HTMLElement, list: HTMLElement): void {
    void this.#loadMore(viewport);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#seen(viewport, list), SETTLED);
  }

  async #loadMore(viewport: HTMLElement): Promise<void> {
    if (this.#isLoading || !this.#talk.isReady.peek() || viewport.clientHeight === 0) return;
    const fromEnd = viewport.scrollHeight - viewport.scrollTop - viewport.clientHeight;
    const talk = this.#talk;
    const wanted = viewport.scrollTop < NEAR && talk.hasOlder.peek() ? () => talk.older()
      : fromEnd < NEAR && talk.hasNewer.peek() ? () => talk.newer() : null;
    if (!wanted) return;
    this.#isLoading = true;
    await talk.app.attempt(wanted);
    this.#isLoading = false;
  }

  /** What can be seen is read, when somebody looks at it. */
  #seen(viewport: HTMLElement, list: HTMLElement): void {
    if (document.visibilityState !== "visible" || !document.hasFocus() || !this.#talk.isReady.peek()) return;
    const isAll = this.#isAtEnd && !this.#talk.hasNewer.peek();
    const last = isAll ? null : this.#visible(viewport, list).at(-1)?.dataset["item"];
    if (last !== undefined) void this.#talk.app.attempt(() => this.#talk.seen(last));
  }
}
