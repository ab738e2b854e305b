import { describe, expect, it } from "vitest";
import { parseServerAddress } from "#protocol/address";
import { chooseProfile, CommandLineError, defaultFolder, parseNumber } from "../../client/terminal/options.ts";
import { findRelay, formatRelay, parseRelay, urlFinder } from "../../client/terminal/relays.ts";

const ADDRESS = "smp://KDtmotwyXbvjHFCk0fonT_-U1a33CqmAT-NfL9vTKr4=@relay.example.org,other.example.org:5223";

describe("relays as people name them", () => {
  it("are an address, or an address and the WebSocket behind it", () => {
    expect(formatRelay(parseRelay(ADDRESS))).toBe(ADDRESS);
    const both = parseRelay(`${ADDRESS} ws://127.0.0.1:8787`);
    expect(both.url).toBe("ws://127.0.0.1:8787/");
    expect(parseRelay(formatRelay(both))).toEqual(both);
    expect(parseRelay(`${ADDRESS},wss://example.org/`).url).toBe("wss://example.org/");
  });

  it("are reached where they are said to be, and no other one is", () => {
    const relay = parseRelay(`${ADDRESS} ws://127.0.0.1:8787`);
    const urlOf = urlFinder([relay]);
    expect(urlOf(relay.server)).toBe("ws://127.0.0.1:8787/");
    expect(urlOf({ ...relay.server, port: "443" })).toBeUndefined();
    expect(urlOf({ ...relay.server, keyHash: new Uint8Array(32) })).toBeUndefined();
    expect(urlFinder([parseRelay(ADDRESS)])(parseServerAddress(ADDRESS))).toBeUndefined();
  });

  it.each(["", "smp://x", `${ADDRESS} http://x`, `${ADDRESS} ${ADDRESS}`, "relay.example.org"])("are not %j", (text) => {
    expect(() => parseRelay(text)).toThrow(CommandLineError);
  });

  it("are not asked who they are where anybody could answer", async () => {
    await expect(findRelay("http://relay.example.org/")).rejects.toThrow(/is not https/u);
    await expect(findRelay("http://127.0.0.1:1/")).rejects.toThrow(/npx smp-edge start/u);
  });
});

describe("options", () => {
  it("come from the command line, then from the environment", () => {
    const environment = { SMP_EDGE_DB: "/env", SMP_EDGE_USER: "env", SMP_EDGE_RELAY: "local\n\nsmp://x", SMP_EDGE_PASSPHRASE: "p" };
    expect(chooseProfile({}, environment)).toMatchObject({ folder: "/env", user: "env", relays: ["local", "smp://x"], passphrase: "p" });
    expect(chooseProfile({ db: "/db", user: "u", relay: ["r"], proxy: "always" }, environment)).toMatchObject({
      folder: "/db",
      user: "u",
      relays: ["r"],
      proxy: "always",
    });
    expect(chooseProfile({}, { XDG_DATA_HOME: "/xdg" }).folder).toBe("/xdg/smp-edge/chat");
    expect(defaultFolder({})).toMatch(/smp-edge.chat$/u);
  });

  it("are refused when they make no sense", () => {
    expect(() => chooseProfile({ proxy: "sometimes" }, {})).toThrow(CommandLineError);
    expect(() => chooseProfile({ "passphrase-fd": "x" }, {})).toThrow(CommandLineError);
    expect(() => parseNumber("count", "0")).toThrow(CommandLineError);
    expect(() => parseNumber("count", "1.5")).toThrow(CommandLineError);
    expect(parseNumber("timeout", "0", 0)).toBe(0);
  });
});
