import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomBytes } from "#crypto/random";
import { ConfigError, readConfig } from "../../src/config.ts";
import {
  DEFAULT_PROXY_PORTS,
  type DestinationAddress,
  parseHosts,
  parsePorts,
  type ProxyPolicy,
  readDestination,
  readHost,
  routesTo,
} from "../../src/relay/proxy-policy.ts";

const STRICT: ProxyPolicy = { isOn: true, ports: DEFAULT_PROXY_PORTS, hosts: null, allowsPrivate: false };
const OPEN: ProxyPolicy = { ...STRICT, ports: [{ from: 1, to: 65_535 }], allowsPrivate: true };
const keyHash = randomBytes(32);

const read = (host: string, policy = STRICT, port = ""): DestinationAddress | null =>
  readDestination({ hosts: [host], port, keyHash }, policy);

describe("a host", () => {
  it.each([
    "smp.example.org", "SMP8.Simplex.IM", "xn--e1afmkfd.xn--p1ai", "under_score.example.org", "a-b.c-d.org",
    "1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
    "172.15.0.1", "172.32.0.1", "192.167.1.1", "192.169.1.1", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00::1", "3fff:1000::1",
  ])("of the Internet is reached: %s", (host) => {
    expect(readHost(host).reach).toBe("public");
    expect(read(host)?.host).toBe(host.toLowerCase());
  });

  it.each([
    "localhost", "LOCALHOST", "a.localhost", "printer.local", "metadata.google.internal", "intranet", "router.lan",
    "nas.home.arpa", "db.corp", "host.localdomain",
    "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255",
    "::1", "0:0:0:0:0:0:0:1", "fc00::1", "fdff:ffff::1", "fe80::1", "febf::1",
  ])("of one's own network is reached only where the operator wants it: %s", (host) => {
    expect(readHost(host).reach).toBe("private");
    expect(read(host)).toBeNull();
    expect(read(host, OPEN)?.isPrivate).toBe(true);
  });

  it.each([
    "0.0.0.0", "0.1.2.3", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.7",
    "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    // IPv4 in other forms than four decimal numbers.
    "127.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "1.1.1.256", "127.0.0.01", "1.1.1.0x1",
    // IPv4 inside IPv6, and what else leads elsewhere.
    "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:1.1.1.1", "::127.0.0.1", "::", "64:ff9b::7f00:1", "64:ff9b:1::1",
    "2002:7f00:1::", "2001::1", "2001:1ff::1", "2001:db8::1", "3fff::1", "ff02::1", "fec0::1", "100::1", "4000::1",
    "::1%lo", "fe80::1%eth0", "1::2::3", ":", "::g",
    // Names that are none, or mean another host than they seem to.
    "localhost.", "example.org.", ".", "", " ", "a..b", ".a.org", "-a.org", "a-.org", "*.example.org", "a b.org",
    "user@example.org", "user:pw@example.org", "example.org@127.0.0.1", "example.org\\@127.0.0.1", "example.org%00.org",
    "example.org?x", "%6c%6fcalhost", "ⓛocalhost", "exämple.org", "１２７.0.0.1", "127。0。0。1", "example.org\u0000",
    "abc.onion", "sub.abc.onion", "x.i2p", `${"a".repeat(64)}.org`, `${"a.".repeat(127)}org`,
  ])("that leads nowhere good is refused whatever the operator wants: %j", (host) => {
    expect(readHost(host).reach).toBe("nowhere");
    expect(read(host, OPEN)).toBeNull();
  });

  it("is never taken for public where the URL standard sees an address of one's own network", () => {
    const numbers = fc.array(fc.oneof(fc.nat(300), fc.nat()), { minLength: 1, maxLength: 4 });
    const form = fc.constantFrom<(n: number) => string>(String, (n) => `0x${n.toString(16)}`, (n) => `0${n.toString(8)}`);
    fc.assert(fc.property(numbers, fc.array(form, { minLength: 4, maxLength: 4 }), (parts, forms) => {
      const host = parts.map((part, i) => forms[i]?.(part) ?? "").join(".");
      const url = `http://${host}/`;
      const seen = URL.canParse(url) ? new URL(url).hostname : null;
      // Whoever connects must see the very address that the policy has judged.
      if (readHost(host).reach === "public") expect(seen).toBe(host);
    }));
  });

  it("may be written as hostile as can be: what is let through is what DNS or four numbers are", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
      const { host, reach } = readHost(text);
      if (reach !== "nowhere" && !host.includes(":")) expect(new URL(`https://${host}/`).hostname).toBe(host);
    }));
  });
});

describe("a server", () => {
  it("is reached at the first of its hosts that is no onion", () => {
    const server = { hosts: ["abc.onion", "smp.example.org", "other.example.org"], port: "", keyHash };
    expect(readDestination(server, STRICT)?.host).toBe("smp.example.org");
    expect(readDestination({ ...server, hosts: ["abc.onion"] }, STRICT)).toBeNull();
    expect(readDestination({ ...server, hosts: ["10.0.0.1", "smp.example.org"] }, STRICT)).toBeNull();
  });

  it("is reached at the ports that are allowed, each written as a number is", () => {
    for (const port of ["443", "5223", ""]) expect(read("smp.example.org", STRICT, port)).not.toBeNull();
    const others = ["22", "25", "80", "8443", "0", "65536", "05223", "5223 ", "+443", "4e2", "-1", "https"];
    for (const port of others) expect(read("smp.example.org", STRICT, port), port).toBeNull();
    expect(read("smp.example.org", OPEN, "65536")).toBeNull();
    expect(read("smp.example.org", OPEN, "8443")?.port).toBe(8443);
  });

  it("must have a fingerprint that a certificate can have", () => {
    for (const length of [0, 31, 33, 64]) {
      const server = { hosts: ["smp.example.org"], port: "", keyHash: randomBytes(length) };
      expect(readDestination(server, OPEN)).toBeNull();
    }
  });

  it("may have to be on the operator's list", () => {
    const policy = { ...STRICT, hosts: parseHosts("smp.example.org, .simplex.im,2a00::1") };
    for (const host of ["smp.example.org", "SMP.example.org", "smp8.simplex.im", "a.b.simplex.im", "2a00:0::1"]) {
      expect(read(host, policy), host).not.toBeNull();
    }
    for (const host of ["example.org", "x.smp.example.org", "simplex.im", "notsimplex.im", "1.1.1.1"]) {
      expect(read(host, policy), host).toBeNull();
    }
  });
});

describe("the ways to a server", () => {
  const ways = (host: string, port = "", policy = STRICT): string[] => {
    const destination = read(host, policy, port);
    if (!destination) return [];
    return routesTo(destination, policy).map((route) => (route.kind === "tls" ? `${route.host} ${route.port}` : route.origin));
  };

  it("are TLS first, but on the port of the web", () => {
    expect(ways("smp.example.org")).toEqual(["smp.example.org 5223", "https://smp.example.org:443"]);
    expect(ways("smp.example.org", "5223")).toEqual(["smp.example.org 5223", "https://smp.example.org:5223"]);
    expect(ways("smp.example.org", "443")).toEqual(["https://smp.example.org:443", "smp.example.org 443"]);
    expect(ways("2a00::1", "5223")).toEqual(["2a00::1 5223", "https://[2a00::1]:5223"]);
  });

  it("are only those whose port is allowed", () => {
    expect(ways("smp.example.org", "", { ...STRICT, ports: parsePorts("443") ?? [] })).toEqual(["https://smp.example.org:443"]);
    expect(ways("smp.example.org", "", { ...STRICT, ports: parsePorts("5223") ?? [] })).toEqual(["smp.example.org 5223"]);
    expect(ways("smp.example.org", "", { ...STRICT, ports: parsePorts("8000-9000") ?? [] })).toEqual([]);
  });

  it("have no certificate for a WebSocket in one's own network", () => {
    expect(ways("localhost", "8787", OPEN)).toEqual(["localhost 8787", "http://localhost:8787"]);
    expect(ways("::1", "8787", OPEN)).toEqual(["::1 8787", "http://[::1]:8787"]);
  });
});

describe("the settings of the proxy", () => {
  it("are on for the usual ports and closed to one's own network unless set", () => {
    expect(readConfig({}).proxy).toEqual(STRICT);
    expect(readConfig({ PROXY: "off" }).proxy.isOn).toBe(false);
    const set = readConfig({ PROXY_PORTS: "443, 8000-9000", PROXY_HOSTS: ".Example.org", PROXY_PRIVATE: "on" }).proxy;
    const ports = [{ from: 443, to: 443 }, { from: 8000, to: 9000 }];
    expect(set).toEqual({ isOn: true, ports, hosts: [".example.org"], allowsPrivate: true });
  });

  it.each([
    { PROXY: "yes" },
    { PROXY_PRIVATE: "1" },
    ...["", "0", "65536", "9-8", "443;5223", "443,", "a"].map((PROXY_PORTS) => ({ PROXY_PORTS })),
    ...["", "a b", "example.org:443", "https://example.org", "*.example.org", "127.1"].map((PROXY_HOSTS) => ({ PROXY_HOSTS })),
  ])("are refused when they mean nothing: %j", (settings) => {
    expect(() => readConfig(settings)).toThrow(ConfigError);
  });
});
