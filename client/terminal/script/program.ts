import { once } from "node:events";
import type { ChatHappening } from "../../chat/events.ts";
import type { User } from "../../chat/records.ts";
import { Book } from "../book.ts";
import { chooseUser } from "../choose-user.ts";
import { chooseProfile, CommandLineError, type CommonValues, parseNumber } from "../options.ts";
import { askHidden } from "../passphrase.ts";
import { Profile } from "../profile.ts";
import { LateError, StoppedError } from "./exit.ts";

/** A command that was started by a script: the profile is open, and somebody's. */
export interface Program {
  readonly profile: Profile;
  readonly user: User;
  readonly book: Book;
  /** Aborts when the time is over, or the program is asked to end. */
  readonly signal: AbortSignal;
}

export interface ProgramOptions extends CommonValues {
  /** Seconds. */
  readonly timeout?: string | undefined;
}

/** Opens the profile, does the work, and closes the profile whatever comes of it. */
export async function withProgram<T>(values: ProgramOptions, work: (program: Program) => Promise<T>): Promise<T> {
  const end = new AbortController();
  const stop = (): void => end.abort(new StoppedError("stopped"));
  const seconds = values.timeout === undefined ? null : parseNumber("timeout", values.timeout, 0);
  const choice = chooseProfile(values, process.env);
  const profile = await Profile.open({ choice, ask: askHidden });
  const timer = seconds === null ? null : setTimeout(() => end.abort(new LateError(`not done within ${seconds} seconds`)), seconds * 1000);
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    const user = await chooseUser(profile, choice.user, () => Promise.resolve(null));
    if (!user) throw new CommandLineError("the profile has no name yet: give one with --user NAME");
    return await work({ profile, user, book: new Book(() => profile.chat), signal: end.signal });
  } finally {
    if (timer) clearTimeout(timer);
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    await profile.close();
  }
}

/** The next event. @throws the reason of the signal */
export async function nextEvent({ profile, signal }: Pick<Program, "profile" | "signal">): Promise<ChatHappening> {
  signal.throwIfAborted();
  const ended = new AbortController();
  try {
    const aborted = once(signal, "abort", { signal: ended.signal }).then(() => signal.throwIfAborted());
    const next = await Promise.race([profile.chat.events.next(), aborted]);
    if (!next || next.done === true) throw new Error("the chat ended");
    return next.value;
  } finally {
    ended.abort();
  }
}

/** Looks after each event whether it is so by now. */
export async function until<T>(program: Program, look: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    await nextEvent(program);
  }
}

// A few characters that JSON allows but terminals obey.
const HARMFUL = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff]/gu;

/** One line of JSON, in ASCII where a terminal could take it for something else. */
export function jsonLine(value: unknown): string {
  const escaped = (one: string): string => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return `${JSON.stringify(value).replace(HARMFUL, escaped)}\n`;
}

/** Resolves when the text is out. */
export function write(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
