import { err, type Message } from "#protocol/commands";
import { commandErr, type CommandErrorType, type ErrorType } from "#protocol/errors";
import type { Outcome } from "./ports.ts";

const NOTHING = { events: [], services: [] } as const;

export function answer(message: Message, more: Partial<Outcome> = {}): Outcome {
  return { answer: message, ...NOTHING, ...more };
}

export function ok(more: Partial<Outcome> = {}): Outcome {
  return answer({ tag: "OK" }, more);
}

export function failed(error: ErrorType): Outcome {
  return answer(err(error));
}

export const AUTH: ErrorType = { type: "AUTH" };

export function unauthorized(): Outcome {
  return failed(AUTH);
}

export function refused(type: CommandErrorType): Outcome {
  return failed(commandErr(type));
}
