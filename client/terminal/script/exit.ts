import { LinkError } from "../../agent/wire/link-error.ts";
import { ChatError } from "../../chat/errors.ts";
import { StoreError } from "../../store/store.ts";
import { TypedError } from "../input/scanner.ts";
import { CommandLineError } from "../options.ts";

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  /** The profile cannot be opened: busy, damaged, no passphrase. */
  profile: 3,
  /** Nobody of that name, or the message cannot be sent. */
  refused: 4,
  late: 5,
  /** As shells tell of a program that was interrupted. */
  stopped: 130,
} as const;

/** It did not happen in time. What is on disk goes on at the next start. */
export class LateError extends Error {
  override readonly name = "LateError";
}

/** A message will not be sent any more. */
export class UnsentError extends Error {
  override readonly name = "UnsentError";
}

/** Somebody asked the program to end. */
export class StoppedError extends Error {
  override readonly name = "StoppedError";
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommandLineError) return EXIT.usage;
  if (error instanceof StoreError) return EXIT.profile;
  if (error instanceof LateError) return EXIT.late;
  if (error instanceof StoppedError) return EXIT.stopped;
  const isRefused = error instanceof TypedError || error instanceof ChatError || error instanceof LinkError || error instanceof UnsentError;
  return isRefused ? EXIT.refused : EXIT.failed;
}
