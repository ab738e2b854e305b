import * as v from "valibot";

// Which of two copies of a profile is the newer one. Pure rules: no clock is asked, since clocks of devices differ.

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const id = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, "must be 32 hexadecimal digits"));
/** Nobody moves so often; a longer trail is not read. */
const MAX_STAYS = 10_000;

const stay = v.object({ copy: id, position: count });
/** The profile in one place: a copy that some program runs, and how many changes it had made there. */
export type Stay = Readonly<v.InferOutput<typeof stay>>;

export const lineageForm: v.GenericSchema<unknown, Lineage> = v.object({
  id,
  trail: v.pipe(v.array(stay), v.minLength(1), v.maxLength(MAX_STAYS)),
});

/**
 * Where a set of profiles has been since it was made. Each import begins a new stay, under a copy id that is random: two
 * imports of one archive are two copies. Of a stay that ended the position tells after which change it was left.
 */
export interface Lineage {
  /** 16 random bytes in hex, for as long as the profiles live. */
  readonly id: string;
  /** From the first stay to the present one. */
  readonly trail: readonly Stay[];
}

export function beginLineage(lineage: string, copy: string): Lineage {
  return { id: lineage, trail: [{ copy, position: 0 }] };
}

/** How often the profiles were moved. */
export function generationOf({ trail }: Lineage): number {
  return trail.length - 1;
}

/** After as many changes in the present stay as `position` says. */
export function atPosition({ id: lineage, trail }: Lineage, position: number): Lineage {
  return { id: lineage, trail: trail.map((old, index) => (index === trail.length - 1 ? { ...old, position } : old)) };
}

/** What an import makes of the lineage in the archive. @param copy 16 new random bytes in hex */
export function movedTo({ id: lineage, trail }: Lineage, copy: string): Lineage {
  return { id: lineage, trail: [...trail, { copy, position: 0 }] };
}

export type Relation =
  | "same"
  /** The first lies on the way to the second. */
  | "older"
  /** The second lies on the way to the first. */
  | "newer"
  /** Both have gone on from a common point, each without the other. */
  | "forked"
  /** Other profiles. */
  | "unrelated";

function isOnTheWay(early: Lineage, late: Lineage): boolean {
  const last = early.trail.length - 1;
  return early.trail.every(({ copy, position }, index) => {
    const other = late.trail[index];
    if (other?.copy !== copy) return false;
    return index === last ? other.position >= position : other.position === position;
  });
}

/** How the first relates to the second. */
export function relate(first: Lineage, second: Lineage): Relation {
  if (first.id !== second.id) return "unrelated";
  const [isBefore, isAfter] = [isOnTheWay(first, second), isOnTheWay(second, first)];
  if (isBefore) return isAfter ? "same" : "older";
  return isAfter ? "newer" : "forked";
}

/** What relays say to the keys in the archive. */
export type Fence =
  /** They were not asked, or cannot be reached. */
  | "unknown"
  /** The keys are still good. */
  | "open"
  /** They are good for some queues. */
  | "partly"
  /** Another copy has changed them. */
  | "closed";

export interface Evidence {
  readonly archive: Lineage;
  /** Of the profiles that are in this client now; null: none. */
  readonly here: Lineage | null;
  /** The latest that a relay or a contact is known to have seen; null: nothing is known. */
  readonly seen: Lineage | null;
  readonly fence: Fence;
}

/** What is to be done with an archive. */
export interface Verdict {
  /**
   * `nothing`: it is all here. `import`: it can go ahead. `ask`: the reason has to be told and a choice made. `keep`: what
   * is here stays, only history that is missing may be taken.
   */
  readonly action: "nothing" | "import" | "ask" | "keep";
  readonly reason: "first" | "same" | "continues" | "beside" | "older" | "forked" | "movedOn" | "fenced";
  /** `beside`: as further profiles. `replace`: in place of what is here. `history`: items that are missing, no keys. */
  readonly mode: "beside" | "replace" | "history" | "none";
  /**
   * `continue`: with the ratchets of the archive, and whatever moved on is re-synchronised when it shows. `resync`: they
   * are old for certain, so that nothing is sent with them before new keys are agreed on. `here`: those of this client
   * stay. `lost`: their queues belong to another copy; contacts have to connect again.
   */
  readonly connections: "continue" | "resync" | "here" | "lost";
  /** In words, for the user. */
  readonly explanation: string;
}

const EXPLANATIONS: Readonly<Record<Verdict["reason"], string>> = {
  first: "These profiles come to this client; the copy that they come from will say that they have moved.",
  same: "This client already has everything that is in the archive.",
  continues: "The archive goes on where this client stopped; it takes the place of what is here.",
  beside: "The archive holds other profiles than this client; they are added.",
  older:
    "The archive is older than what is in this client. Its connections would break, so that the ones here " +
    "are kept; messages that are missing here can be added.",
  forked:
    "The archive and this client have both gone on since they were one. The connections of this client " +
    "are kept; messages that are missing here can be added.",
  movedOn:
    "These profiles have been used elsewhere since the archive was made. Importing it takes them over: " +
    "the other copy stops, what came to it is not here, and all connections agree on new keys.",
  fenced:
    "Another copy of these profiles has taken over their connections. Contacts and messages can be read, " +
    "but contacts have to connect again; import a newer archive of that copy instead if there is one.",
};

function verdict(
  action: Verdict["action"],
  reason: Verdict["reason"],
  mode: Verdict["mode"],
  connections: Verdict["connections"],
): Verdict {
  return { action, reason, mode, connections, explanation: EXPLANATIONS[reason] };
}

/** Whether somebody has seen more of the profiles than `copy` holds. */
function isBehind(copy: Lineage, seen: Lineage | null): boolean {
  if (seen === null) return false;
  const relation = relate(copy, seen);
  return relation === "older" || relation === "forked";
}

/**
 * What is to be done with an archive, before anything of it is used. A ratchet that may have moved on is never sent with:
 * whatever is not known to be the latest copy asks first or keeps its hands off connections.
 */
export function judge({ archive, here, seen, fence }: Evidence): Verdict {
  const relation = here === null ? null : relate(archive, here);
  if (relation === "same") return verdict("nothing", "same", "none", "here");
  if (relation === "older") return verdict("keep", "older", "history", "here");
  if (relation === "forked") return verdict("ask", "forked", "history", "here");
  const mode = relation === "newer" ? "replace" : "beside";
  if (fence === "closed") return verdict("ask", "fenced", mode, "lost");
  if (isBehind(archive, seen) || fence === "partly") return verdict("ask", "movedOn", mode, "resync");
  const reason = relation === null ? "first" : relation === "newer" ? "continues" : "beside";
  return verdict("import", reason, mode, "continue");
}

/** How far a connection has come: numbers of the last messages, which only rise. */
export interface ConnectionProgress {
  readonly sent: number;
  readonly received: number;
}

/** Of two states of one connection the one to go on with; `resync`: neither, as each knows what the other does not. */
export function laterConnection(
  first: ConnectionProgress,
  second: ConnectionProgress,
): "same" | "first" | "second" | "resync" {
  const [sent, received] = [first.sent - second.sent, first.received - second.received];
  if (sent === 0 && received === 0) return "same";
  if (sent >= 0 && received >= 0) return "first";
  return sent <= 0 && received <= 0 ? "second" : "resync";
}
