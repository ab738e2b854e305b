import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * What each folder may import of ours besides itself, lower floors only. `node` is the operator's programs: they start
 * the Worker from outside and share with it what an identity and a setting are.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "src/crypto": [],
  "src/protocol": ["src/crypto"],
  // TLS is no part of SMP; what it uses of the protocol's floor is the codec.
  "src/tls": ["src/crypto", "src/protocol"],
  "src/relay": ["src/crypto", "src/protocol"],
  // What providers of pushes want: requests are made here and sent elsewhere.
  "src/push": ["src/crypto", "src/protocol", "src/relay"],
  "src/push-config.ts": ["src/push"],
  "src/config.ts": ["src/relay", "src/push-config.ts"],
  "src/objects": ["src/crypto", "src/protocol", "src/tls", "src/relay", "src/push", "src/config.ts", "src/push-config.ts"],
  "src/http": ["src/crypto", "src/protocol", "src/relay", "src/config.ts", "src/objects"],
  "src/index.ts": ["src/protocol", "src/objects", "src/http"],
  "src/node": ["src/crypto", "src/protocol", "src/relay", "src/push", "src/config.ts", "src/push-config.ts"],
  "client/transport": ["src/crypto", "src/protocol"],
  "client/smp": ["src/crypto", "src/protocol", "client/transport"],
  "client/ntf": ["src/crypto", "src/protocol", "client/transport"],
  "client/store": ["src/crypto"],
  "client/ratchet": ["src/crypto", "src/protocol"],
  "client/agent": [
    "src/crypto",
    "src/protocol",
    "client/ratchet",
    "client/store",
    "client/smp",
    "client/ntf",
    "client/transport",
  ],
  "client/chat": ["src/crypto", "src/protocol", "client/agent", "client/store"],
  "client/archive": ["src/crypto", "src/protocol", "client/ratchet", "client/agent", "client/chat", "client/store"],
  "client/terminal": ["src/crypto", "src/protocol", "client/agent", "client/chat", "client/store", "client/node"],
  // The page and its worker; the relay only serves what is built of it.
  "client/web": ["src/crypto", "src/protocol", "client/agent", "client/chat", "client/store"],
  "client/node": ["src/crypto", "src/protocol", "client/store", "client/chat", "client"],
};
/** Small files beside the client's floors that all of them may use. */
const CLIENT_GROUND = new Set(["client/errors.ts", "client/clock.ts", "client/mailbox.ts"]);

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

function roomOf(file: string): string {
  if (CLIENT_GROUND.has(file)) return "client ground";
  const [top = "", second = ""] = file.split("/");
  return file === "client/index.ts" ? "client" : `${top}/${second}`;
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
  return specifiers.flatMap((specifier) => {
    if (specifier.startsWith("#crypto/") || specifier === "#native") return ["src/crypto/x.ts"];
    if (specifier.startsWith("#protocol/")) return ["src/protocol/x.ts"];
    return specifier.startsWith(".") ? [relative(ROOT, resolve(ROOT, dirname(file), specifier))] : [];
  });
}

const files = [...sources("src"), ...sources("client")];

describe("the house", () => {
  it("has arrows that go down only", () => {
    const wrong = files.flatMap((file) => {
      const room = roomOf(file);
      const ground = room.startsWith("client") ? ["client ground"] : [];
      const allowed = new Set([...(MAY_IMPORT[room] ?? []), room, ...ground]);
      if (room === "client") return [];
      return importsOf(file)
        .filter((target) => !allowed.has(roomOf(target)) && !(room === "client ground" && roomOf(target).startsWith("src/")))
        .map((target) => `${file} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it("imports nobody's index, and the rules and floors know no platform", () => {
    const indexes = files.flatMap((file) => importsOf(file).filter((target) => target.endsWith("/index.ts") && !file.startsWith("client/node")));
    expect(indexes).toEqual([]);
    const pure = files.filter((file) => /^src\/(crypto|protocol|tls|relay|push)\//.test(file) && !file.endsWith("native/node.ts"));
    const impure = pure.filter((file) => /"(?:node|cloudflare):/.test(readFileSync(join(ROOT, file), "utf8")));
    expect(impure).toEqual([]);
  });

  it("knows every room that there is", () => {
    const rooms = new Set(files.map(roomOf));
    rooms.delete("client");
    rooms.delete("client ground");
    expect([...rooms].filter((room) => !(room in MAY_IMPORT))).toEqual([]);
  });
});
