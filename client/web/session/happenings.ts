import type { ChatHappening } from "../../chat/events.ts";
import { fromPlain, type PlainError, toPlain } from "./errors.ts";

/** What happened as it goes to another thread: the one error that it may have goes beside it. */
export interface PlainHappening {
  /** Without its error. */
  readonly happening: unknown;
  readonly error: PlainError | null;
}

function split(happening: ChatHappening): readonly [without: unknown, error: unknown] {
  if (happening.type === "error") return [{ ...happening, error: null }, happening.error];
  if (happening.type !== "agent" || !("error" in happening.event)) return [happening, null];
  return [{ ...happening, event: { ...happening.event, error: null } }, happening.event.error];
}

/** Only what has its place in a happening for an error is made one again: whatever others wrote stays what it is. */
export function toPlainHappening(happening: ChatHappening): PlainHappening {
  const [without, error] = split(happening);
  return { happening: without, error: error === null ? null : toPlain(error) };
}

/** The reverse of {@link toPlainHappening}. */
export function fromPlainHappening({ happening, error: plain }: PlainHappening): ChatHappening {
  const known = happening as ChatHappening;
  if (plain === null) return known;
  const error = fromPlain(plain);
  if (known.type !== "agent") return { ...known, error } as ChatHappening;
  return { ...known, event: { ...known.event, error } } as ChatHappening;
}

/**
 * Sends what happened. When it cannot be sent, that goes in its place: what happens later is still to be heard.
 * @param send throws when its argument cannot be cloned
 */
export function sendHappening(happening: ChatHappening, send: (plain: PlainHappening) => void): void {
  try {
    send(toPlainHappening(happening));
  } catch (cause) {
    const error = new TypeError(`what happened ("${happening.type}") could not be told to the page`, { cause });
    send(toPlainHappening({ type: "error", contact: null, error }));
  }
}
