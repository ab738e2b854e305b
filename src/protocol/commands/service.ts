import { int64, type Codec, str, strOf } from "../codec.ts";
import { maybe, struct } from "../combine.ts";
import { none, spaced, type TagTable } from "../tagged.ts";
import { VERSION } from "../version.ts";

export const IDS_HASH_LENGTH = 16;

/** The queues of a service: how many, and XOR of MD5 over their ids. */
export interface ServiceQueues {
  readonly count: number;
  /** Null in sessions and from peers that do not send it. */
  readonly idsHash: Uint8Array | null;
}

/** What the client believes to be subscribed to; null where it does not say. */
export interface ServiceCommand {
  readonly tag: "SUBS" | "NSUBS";
  readonly queues: ServiceQueues | null;
}

export type ServiceAnswer =
  | ({ readonly tag: "SOKS" | "ENDS" } & ServiceQueues)
  | { readonly tag: "SOK"; readonly serviceId: Uint8Array | null }
  | { readonly tag: "END" | "DELD" | "ALLS" };

const idsHash = strOf(IDS_HASH_LENGTH);

/**
 * From v19 the count is followed by a hash. Two lines of official code number that version differently: one
 * of them sends no hash (and no parameters of SUBS at all), so what is missing is read as null.
 */
const serviceQueues: Codec<ServiceQueues> = {
  write(writer, value, version) {
    int64.write(writer, value.count, version);
    if (version >= VERSION.serviceSubscriptions && value.idsHash) idsHash.write(writer, value.idsHash, version);
  },
  read(reader, version) {
    const count = int64.read(reader, version);
    const hasHash = version >= VERSION.serviceSubscriptions && reader.remaining > 0;
    return { count, idsHash: hasHash ? idsHash.read(reader, version) : null };
  },
};

const subscribeQueues: Codec<{ readonly queues: ServiceQueues | null }> = {
  write(writer, { queues }, version) {
    if (version >= VERSION.serviceSubscriptions && queues) spaced(serviceQueues).write(writer, queues, version);
  },
  read(reader, version) {
    const isGiven = version >= VERSION.serviceSubscriptions && reader.remaining > 0;
    return { queues: isGiven ? spaced(serviceQueues).read(reader, version) : null };
  },
};

export const serviceCommands: TagTable<ServiceCommand> = { SUBS: subscribeQueues, NSUBS: subscribeQueues };

export const serviceAnswers: TagTable<ServiceAnswer> = {
  SOK: spaced(struct({ serviceId: maybe(str) })),
  SOKS: spaced(serviceQueues),
  ENDS: spaced(serviceQueues),
  END: none,
  DELD: none,
  ALLS: none,
};
