import { exports } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { LinkError, readLink, type SharedLink } from "../../src/http/link/read.ts";
import texts from "../vectors/data/link-texts.json" with { type: "json" };
import { ask } from "./support.ts";

const KINDS = [
  ["i", "one-time invitation", "works only once"],
  ["a", "contact address", "works for everybody"],
  ["g", "link to a group", "works for everybody"],
  ["c", "link to a channel", "works for everybody"],
  ["r", "address of a chat relay", "works for everybody"],
  ["invitation", "one-time invitation", "works only once"],
  ["contact", "contact address", "works for everybody"],
] as const;
const PATHS = KINDS.flatMap(([path]) => [`/${path}`, `/${path}/`]);

const worker = (exports as unknown as { default: Fetcher }).default;

function visible(page: string): string {
  return page.replaceAll(/<(style|script)>[^]*?<\/\1>|<[^>]+>/g, "").replaceAll(/\s+/g, " ");
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}

const inline = (page: string, tag: string): string[] =>
  [...page.matchAll(new RegExp(`<${tag}>([^]*?)</${tag}>`, "g"))].map((match) => match[1] ?? "");

describe("the page of a link", () => {
  test.each(KINDS)("/%s says that it is a %s and that it %s", async (path, kind, care) => {
    for (const slash of ["", "/"]) {
      const response = await ask(`/${path}${slash}`);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("text/html; charset=UTF-8");
      const page = await response.text();
      expect(page).toMatch(new RegExp(`<h1>[^<]*${kind}`));
      expect(visible(page)).toContain(care);
      expect(visible(page)).toContain("In a terminal client, type /connect, a space, and paste the link.");
    }
  });

  test("of a long contact address has words for a group too, which stay hidden until the link is read", async () => {
    const page = await (await ask("/contact")).text();
    expect(page).toMatch(/<div id="group" hidden><h1>A link to a group/);
  });

  test.each(PATHS)("%s asks nothing of anybody and allows only its own style and scripts", async (path) => {
    const response = await ask(path);
    const page = await response.text();
    const hashes = async (tag: string): Promise<string> =>
      (await Promise.all(inline(page, tag).map(sha256))).map((hash) => `'sha256-${hash}'`).join(" ");
    expect(page.match(/<(style|script)\b/g)).toHaveLength(3);
    expect(response.headers.get("content-security-policy")?.split("; ").toSorted()).toEqual([
      "base-uri 'none'",
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "img-src data:",
      "require-trusted-types-for 'script'",
      `script-src ${await hashes("script")}`,
      `style-src ${await hashes("style")}`,
      "trusted-types 'none'",
    ]);
    expect(page.replaceAll(/<script>[^]*?<\/script>/g, "")).not.toMatch(/ style=| on\w+=|src=|@import|url\(/);
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("cache-control")).toBe("public, max-age=300");
  });

  test("is the same for every host and for a relay that is not set up, so caches may share it", async () => {
    const page = await (await ask("/i")).text();
    const log = vi.spyOn(console, "error");
    expect(await (await ask("/i", {}, "<script>")).text()).toBe(page);
    expect(await (await ask("/i", { NEW_QUEUES: "perhaps" }, "other.example.org")).text()).toBe(page);
    expect(await (await ask("/i?fbclid=<b>1</b>")).text()).toBe(page);
    expect(log).not.toHaveBeenCalled();
    log.mockRestore();
  });

  test("holds no empty code before its script ran, and without scripts says what to do", async () => {
    const page = await (await ask("/i")).text();
    for (const id of ["link", "code", "incomplete", "damaged", "where", "relay"]) {
      expect(page).toMatch(new RegExp(`id="${id}" hidden>`));
    }
    expect(visible(inline(page, "noscript").join())).toMatch(/Copy the whole address .* paste it in the SimpleX app/);
  });
});

describe("other requests", () => {
  test.each(PATHS)("%s answers HEAD without a body", async (path) => {
    const response = await ask(path, {}, "relay.example.org", { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(await response.text()).toBe("");
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])("%s is refused", async (method) => {
    for (const path of PATHS) {
      const response = await ask(path, {}, "relay.example.org", { method });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("GET, HEAD");
    }
  });

  const NOWHERE = ["/x", "/I", "/ii", "/i/i", "/i//", "//i", "/i/key", "/invitations", "/contact/us", "/i%23key"];
  test.each(NOWHERE)("there is nothing at %s", async (path) => {
    const response = await ask(path);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe("Nothing here. The relay's page is at /");
  });

  test.each(PATHS)("a WebSocket at %s is a client connection as anywhere else", async (path) => {
    const headers = { upgrade: "websocket" };
    const response = await worker.fetch(`https://relay.example.org${path}`, { headers });
    expect(response.status).toBe(101);
    response.webSocket?.accept();
    response.webSocket?.close(1000);
    await response.body?.cancel();
  });
});

const read = (link: string): SharedLink | null => readLink(new URL(link));

const INVITATION = texts.short.find(({ web }) => web.includes("/i#"))?.web ?? "";
const ADDRESS = texts.short.find(({ web }) => web.includes("/a#"))?.web ?? "";
const LONG_INVITATION = texts.long.find((link) => link.includes("/invitation#") && !link.includes("&data=")) ?? "";

describe("reading a link", () => {
  test.each(texts.short)("the official clients' $web", ({ web, app }) => {
    const slashed = web.replace("#", "/#");
    for (const link of [web, slashed]) expect(read(link)).toMatchObject({ web, app, isGroup: false });
    expect(read(web)?.hosts).toEqual(new URLSearchParams(app.split("?")[1]).get("h")?.split(","));
  });

  test.each(texts.long)("the official clients' %s", (web) => {
    const { host } = new URL(web);
    const link = read(web);
    expect(link).toMatchObject({ web, app: web.replace(`https://${host}/`, "simplex:/") });
    expect(link?.hosts[0]).toMatch(/^smp\d?\.example\.(?:com|org)$/);
    expect(link?.isGroup).toBe(web.includes("groupLinkId"));
  });

  test("a relay at an IPv6 address, and one on a port of this page", () => {
    expect(read(ADDRESS.replace("smp1.example.org", "[::1]"))?.app).toContain("?h=%3A%3A1&p=5223&c=");
    const link = read(ADDRESS.replace("https://smp1.example.org", "http://smp1.example.org:8787"));
    expect(link).toMatchObject({ web: ADDRESS, hosts: ["smp1.example.org"] });
  });

  test("nothing after # is no link", () => {
    for (const path of PATHS) {
      expect(read(`https://relay.example.org${path}`)).toBeNull();
      expect(read(`https://relay.example.org${path}#`)).toBeNull();
    }
  });

  test("a short link that was cut off anywhere is damaged", () => {
    for (const link of [INVITATION, ADDRESS]) {
      for (let end = link.indexOf("#") + 2; end < link.length; end++) {
        expect(() => read(link.slice(0, end)), link.slice(0, end)).toThrow(LinkError);
      }
    }
  });

  test("a long invitation that was cut off before the padding of its last key is damaged", () => {
    expect(LONG_INVITATION.endsWith("%3D")).toBe(true);
    for (let end = LONG_INVITATION.indexOf("#") + 2; end < LONG_INVITATION.length - 3; end++) {
      expect(() => read(LONG_INVITATION.slice(0, end)), `${end} characters`).toThrow(LinkError);
    }
  });

  test.each([
    [ADDRESS.replace("?", "A?"), "Its key has 44 characters, but 43 belong there."],
    [INVITATION.replace(/#[^/]+\//, "#"), "Its link id has 43 characters, but 32 belong there."],
    [INVITATION.replace("/i#", "/a#"), "Its key has 32 characters, but 43 belong there."],
    [ADDRESS.replace("?", "/more?"), "It has more parts than such a link has."],
    [`${ADDRESS}?more`, "It has more parts than such a link has."],
    [texts.shortened[0] ?? "", "Its relay's fingerprint (c=...) is missing."],
    [ADDRESS.replace("p=5223", "p=0"), "The port of its relay is none."],
    [ADDRESS.replace("p=5223", "h=a,,b%2F"), "The host of its relay is none."],
    [LONG_INVITATION.replace("#/?", "#"), "Its beginning is missing."],
    [LONG_INVITATION.replace("v=2-7&", ""), "Its version is missing."],
    [LONG_INVITATION.replace("smp%3A%2F%2F", "http%3A%2F%2F"), "The address of its queue is damaged."],
    [LONG_INVITATION.replace(/&e2e=.*/, ""), "Its first encryption key is missing."],
    [texts.long.find((link) => link.includes("kem_key"))?.replace(/(kem_key%3D.{100}).*/, "$1") ?? "",
      "Its post-quantum key has 100 characters, but 1544 belong there."],
  ])("says what is wrong with %s", (link, message) => {
    expect(() => read(link)).toThrow(new LinkError(message));
  });

  test.each([
    "javascript:alert(1)",
    "/?v=1&smp=javascript:alert(1)",
    "<img/src=x/onerror=alert(1)>",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "\"onclick=\"alert(1)",
    "\u202Ekey",
    `${"A".repeat(43)}?c=${"A".repeat(43)}&h=javascript:alert(1)//`,
    `${"A".repeat(43)}?c=${"A".repeat(43)}&x=<b>`,
  ])("lets nothing through that is no link: %s", (hash) => {
    for (const pathname of PATHS) {
      const place = { host: "relay.example.org", hostname: "relay.example.org", pathname, hash: `#${hash}` };
      expect(() => readLink(place)).toThrow(LinkError);
    }
  });

  test("whatever comes after #: an app link begins with simplex:/ and holds only characters of links", () => {
    const links = [...texts.short.map(({ web }) => web), ...texts.long];
    const WEB = /^https:\/\/relay\.example\.org(?::8443)?\/(?:[iagcr]|invitation|contact)#[\w.~%=&?/,;:@+-]+$/;
    const APP = /^simplex:\/(?:[iagcr]|invitation|contact)#[\w.~%=&?/,;:@+-]+$/;
    const piece = fc.oneof(
      fc.constantFrom(...links.map((link) => link.slice(link.indexOf("#") + 1))),
      fc.constantFrom("?", "&", "#", "/", "<b>", "\"", "'", "javascript:", "%22", "\n", "&x=1", "&h=", "A"),
      fc.string({ unit: "grapheme", maxLength: 8 }),
    );
    let readable = 0;
    fc.assert(fc.property(fc.constantFrom(...PATHS), fc.array(piece, { maxLength: 3 }), (pathname, pieces) => {
      const hash = `#${pieces.join("")}`;
      const place = { host: "relay.example.org:8443", hostname: "relay.example.org", pathname, hash };
      let link: SharedLink | null = null;
      try {
        link = readLink(place);
      } catch (error) {
        expect(error).toBeInstanceOf(LinkError);
      }
      if (!link) return;
      readable++;
      expect(link.app).toMatch(APP);
      expect(link.web).toMatch(WEB);
    }), { numRuns: 3000 });
    expect(readable).toBeGreaterThan(0);
  });
});
