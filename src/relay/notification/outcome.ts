import type { NtfAnswer } from "#protocol/ntf/commands";
import { commandErr, type CommandErrorType, type ErrorType } from "#protocol/errors";
import type { Effect, NtfOutcome } from "./ports.ts";

export function answered(answer: NtfAnswer, ...effects: readonly Effect[]): NtfOutcome {
  return { answer, effects };
}

export function done(...effects: readonly Effect[]): NtfOutcome {
  return answered({ tag: "OK" }, ...effects);
}

export function ntfError(error: ErrorType): NtfOutcome {
  return answered({ tag: "ERR", error });
}

export function ntfUnauthorized(): NtfOutcome {
  return ntfError({ type: "AUTH" });
}

export function ntfRefused(type: CommandErrorType): NtfOutcome {
  return ntfError(commandErr(type));
}
