import { equal } from "#crypto/bytes";
import type { PublicKey } from "#crypto/keys";
import { type QueueUri, sameServer, type Server, server, transportHost } from "./address.ts";
import { SMP_CLIENT_VERSION } from "./client-version.ts";
import { bool, type Codec, latin1, str, transform, word16 } from "./codec.ts";
import { struct } from "./combine.ts";
import { type QueueMode, queueMode } from "./commands/queue.ts";
import { dhKey } from "./key.ts";
import { withKnownOnion } from "./onion.ts";
import { type VersionRange, versionRange } from "./version.ts";

/** A queue as the two sides of a connection name it: where it is and its sender id. */
export interface SndQAddr {
  readonly server: Server;
  readonly senderId: Uint8Array;
}

/** A queue's address in one SMP client version. `mode` null: not known. */
export interface SmpQueueInfo extends SndQAddr {
  readonly clientVersion: number;
  readonly dhKey: PublicKey<"X25519">;
  readonly mode: QueueMode | null;
}

/** Server, Str sender id (agent specification, section 4). */
export const sndQAddr: Codec<SndQAddr> = struct<SndQAddr>({ server, senderId: str });

const M = 0x4d;
const C = 0x43;
const T = 0x54;
const F = 0x46;

/**
 * The end of a queue address: `M` or `C`, or nothing. The older `T` (messaging) and `F` (contact) are read too.
 * What follows must not begin with one of these four letters (agent specification, section 2.3).
 */
const trailingMode: Codec<QueueMode | null> = {
  write(writer, value, version) {
    if (value !== null) queueMode.write(writer, value, version);
  },
  read(reader, version) {
    const next = reader.peek();
    if (next === M || next === C) return queueMode.read(reader, version);
    if (next === T || next === F) return bool.read(reader, version) ? "messaging" : "contact";
    return null;
  },
};

const uriFields = struct<Omit<QueueUri, "mode">>({
  clientVersions: versionRange,
  server,
  senderId: str,
  dhKey,
});

/**
 * A queue address for a range of versions: Word16 min, Word16 max, server, Str sender id, key, mode. A mode that the
 * oldest version of the range does not know is written in part or not at all (agent specification, section 2.3).
 */
export const queueUri: Codec<QueueUri> = {
  write(writer, value, version) {
    uriFields.write(writer, value, version);
    const { min, max } = value.clientVersions;
    const isMessaging = value.mode === "messaging";
    const { senderCanSecure, shortLinks } = SMP_CLIENT_VERSION;
    if (min >= shortLinks) trailingMode.write(writer, value.mode, version);
    else if (min >= senderCanSecure || (max >= senderCanSecure && isMessaging)) {
      bool.write(writer, isMessaging, version);
    }
  },
  read: (reader, version) => ({ ...uriFields.read(reader, version), mode: trailingMode.read(reader, version) }),
};

/** Version 1 has one host: Str host, Str port, Str key hash. Onion hosts came later; those of then are known. */
const oldServer: Codec<Server> = transform(
  struct<{ host: string; port: string; keyHash: Uint8Array }>({ host: transportHost, port: latin1(str), keyHash: str }),
  ({ host, ...place }) => ({ hosts: withKnownOnion([host]), ...place }),
  ({ hosts: [host = ""], ...place }) => ({ host, ...place }),
);

const serverIn = (clientVersion: number): Codec<Server> =>
  clientVersion < SMP_CLIENT_VERSION.hostNames ? oldServer : server;

const infoFields = struct<Pick<SmpQueueInfo, "senderId" | "dhKey">>({ senderId: str, dhKey });

/** Word16 version, server, Str sender id, key, mode (agent specification, section 2.4). Any version parses. */
export const smpQueueInfo: Codec<SmpQueueInfo> = {
  write(writer, value, version) {
    const { clientVersion, mode } = value;
    word16.write(writer, clientVersion, version);
    serverIn(clientVersion).write(writer, value.server, version);
    infoFields.write(writer, value, version);
    const { senderCanSecure, shortLinks } = SMP_CLIENT_VERSION;
    if (clientVersion >= shortLinks) trailingMode.write(writer, mode, version);
    else if (clientVersion >= senderCanSecure && mode === "messaging") bool.write(writer, true, version);
  },
  read(reader, version) {
    const clientVersion = word16.read(reader, version);
    const place = serverIn(clientVersion).read(reader, version);
    const fields = infoFields.read(reader, version);
    return { clientVersion, server: place, ...fields, mode: trailingMode.read(reader, version) };
  },
};

/** The address in one version, which should be of its range. */
export function queueInfoOf(uri: QueueUri, clientVersion: number): SmpQueueInfo {
  const { clientVersions: _, ...address } = uri;
  return { clientVersion, ...address };
}

/** The address for a range of versions. */
export function queueUriOf(info: SmpQueueInfo, clientVersions: VersionRange): QueueUri {
  const { clientVersion: _, ...address } = info;
  return { clientVersions, ...address };
}

/** The same queue, as the official agent decides it: the server's key hash is not compared. */
export function sameQueue(a: SndQAddr, b: SndQAddr): boolean {
  return sameServer(a.server, b.server) && equal(a.senderId, b.senderId);
}
