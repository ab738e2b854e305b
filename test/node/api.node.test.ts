import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import * as client from "../../client/index.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What programs may rely on. Taking a name away breaks them; so does another meaning under the same name. */
const VALUES = [
  "AddressError", "Agent", "AgentError", "Chat", "ChatError", "ConnectError", "DisconnectedError", "LinkError",
  "MemoryFile", "MemoryStore", "NtfConnection", "PeerError", "ProtocolError", "ProxiedRelay", "ProxyError",
  "RelayConnection", "SCRYPT_COST", "SCRYPT_FLOOR", "SimplexError", "SmpClient", "StoreError", "TimeoutError",
  "TokenError", "UnexpectedAnswerError", "UsageError", "addPassphrase", "changePassphrase", "connect", "decodeZstd",
  "deleteIndexedDbStore", "displayLine", "displayName", "displayText", "formatDeviceToken", "formatLink",
  "formatNtfServer", "formatServerAddress", "generateKeyPair", "isSealed", "leaveDevice", "ntf",
  "openIndexedDbStore", "openProfile", "parseDeviceToken", "parseLink", "parseNtfServer", "parseServerAddress",
  "portableZstd", "removePassphrase", "scoped", "smp", "systemClock", "webPushToken",
];

const TYPES = [
  "Address", "AddressOptions", "AgentEvent", "AgentOptions", "AgentRefusal", "Agreement", "Attachments", "BaseStore",
  "Change", "Channel", "ChatHappening", "ChatOptions", "ChatRefusal", "ClientEvent", "Clock", "Compression",
  "ConnectOptions", "ConnectionEvent", "ConnectionInfo", "ConnectionRequest", "Contact", "ContactSettings",
  "ContactStatus", "Contacts", "Conversation", "Decompress", "DeviceToken", "Edition", "Entry", "FailureReason",
  "FileOptions", "Files", "FollowOptions", "FollowedQueue", "Group", "GroupLink", "GroupPreferences", "GroupProfile",
  "GroupSettings", "GroupStatus", "Groups", "History", "Integrity", "Invitation", "InviteOptions", "Item",
  "ItemBody", "ItemEvent", "ItemFile", "ItemReaction", "ItemStatus", "JoinOptions", "KeptQueue", "KeyPair", "Link",
  "LinkFailure", "LinkForm", "LinkLook", "LinkPreview", "Links", "MadeLink", "Member", "MemberSettings",
  "MemberStatus", "MessageItem", "Messages", "MsgContainer", "MsgContent", "NewAddressOptions", "NewLinkOptions",
  "NotificationMode", "Notifications", "NotificationsState", "NtfOptions", "OpenedPush", "OutgoingFile", "Overview",
  "Page", "PassingEvent", "PeerFault", "Preferences", "Profile", "ProxiedRelayOptions", "ProxyConnection",
  "ProxyFailure", "ProxyFallback", "ProxyMode", "ProxyPolicy", "PushedMessage", "Range", "ReceivedMessageEvent",
  "RelayEvent", "RelayInfo", "RelayOptions", "Request", "RequestOptions", "Requester", "Role", "RotationPhase",
  "ScryptCost", "SearchOptions", "SecurityCode", "SendOptions", "Server", "ServerAddress", "ServiceCredentials",
  "ShortLink", "ShortLinkUserData", "SocketEvent", "SocketFactory", "SocketLike", "Store", "StoreErrorCode",
  "SubscriptionStatus", "SyncState", "TokenStatus", "User", "Users",
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

/** Which modules of the client are in a program that uses this name of it only. */
async function modulesWith(name: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    stdin: { contents: `export { ${name} } from "./client/index.ts";`, resolveDir: ROOT },
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    target: "es2024",
  });
  const [output] = Object.values(metafile.outputs);
  return Object.entries(output?.inputs ?? {}).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : []));
}

describe("the client", () => {
  it("has these public names and no others", () => {
    expect(Object.keys(client).sort(byName)).toEqual(VALUES);
    expect(exportedTypes().sort(byName)).toEqual(TYPES);
    expect(Object.keys(client.smp).sort(byName)).toEqual(COMMANDS);
  });

  it("costs only what is used of it", async () => {
    const chat = await modulesWith("Chat");
    expect(chat.filter((path) => path.startsWith("client/chat/wire/zstd/") && !path.endsWith("frame.ts"))).toEqual([]);
    expect(chat.filter((path) => path.startsWith("client/agent/"))).not.toEqual([]);
    const above = (paths: readonly string[], floors: RegExp): string[] => paths.filter((path) => floors.test(path));
    expect(above(await modulesWith("Agent"), /^client\/chat\//)).toEqual([]);
    expect(above(await modulesWith("RelayConnection"), /^client\/(chat|agent|ratchet|store)\//)).toEqual([]);
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
