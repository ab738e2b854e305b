import { describe, expect, test } from "vitest";
import { fromHex, hex } from "#crypto/bytes";
import { formatQueueUri, parseQueueUri, parseServerAddress, type Server } from "#protocol/address";
import { decode, encode } from "#protocol/codec";
import { queueInfoOf, queueUri, queueUriOf, smpQueueInfo } from "#protocol/queue-address";
import {
  connectionRequest,
  type ConnectionRequest,
  formatConnectionRequest,
  parseConnectionRequest,
} from "../../client/agent/wire/connection-request.ts";
import { formatLink, parseLink } from "../../client/agent/wire/link.ts";
import { linkSecrets } from "../../client/agent/wire/link-keys.ts";
import {
  formatShortLink,
  parseShortLink,
  restoreShortLink,
  type ShortLink,
  shortLink,
  shortenShortLink,
} from "../../client/agent/wire/short-link.ts";
import { formatE2eUri } from "../../client/ratchet/parameters.ts";
import { agentVectors, binaryQueueAddresses, type ShortenedLinkJson, type ShortLinkJson } from "../support/agent-vectors.ts";

function serverFrom(text: string): Server {
  const { hosts, port, keyHash } = parseServerAddress(text);
  return { hosts, port, keyHash };
}

describe("binary queue addresses", () => {
  test.each(binaryQueueAddresses)("$uri", (entry) => {
    const uri = {
      clientVersions: { min: entry.minVersion, max: entry.maxVersion },
      server: serverFrom(entry.server),
      senderId: fromHex(entry.senderId),
      dhKey: { algorithm: "X25519", raw: fromHex(entry.dhKey.raw) },
      mode: entry.queueMode,
    } as const;
    expect(hex(encode(queueUri, uri))).toBe(entry.uriBinary);
    const { mode, server } = entry.decodedFromBinary;
    expect(decode(queueUri, fromHex(entry.uriBinary))).toStrictEqual({ ...uri, mode, server: serverFrom(server) });

    expect(entry.queueInfo.length).toBe(entry.maxVersion - entry.minVersion + 1);
    for (const info of entry.queueInfo) {
      const bytes = encode(smpQueueInfo, queueInfoOf(uri, info.version));
      expect(hex(bytes), `version ${info.version}`).toBe(info.hex);
      const decoded = decode(smpQueueInfo, bytes);
      expect(decoded.clientVersion).toBe(info.version);
      expect(hex(encode(smpQueueInfo, decoded))).toBe(info.hex);
      if (info.version === 4) expect(queueUriOf(decoded, uri.clientVersions)).toStrictEqual(uri);
    }
  });
});

describe("connection requests", () => {
  test.each(agentVectors.connectionRequests)("$mode $scheme, client data $clientData", (entry) => {
    const [min, max] = entry.agentVersions;
    const request = parseConnectionRequest(entry.link);
    expect(request).toMatchObject({ type: entry.mode, agentVersions: { min, max }, clientData: entry.clientData });
    expect(request.queues.map(formatQueueUri)).toStrictEqual(entry.queues);
    expect(request.type === "invitation" ? formatE2eUri(request.e2e) : undefined).toBe(entry.e2e);

    expect(formatConnectionRequest(request, entry.scheme)).toBe(entry.link);
    expect(formatConnectionRequest(request)).toBe(entry.link.replace(`${entry.scheme}/`, "simplex:/"));
    expect(parseLink(` \n${entry.link}\t`)).toStrictEqual(request);
    expect(formatLink(request)).toBe(formatConnectionRequest(request));

    expect(hex(encode(connectionRequest, request))).toBe(entry.binary);
    expect(decode(connectionRequest, fromHex(entry.binary))).toStrictEqual(withModes(request));
  });

  /** Binary: a queue whose oldest version has no mode reads as a contact queue. */
  function withModes(request: ConnectionRequest): ConnectionRequest {
    const [first, ...others] = request.queues.map((uri) => ({ ...uri, mode: uri.mode ?? ("contact" as const) }));
    return first ? { ...request, queues: [first, ...others] } : request;
  }

  test("an address in its current form is the same as in the vectors of queue addresses", () => {
    for (const { queues } of agentVectors.connectionRequests) {
      for (const uri of queues) expect(formatQueueUri(parseQueueUri(uri))).toBe(uri);
    }
  });
});

const KINDS = { CCTContact: "contact", CCTChannel: "channel", CCTGroup: "group", CCTRelay: "relay" } as const;

function shortLinkFrom(entry: ShortLinkJson): ShortLink {
  const common = { type: "short", server: serverFrom(entry.server), linkKey: fromHex(entry.linkKey) } as const;
  if (entry.type === "i") return { ...common, mode: "invitation", linkId: fromHex(entry.linkId) };
  return { ...common, mode: "contact", kind: KINDS[entry.type] };
}

const isShortened = (entry: ShortLinkJson | ShortenedLinkJson): entry is ShortenedLinkJson => "preset" in entry;
const isWhole = (entry: ShortLinkJson | ShortenedLinkJson): entry is ShortLinkJson => !isShortened(entry);

describe("short links", () => {
  test.each(agentVectors.shortLinks.filter(isWhole))("$link", (entry) => {
    const link = shortLinkFrom(entry);
    const scheme = entry.scheme === "SLSSimplex" ? "simplex" : "https";
    expect(formatShortLink(link, scheme)).toBe(entry.link);
    expect(formatLink(link, { scheme })).toBe(entry.link);
    expect(parseShortLink(entry.link)).toStrictEqual(link);
    expect(parseLink(`  ${entry.link}\n`)).toStrictEqual(link);
    expect(hex(encode(shortLink, link))).toBe(entry.binary);
    expect(decode(shortLink, fromHex(entry.binary))).toStrictEqual(link);

    const { linkId, boxKey } = linkSecrets(entry.mode, link.linkKey);
    expect(hex(boxKey)).toBe(entry.secretBoxKey);
    if (entry.mode === "contact") expect(linkId && hex(linkId)).toBe(entry.linkId);
    else expect(linkId).toBeNull();
  });

  test.each(agentVectors.shortLinks.filter(isShortened))("$shortened", (entry) => {
    const known = [serverFrom(entry.server)];
    const full = parseShortLink(entry.full);
    const shortened = shortenShortLink(full, known);
    expect(formatShortLink(shortened, "https")).toBe(entry.shortened);
    expect(formatLink(full, { scheme: "https", knownServers: known })).toBe(entry.shortened);
    expect(parseShortLink(entry.shortened)).toStrictEqual(shortened);
    expect(formatShortLink(restoreShortLink(shortened, known), "https")).toBe(entry.restored);
    expect(parseLink(entry.shortened, known)).toStrictEqual(full);
    expect(() => parseLink(entry.shortened, [])).toThrow(expect.objectContaining({ failure: "SERVER" }));
  });
});

describe("the examples of the specification", () => {
  const KEY_HASH = Uint8Array.from({ length: 32 }, (_, i) => i);

  test("a queue address in version 4", () => {
    const info =
      "0004010f736d702e6578616d706c652e636f6d0020000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f18"
      + "101112131415161718191a1b1c1d1e1f20212223242526272c302a300506032b656e03210007a37cbc142093c8b755dc1b10e86cb4"
      + "26374ad16aa853ed0bdfc0b2b86d1c7c4d";
    const decoded = decode(smpQueueInfo, fromHex(info));
    expect(decoded).toMatchObject({
      clientVersion: 4,
      server: { hosts: ["smp.example.com"], port: "", keyHash: KEY_HASH },
      mode: "messaging",
    });
    expect(hex(encode(smpQueueInfo, decoded))).toBe(info);
  });

  test("a contact address", () => {
    const link = "simplex:/contact#/?v=2-7&smp=smp%3A%2F%2FAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8%3D%40smp.example.com"
      + "%2FEBESExQVFhcYGRobHB0eHyAhIiMkJSYn%23%2F%3Fv%3D1-4%26dh%3DMCowBQYDK2VuAyEAB6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9_Asrht"
      + "HHw%253D%26q%3Dc";
    const request = parseLink(link);
    expect(request).toMatchObject({ type: "contact", clientData: null, queues: [{ mode: "contact" }] });
    expect(formatLink(request)).toBe(link);
  });

  test("the secrets of a link key", () => {
    const { linkId, boxKey } = linkSecrets("contact", KEY_HASH);
    expect(linkId && hex(linkId)).toBe("3232adb6fd5d0e30ab33495f6d24543458eae3aab2b1b535");
    expect(hex(boxKey)).toBe("efcfdbca49d0a09566bb06c017e29d74861ce710afa58587a698fd4b85179d4a");
    expect(hex(linkSecrets("invitation", KEY_HASH).boxKey)).toBe(
      "7f3160cc1a195495e752e2204b71508fca7c0e7bcca32935bf1f4af2ac05b787",
    );
  });
});
