import type { CommandTag } from "./commands.ts";
import { commandErr, type ErrorType } from "./errors.ts";
import type { ServiceRole } from "./handshake.ts";

/** Who gives a command, and which kind of id its entity is. */
export type Party =
  | "creator"
  | "recipient"
  | "sender"
  | "link"
  | "notifier"
  | "service"
  | "idle"
  | "proxiedClient"
  | "proxy"
  | "resolver";

/** What a transmission must and must not carry (SMP transport, credentials check). */
type Credentials = "authOnly" | "entity" | "entityOnly" | "nothing" | "authAndEntity";

interface Rule {
  readonly party: Party;
  readonly credentials: Credentials;
  /** The role a service connection needs; null: any. */
  readonly role: ServiceRole | null;
}

const rule = (party: Party, credentials: Credentials, role: ServiceRole | null): Rule => ({ party, credentials, role });
const recipient = rule("recipient", "authAndEntity", "messaging");

const RULES: Readonly<Record<CommandTag, Rule>> = {
  NEW: rule("creator", "authOnly", "messaging"),
  SUB: recipient,
  KEY: recipient,
  RKEY: recipient,
  LSET: recipient,
  LDEL: recipient,
  NKEY: recipient,
  NDEL: recipient,
  GET: recipient,
  ACK: recipient,
  OFF: recipient,
  DEL: recipient,
  QUE: recipient,
  SUBS: rule("service", "authAndEntity", "messaging"),
  SKEY: rule("sender", "authAndEntity", "messaging"),
  SEND: rule("sender", "entity", "messaging"),
  LKEY: rule("link", "authAndEntity", "messaging"),
  LGET: rule("link", "entityOnly", "messaging"),
  NSUB: rule("notifier", "authAndEntity", "notifier"),
  NSUBS: rule("service", "authAndEntity", "notifier"),
  PING: rule("idle", "nothing", null),
  PRXY: rule("proxiedClient", "nothing", "messaging"),
  PFWD: rule("proxiedClient", "entityOnly", "messaging"),
  RFWD: rule("proxy", "nothing", "proxy"),
  RSLV: rule("resolver", "nothing", "messaging"),
};

export function partyOf(tag: CommandTag): Party {
  return RULES[tag].party;
}

/** Whether a service connection of this role may give the command. */
export function isAllowedToService(tag: CommandTag, role: ServiceRole): boolean {
  const required = RULES[tag].role;
  return required === null || required === role;
}

/** Null when the transmission carries what its command needs. */
export function checkCredentials(tag: CommandTag, hasAuth: boolean, hasEntity: boolean): ErrorType | null {
  switch (RULES[tag].credentials) {
    case "authOnly":
      if (!hasAuth) return commandErr("NO_AUTH");
      return hasEntity ? commandErr("HAS_AUTH") : null;
    case "entity":
      return hasEntity ? null : commandErr("NO_ENTITY");
    case "entityOnly":
      if (!hasEntity) return commandErr("NO_ENTITY");
      return hasAuth ? commandErr("HAS_AUTH") : null;
    case "nothing":
      return hasAuth || hasEntity ? commandErr("HAS_AUTH") : null;
    case "authAndEntity":
      return hasAuth && hasEntity ? null : commandErr("NO_AUTH");
  }
}
