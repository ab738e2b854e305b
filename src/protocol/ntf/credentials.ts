import { commandErr, type ErrorType } from "../errors.ts";
import type { NtfAnswerTag, NtfCommandTag } from "./commands.ts";

/** Null when the transmission carries what its command needs (NTF, credential check). */
export function checkNtfCredentials(tag: NtfCommandTag, hasAuth: boolean, hasEntity: boolean): ErrorType | null {
  switch (tag) {
    case "TNEW":
    case "SNEW":
      if (!hasAuth) return commandErr("NO_AUTH");
      return hasEntity ? commandErr("HAS_AUTH") : null;
    case "PING":
      return hasAuth || hasEntity ? commandErr("HAS_AUTH") : null;
    default:
      return hasAuth && hasEntity ? null : commandErr("NO_AUTH");
  }
}

/** Null when an answer names an entity, or none, as it must. */
export function checkNtfAnswer(tag: NtfAnswerTag, hasEntity: boolean): ErrorType | null {
  switch (tag) {
    case "ERR":
      return null;
    case "IDTKN":
    case "IDSUB":
    case "PONG":
      return hasEntity ? commandErr("HAS_AUTH") : null;
    default:
      return hasEntity ? null : commandErr("NO_ENTITY");
  }
}
