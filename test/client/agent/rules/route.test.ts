import { describe, expect, it } from "vitest";
import { parseServerAddress, type ServerAddress } from "#protocol/address";
import { base64url } from "#crypto/bytes";
import { chooseRoute, isUnfit, mayGoDirect, needsOtherWay, type ProxyMode } from "../../../../client/agent/rules/route.ts";
import {
  ConnectError,
  type ConnectFailure,
  DisconnectedError,
  ProtocolError,
  ProxyError,
  type ProxyFailure,
  TimeoutError,
  UnexpectedAnswerError,
} from "../../../../client/errors.ts";

/** A relay whose identity is `key`, a number. */
function relay(key: number, hosts: string): ServerAddress {
  return parseServerAddress(`smp://${base64url(new Uint8Array(32).fill(key))}@${hosts}`);
}

const home = relay(1, "home.example.org");
const second = relay(2, "second.example.org,second.onion");
const foreign = relay(9, "foreign.example.org:5223");
const OWN = [home, second];

/** The hosts of the proxies, or where a direct connection goes. */
function wayTo(mode: ProxyMode, destination: ServerAddress, own: readonly ServerAddress[] = OWN): string {
  const { proxies, direct } = chooseRoute(mode, destination, own);
  return proxies ? `through ${proxies.map(({ hosts }) => hosts[0]).join(" or ")}` : `direct to ${direct.hosts[0]}`;
}

describe("the way to a relay", () => {
  const HOME = "through home.example.org";
  const SECOND = "through second.example.org";
  const ANY = "through home.example.org or second.example.org";
  it.each<[ProxyMode, string, ServerAddress, readonly ServerAddress[], string]>([
    ["never", "a foreign one", foreign, OWN, "direct to foreign.example.org"],
    ["never", "an own one", home, OWN, "direct to home.example.org"],
    ["unknown", "a foreign one", foreign, OWN, ANY],
    ["unknown", "an own one", home, OWN, "direct to home.example.org"],
    ["unknown", "one with the host of an own one", relay(9, "home.example.org:5223"), OWN, "direct to home.example.org"],
    ["unknown", "one with own hosts only", relay(9, "second.example.org,home.example.org"), OWN, "direct to second.example.org"],
    ["unknown", "one with a stranger's host before an own one", relay(9, "new.example.org,home.example.org"), OWN, SECOND],
    ["unknown", "one of which only an onion host is known", relay(9, "new.example.org,second.onion"), OWN, HOME],
    ["unknown", "an own one by another address", relay(1, "gateway.example.org:5223"), OWN, "direct to home.example.org"],
    ["unprotected", "a foreign one", foreign, OWN, ANY],
    ["unprotected", "an own one", second, OWN, "direct to second.example.org"],
    ["always", "a foreign one", foreign, OWN, ANY],
    ["always", "an own one", home, OWN, SECOND],
    ["always", "an own one by another address", relay(1, "gateway.example.org:5223"), OWN, SECOND],
    ["always", "the only own one", home, [home], "direct to home.example.org"],
    ["always", "one at the address of the only own one", relay(9, "home.example.org"), [home], "direct to home.example.org"],
    ["always", "one on the host of an own one, rather through another host", relay(9, "home.example.org:5223"), OWN, SECOND],
    ["always", "one on the host of the only own one", relay(9, "home.example.org:5223"), [home], HOME],
    ["unknown", "a foreign one, without own ones", foreign, [], "through "],
  ])("mode %s, %s", (mode, _name, destination, own, way) => {
    expect(wayTo(mode, destination, own)).toBe(way);
  });

  it("is never through the destination itself", () => {
    for (const mode of ["always", "unknown", "unprotected", "never"] as const) {
      for (const destination of [home, second, relay(2, "elsewhere.example.org"), relay(9, "home.example.org")]) {
        const { proxies } = chooseRoute(mode, destination, OWN);
        expect(proxies ?? []).not.toContainEqual(expect.objectContaining({ keyHash: destination.keyHash }));
        expect(proxies ?? []).not.toContainEqual(expect.objectContaining({ hosts: destination.hosts, port: destination.port }));
      }
    }
  });
});

describe("going directly after all", () => {
  const path = { host: "home.example.org", destination: "foreign.example.org" };
  const proxy = (failure: ProxyFailure): ProxyError => new ProxyError(path, failure, "a test");
  const connecting = (failure: ConnectFailure): ConnectError => new ConnectError("home.example.org", failure, "a test");

  it.each<[string, Error, boolean]>([
    ["the proxy does not reach the relay by its address", proxy("host"), true],
    ["the proxy does not forward", proxy("notAllowed"), true],
    ["the proxy is too old to be asked", connecting("version"), true],
    ["the relay is down", proxy("unreachable"), false],
    ["the proxy lost its session", proxy("noSession"), false],
    ["the proxy shows another relay", proxy("identity"), false],
    ["what was forwarded is refused", proxy("refused"), false],
    ["the relay answers", new ProtocolError("foreign.example.org", "SEND", { type: "AUTH" }), false],
    ["the proxy is down", connecting("unreachable"), false],
    ["the proxy is another relay", connecting("identity"), false],
    ["the connection breaks", new DisconnectedError("home.example.org", "a test"), false],
    ["nothing comes back", new TimeoutError("home.example.org", "PFWD", 20_000), false],
    ["nonsense comes back", new UnexpectedAnswerError("home.example.org", "a test"), false],
  ])("when %s", (_name, error, isAllowed) => {
    expect(mayGoDirect({ mode: "unknown", fallback: "allow" }, error)).toBe(isAllowed);
    for (const fallback of ["allowProtected", "prohibit"] as const) {
      expect(mayGoDirect({ mode: "unknown", fallback }, error)).toBe(false);
    }
    expect(needsOtherWay(error)).toBe(isAllowed);
  });

  it("a proxy that does not forward at all is told from one that does not reach this relay", () => {
    const others = [proxy("host"), proxy("unreachable"), proxy("identity"), connecting("unreachable")];
    expect([proxy("notAllowed"), connecting("version")].map(isUnfit)).toEqual([true, true]);
    expect(others.map(isUnfit)).toEqual([false, false, false, false]);
  });
});
