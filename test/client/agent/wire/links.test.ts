import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { base64url, base64urlUnpadded, fromUtf8, utf8 } from "#crypto/bytes";
import { encodePublicKey, generateKeyPair } from "#crypto/keys";
import { formatQueueUri, parseQueueUri, parseServerAddress } from "#protocol/address";
import { decode, encode } from "#protocol/codec";
import { smpQueueInfo } from "#protocol/queue-address";
import { PRESET_SERVERS } from "../../../../client/agent/preset-servers.ts";
import {
  type ConnectionRequest,
  formatConnectionRequest,
  parseConnectionRequest,
} from "../../../../client/agent/wire/connection-request.ts";
import { formatLink, type Link, MAX_LINK_LENGTH, parseLink } from "../../../../client/agent/wire/link.ts";
import { LinkError, type LinkFailure } from "../../../../client/agent/wire/link-error.ts";
import { formatShortLink, sameShortLink } from "../../../../client/agent/wire/short-link.ts";
import * as some from "../../../support/agent-arbitrary.ts";
import { bytes } from "../../../support/arbitrary.ts";
import { mutated, mutations } from "../../../support/mutate.ts";

const HASH = base64url(new Uint8Array(32).fill(7));
const DH = base64url(encodePublicKey(generateKeyPair("X25519").publicKey));
const X448 = base64url(encodePublicKey(generateKeyPair("X448").publicKey));
const QUEUE = `smp://${HASH}@relay.example/c2VuZGVy#/?v=1-4&dh=${encodeURIComponent(DH)}&q=m&k=s`;
const [DH_TEXT, X448_TEXT] = [encodeURIComponent(DH), encodeURIComponent(X448)];
const E2E = `v=2-3&x3dh=${X448},${X448}`;
const INVITATION = `invitation#/?v=2-7&smp=${encodeURIComponent(QUEUE)}&e2e=${encodeURIComponent(E2E)}`;
const CONTACT = `contact#/?v=2-7&smp=${encodeURIComponent(QUEUE.replace("q=m&k=s", "q=c"))}`;
const KEY = base64urlUnpadded(new Uint8Array(32).fill(9));
const ID = base64urlUnpadded(new Uint8Array(24).fill(5));

function failureOf(text: string): LinkFailure {
  try {
    parseLink(text);
  } catch (error) {
    if (error instanceof LinkError) return error.failure;
    throw error;
  }
  throw new Error(`'${text}' was accepted`);
}

describe("what a person pastes", () => {
  const plain = parseLink(`simplex:/${INVITATION}`);

  test.each([
    ["with white space around it", `\n\t simplex:/${INVITATION} \r\n`],
    ["as a web page", `https://simplex.chat/${INVITATION}`],
    ["as a page of any other host, with a port", `https://links.example:8443/${INVITATION}`],
    ["as a page of an IPv6 host", `https://[::1]/${INVITATION}`],
    ["with a slash before the fragment", `https://simplex.chat/${INVITATION.replace("#", "/#")}`],
    ["with the scheme in capitals", `Simplex:/${INVITATION}`],
    ["with a parameter that is not known", `simplex:/${INVITATION}&more=1`],
    ["with its parameters in another order", `simplex:/${reordered(INVITATION)}`],
  ])("an invitation %s", (_, text) => {
    expect(parseLink(text)).toStrictEqual(plain);
  });

  function reordered(link: string): string {
    const [path = "", query = ""] = link.split("?");
    return `${path}?${query.split("&").toReversed().join("&")}`;
  }

  test.each([
    ["words", "hello"],
    ["nothing", " "],
    ["an address of a relay", `smp://${HASH}@relay.example`],
    ["an address of a queue", QUEUE],
    ["a web page", "https://simplex.chat/"],
    ["a link without encryption", `http://simplex.chat/${INVITATION}`],
    ["a link of a kind that is not known", "simplex:/x#abc"],
    ["a file link", "simplex:/file#/?desc=abc"],
    ["two links", `simplex:/${INVITATION} simplex:/${INVITATION}`],
    ["an invitation without keys", `simplex:/${INVITATION.split("&e2e")[0]}`],
    ["an invitation without a queue", "simplex:/invitation#/?v=2-7&smp=&e2e=x"],
    ["an invitation without versions", `simplex:/${INVITATION.replace("v=2-7&", "")}`],
    ["an invitation of an impossible version", `simplex:/${INVITATION.replace("v=2-7", "v=7-2")}`],
    ["an invitation of an absurd version", `simplex:/${INVITATION.replace("v=2-7", "v=2-70000")}`],
    ["an invitation with one key", `simplex:/${INVITATION.replace(encodeURIComponent(`,${X448}`), "")}`],
    ["an invitation with a key of another kind", `simplex:/${INVITATION.replaceAll(X448_TEXT, DH_TEXT)}`],
    ["a link whose end is missing", `simplex:/${INVITATION.slice(0, -20)}`],
    ["a page on a host that is none", `https://./${INVITATION}`],
    ["megabytes", `simplex:/${INVITATION}&data=${"a".repeat(MAX_LINK_LENGTH)}`],
    ["a short link with a damaged fingerprint", `https://relay.example/a#${KEY}?c=AAAA`],
    ["a short link with an impossible port", `https://relay.example/a#${KEY}?p=70000&c=${HASH}`],
    ["a short link with a host that is longer than any", `simplex:/a#${KEY}?h=${"a".repeat(256)}&c=${HASH}`],
    ["a short link with a host that is none", `simplex:/a#${KEY}?h=a%20b&c=${HASH}`],
  ])("%s is no link", (_, text) => {
    expect(failureOf(text)).toBe("SYNTAX");
  });
});

describe("long links", () => {
  test("old addresses that were published stay usable: their versions are raised", () => {
    const versionsOf = (range: string) => parseLink(`simplex:/${CONTACT.replace("v=2-7", `v=${range}`)}`);
    expect(versionsOf("1")).toMatchObject({ agentVersions: { min: 2, max: 2 } });
    expect(versionsOf("1-3")).toMatchObject({ agentVersions: { min: 2, max: 3 } });
    expect(versionsOf("3-9")).toMatchObject({ agentVersions: { min: 3, max: 9 } });
    expect(parseLink(`simplex:/${INVITATION.replace("v=2-7", "v=1")}`)).toMatchObject({ agentVersions: { min: 1, max: 1 } });
  });

  test("queue addresses of the first versions are understood, and get the onion host that is known", () => {
    const server = `smp://${HASH}@smp8.simplex.im`;
    const old = parseQueueUri(`${server}/c2VuZGVy#${DH}`);
    expect(old).toMatchObject({ clientVersions: { min: 1, max: 1 }, mode: null });
    expect(old.server.hosts).toStrictEqual(["smp8.simplex.im", expect.stringMatching(/\.onion$/)]);
    const link = `simplex:/contact#/?v=1&smp=${encodeURIComponent(`${server}/c2VuZGVy#${DH}`)}`;
    expect(parseLink(link)).toMatchObject({ type: "contact", queues: [old] });
    expect(parseQueueUri(`${server}/c2VuZGVy#/?v=1-4&dh=${DH}`).server.hosts).toStrictEqual(["smp8.simplex.im"]);
    const { hosts } = parseQueueUri(`${server},b.example/c2VuZGVy#/?v=1&dh=${DH}`).server;
    expect(hosts).toStrictEqual(["smp8.simplex.im", "b.example"]);

    const { clientVersions: _, ...address } = old;
    expect(decode(smpQueueInfo, encode(smpQueueInfo, { clientVersion: 1, ...address }))).toStrictEqual({
      clientVersion: 1,
      ...address,
    });
  });

  test("client data comes through whatever characters it has", () => {
    const request = { ...parseConnectionRequest(`simplex:/${CONTACT}`), clientData: "{\"a\": \"+&=#%;ü😀\"}" };
    const text = formatLink(request);
    expect(text).toMatch(/^simplex:\/contact#\/\?[\w.~%&=-]+$/);
    expect(parseLink(text)).toStrictEqual(request);
  });

  test("a plus sign is a space, as in any query", () => {
    expect(parseLink(`simplex:/${CONTACT}&data=a+b`)).toMatchObject({ clientData: "a b" });
  });

  test("several queues keep their order", () => {
    const other = QUEUE.replace("relay.example", "other.example");
    const link = parseConnectionRequest(`simplex:/${INVITATION.replace("&e2e", `${encodeURIComponent(`;${other}`)}&e2e`)}`);
    expect(link.queues.map(formatQueueUri)).toStrictEqual([QUEUE, other]);
  });

  test("every link comes out as it went in, in every scheme", () => {
    fc.assert(
      fc.property(some.request, fc.constantFrom("simplex:" as const, "https://simplex.chat" as const), (request, scheme) => {
        expect(parseLink(formatConnectionRequest(request, scheme))).toStrictEqual(wellFormed(request));
      }),
    );
  });

  /** Half a surrogate pair has no bytes. */
  function wellFormed(request: ConnectionRequest): ConnectionRequest {
    return { ...request, clientData: request.clientData?.toWellFormed() ?? null };
  }
});

describe("short links", () => {
  const official = `https://smp8.simplex.im/a#${KEY}`;

  test("one of an official server has its fingerprint and onion host from the list", () => {
    const link = parseLink(official);
    const { password: _, ...server } = parseServerAddress(
      "smp://0YuTwO05YJWS8rkjn9eLJDjQhFKvIYd8d4xG8X1blIU=@smp8.simplex.im,"
        + "beccx4yfxxbvyhqypaavemqurytl6hozr47wfc7uuecacjqdvwpw2xid.onion",
    );
    expect(link).toMatchObject({ type: "short", mode: "contact", kind: "contact", server });
    expect(formatLink(link, { scheme: "https", knownServers: PRESET_SERVERS })).toBe(official);
    expect(parseLink(formatLink(link), [])).toStrictEqual(link);
  });

  test("the official servers are different ones", () => {
    expect(new Set(PRESET_SERVERS.map(({ hosts }) => hosts[0])).size).toBe(PRESET_SERVERS.length);
    expect(PRESET_SERVERS.every(({ hosts, port }) => hosts.length === 2 && port === "")).toBe(true);
  });

  test("a server with an official name and another fingerprint is not shortened, nor replaced", () => {
    const link = parseLink(`${official}?c=${HASH}`);
    expect(link).toMatchObject({ server: { hosts: ["smp8.simplex.im"], keyHash: new Uint8Array(32).fill(7) } });
    expect(formatLink(link, { scheme: "https", knownServers: PRESET_SERVERS })).toContain("?c=");
  });

  test.each([
    ["an unknown server without a fingerprint", `https://relay.example/a#${KEY}`, "SERVER"],
    ["a known server with a port, which is another one", `${official}?p=9999`, "SERVER"],
    ["no server at all", `simplex:/a#${KEY}`, "SERVER"],
    ["a key that is too short", `https://relay.example/a#AAAA?c=${HASH}`, "KEY"],
    ["a link id that is too short", `https://relay.example/i#AAAA/${KEY}?c=${HASH}`, "KEY"],
  ] as const)("%s", (_, text, failure) => {
    expect(failureOf(text)).toBe(failure);
  });

  test.each([
    [`https://relay.example/a/#${KEY}?c=${HASH}`, { mode: "contact", kind: "contact" }],
    [`https://relay.example/G#${KEY}?c=${HASH}`, { mode: "contact", kind: "group" }],
    [`https://[2001:db8::1]/c#${KEY}?c=${HASH}`, { kind: "channel", server: { hosts: ["2001:db8::1"] } }],
    [`https://a.example/i#${ID}/${KEY}?h=b.example%2C%5B%3A%3A1%5D&p=443&c=${HASH}`, {
      mode: "invitation",
      server: { hosts: ["a.example", "b.example", "::1"], port: "443" },
    }],
  ])("%s", (text, expected) => {
    expect(parseLink(text)).toMatchObject(expected);
  });

  test("every link comes out as it went in, in both schemes", () => {
    fc.assert(
      fc.property(some.shortLink, fc.constantFrom("simplex" as const, "https" as const), (link, scheme) => {
        expect(parseLink(formatShortLink(link, scheme))).toStrictEqual(link);
        expect(parseLink(formatLink(link, { scheme, knownServers: [link.server] }), [link.server])).toStrictEqual(link);
      }),
    );
  });

  test("a known server's usual ports need not be said, any other one must", () => {
    const known = PRESET_SERVERS.slice(0, 1);
    const shown = (port: string) => {
      const link = parseLink(`${official}?p=${port}&c=0YuTwO05YJWS8rkjn9eLJDjQhFKvIYd8d4xG8X1blIU`);
      return formatLink(link, { scheme: "https", knownServers: known });
    };
    expect([shown("443"), shown("5223")]).toStrictEqual([official, official]);
    expect(shown("5224")).toContain("?p=5224&c=");
  });

  test("links are the same when kind, place and secret are", () => {
    const link = parseLink(official);
    const same = (text: string) => {
      const other = parseLink(text);
      return link.type === "short" && other.type === "short" && sameShortLink(link, other);
    };
    expect(same(formatLink(link))).toBe(true);
    expect(same(official.replace("/a#", "/g#"))).toBe(false);
    expect(same(official.replace("smp8", "smp9"))).toBe(false);
    expect(same(official.replace(KEY, base64urlUnpadded(new Uint8Array(32))))).toBe(false);
    expect(same(`https://smp8.simplex.im/i#${ID}/${KEY}`)).toBe(false);
  });
});

describe("hostile links", () => {
  /** Fails unless the text is a link or is refused with a LinkError. */
  function tryParse(text: string): Link | undefined {
    try {
      return parseLink(text);
    } catch (error) {
      if (!(error instanceof LinkError)) throw new Error("another error than a LinkError", { cause: error });
      return undefined;
    }
  }

  const lenient = new TextDecoder();

  test("random text behind every beginning", () => {
    const heads = ["", "simplex:/", "https://", "simplex:/contact#/?v=2-7&smp=", "simplex:/a#", "https://h/i#"];
    const starts = [...heads, `simplex:/${INVITATION}`];
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.string({ unit: "binary", maxLength: 200 }), (start, text) => {
        tryParse(start + text);
        tryParse(start + encodeURIComponent(text.toWellFormed()));
      }),
      { numRuns: 3000 },
    );
  });

  test("a link that is cut, or damaged, is refused or can be written again", () => {
    const links = fc.oneof(some.request, some.shortLink).map((link) => utf8(formatLink(link)));
    fc.assert(
      fc.property(links, mutations, (link, list) => {
        const parsed = tryParse(lenient.decode(mutated(link, list)));
        if (parsed) expect(tryParse(formatLink(parsed))).toBeDefined();
      }),
      { numRuns: 1500 },
    );
  });

  test("every beginning of a link", () => {
    fc.assert(
      fc.property(fc.oneof(some.request, some.shortLink), (link) => {
        const text = formatLink(link);
        for (let length = 0; length < Math.min(text.length, 600); length++) tryParse(text.slice(0, length));
      }),
      { numRuns: 4 },
    );
  });

  test("long runs of what the patterns repeat take no long time", () => {
    const queue = "simplex:/contact#/?v=1&smp=";
    const keys = "simplex:/invitation#/?v=2-7&e2e=";
    const short = ["simplex:/a#", `simplex:/a#${KEY}?h=`];
    const starts = ["", "https://", "https://[", ...short, keys, queue, `${queue}smp://${HASH}@`, `simplex:/${CONTACT}`];
    const runs = ["/", "#", "A", "=", "-", ".", "%", ",", ":", "[", "?", "&", "simplex:/", ";smp://", "%2C", "%3A"];
    const began = performance.now();
    for (const run of runs) {
      for (const start of starts) {
        const count = Math.floor((MAX_LINK_LENGTH - start.length - 1) / run.length);
        tryParse(`${start}${run.repeat(count)}`);
        tryParse(`${start}${run.repeat(count)}!`);
      }
    }
    // Linear work is done in a tenth of a second; what backtracks takes minutes.
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  test("bytes of any kind as client data", () => {
    fc.assert(
      fc.property(bytes(0, 60), (data) => {
        const escaped = Array.from(data, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
        const link = tryParse(`simplex:/${CONTACT}&data=${escaped}`);
        expect(link).toBeDefined();
        if (link && link.type !== "short") fromUtf8(utf8(link.clientData ?? ""));
      }),
    );
  });
});
