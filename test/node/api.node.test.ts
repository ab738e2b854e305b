import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import * as client from "../../client/index.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What programs may rely on. Taking a name away breaks them; so does another meaning under the same name. */
const VALUES = [
  "AddressError", "Agent", "AgentError", "ConnectError", "DisconnectedError", "LinkError", "MemoryFile", "MemoryStore",
  "PeerError", "ProtocolError", "ProxiedRelay", "ProxyError", "RelayConnection", "SCRYPT_COST", "SCRYPT_FLOOR",
  "SimplexError", "SmpClient", "StoreError", "TimeoutError", "UnexpectedAnswerError", "UsageError", "addPassphrase", "changePassphrase", "connect",
  "deleteIndexedDbStore", "formatLink", "formatServerAddress", "generateKeyPair", "isSealed", "openIndexedDbStore",
  "openProfile", "parseLink", "parseServerAddress", "removePassphrase", "scoped", "smp", "systemClock",
];

const TYPES = [
  "AgentEvent", "AgentOptions", "AgentRefusal", "BaseStore", "Change", "Channel", "ClientEvent", "Clock",
  "ConnectOptions", "ConnectionEvent", "ConnectionInfo", "ConnectionRequest", "Entry", "FailureReason", "Integrity",
  "JoinOptions", "KeptQueue", "KeyPair", "Link", "LinkFailure", "LinkForm", "LinkPreview", "MadeLink", "NewLinkOptions",
  "PassingEvent", "PeerFault", "ProxiedRelayOptions", "ProxyConnection", "ProxyFailure", "ProxyFallback", "ProxyMode",
  "ProxyPolicy", "Range", "ReceivedMessageEvent", "RelayEvent", "RelayOptions", "RequestOptions",
  "Requester", "RotationPhase", "ScryptCost", "SendOptions", "Server", "ServerAddress", "ServiceCredentials",
  "ShortLink", "SocketEvent", "SocketFactory", "SocketLike", "Store", "StoreErrorCode", "SyncState",
];

const COMMANDS = [
  "acknowledge", "createQueue", "disableNotifications", "enableNotifications", "get", "getLink", "openMessage",
  "openNotification", "ping", "queueInfo", "remove", "removeLink", "replaceRecipientKeys", "secureAsSender",
  "secureLink", "secureQueue", "send", "senderIdOf", "setLink", "subscribe", "subscribeMany", "subscribeNotifications",
  "subscribeService", "suspend",
];

const byName = (a: string, b: string): number => (a < b ? -1 : 1);

/** The types that the index names; nothing of them is left when it runs. */
function exportedTypes(): string[] {
  const index = readFileSync(`${ROOT}client/index.ts`, "utf8");
  return [...index.matchAll(/export (type )?\{([^}]*)\}/g)].flatMap(([, isType, names = ""]) => {
    const all = names.split(",").map((name) => name.trim()).filter((name) => name !== "");
    return isType ? all : all.filter((name) => name.startsWith("type ")).map((name) => name.slice("type ".length));
  });
}

describe("the client", () => {
  it("has these public names and no others", () => {
    expect(Object.keys(client).sort(byName)).toEqual(VALUES);
    expect(exportedTypes().sort(byName)).toEqual(TYPES);
    expect(Object.keys(client.smp).sort(byName)).toEqual(COMMANDS);
  });

  it("is one file for browsers, with crypto that runs there and nothing of Node", async () => {
    const { metafile, warnings } = await build({
      absWorkingDir: ROOT,
      entryPoints: ["client/index.ts"],
      bundle: true,
      minify: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "browser",
      target: "es2024",
    });
    expect(warnings).toEqual([]);
    const inputs = Object.keys(metafile.inputs);
    expect(inputs.filter((path) => path.startsWith("src/crypto/native/"))).toEqual(["src/crypto/native/noble.ts"]);
    expect(inputs.filter((path) => path.startsWith("client/node/"))).toEqual([]);
    // Nothing has to be loaded from elsewhere.
    expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports)).toEqual([]);
  });
});
