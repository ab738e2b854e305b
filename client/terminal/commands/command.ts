import type { Completable } from "../input/complete.ts";
import type { Scanner } from "../input/scanner.ts";
import type { Session } from "../session.ts";

export const TOPICS = ["contacts", "address", "messages", "files", "groups", "profiles", "settings", "network", "db"] as const;
export type Topic = (typeof TOPICS)[number];

/** A command with a slash. */
export interface Command extends Completable {
  /** Short names. */
  readonly also: readonly string[];
  /** What follows, as it is shown: `@name [text]`. */
  readonly usage: string;
  readonly says: string;
  readonly topic: Topic | null;
  readonly run: (session: Session, typed: Scanner) => Promise<void>;
}

type Given = Pick<Command, "name" | "usage" | "says" | "run"> & Partial<Command>;

/** Commands of one topic. */
export function commandsOf(topic: Topic | null, ...given: readonly Given[]): Command[] {
  return given.map((one) => ({ also: [], takes: [], topic, ...one }));
}
