import type { Settings } from "../../config.ts";
import { checkHost, judgedLookup, type Resolve } from "./addresses.ts";
import { http1Poster } from "./http1.ts";
import { Http2Host } from "./http2.ts";
import { Line } from "./line.ts";
import { type Post, PostFailed, type Poster } from "./post.ts";

/** Requests to one host at once, and such that wait: fewer where a stranger may have named the host to have it hang. */
const REQUESTS = 16;
const MAX_WAITING = { known: 256, strange: 16 } as const;
/** To all strange hosts, under way or waiting: one can name as many as one likes, and each connection takes memory. */
const MAX_PUSHES = 1_024;

/** Who answers HTTP/2 and nothing else. */
const APNS: readonly string[] = ["api.push.apple.com:443", "api.sandbox.push.apple.com:443"];
/** Hosts that the operator chose by setting them up; all others are named by users, and nobody is told of them. */
const OF_OPERATOR: ReadonlySet<string> = new Set([...APNS, "fcm.googleapis.com:443", "oauth2.googleapis.com:443"]);
/** The browsers' push services: users name them too, but none of them can make them hang. */
const OF_BROWSERS =
  /^(?:updates\.push\.services\.mozilla\.com|web\.push\.apple\.com|[a-z0-9-]+\.notify\.windows\.com):443$/;

const nameOf = ({ host, port }: Pick<Post, "host" | "port">): string => `${host}:${port}`;

function readOrigin(origin: string | undefined): string | null {
  if (origin === undefined || !URL.canParse(origin)) return null;
  const { hostname, port } = new URL(origin);
  return nameOf({ host: hostname.replaceAll(/[[\]]/g, ""), port: port === "" ? 443 : Number(port) });
}

/** Lines to hosts that are asked over HTTP/1.1; those that nobody uses are forgotten. */
class Lines {
  readonly #lines = new Map<string, Line>();
  readonly #longest: number;

  /** `longest`: how many may wait for one host. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  async run<T>(name: string, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const line = this.#lines.get(name) ?? new Line(() => REQUESTS, this.#longest);
    this.#lines.set(name, line);
    try {
      return await line.run(work, signal);
    } finally {
      if (line.isIdle) this.#lines.delete(name);
    }
  }
}

type IsStrange = (name: string) => boolean;

/** HTTP/2 to Apple and who stands in for it (the operator has vouched for that address), HTTP/1.1 to all others. */
function chooser(settings: Settings, resolve: Resolve, isStrange: IsStrange): Poster {
  const allowsPrivate = settings.PUSH_PRIVATE === "on";
  const standIn = readOrigin(settings.APNS_TEST_ORIGIN);
  const http2 = new Map<string, Http2Host>();
  const [known, strange] = [new Lines(MAX_WAITING.known), new Lines(MAX_WAITING.strange)];
  const http1 = http1Poster(judgedLookup(allowsPrivate, resolve), REQUESTS);
  return async (post, signal) => {
    const name = nameOf(post);
    const isStandIn = name === standIn;
    checkHost(post.host, allowsPrivate || isStandIn);
    if (!isStandIn && !APNS.includes(name)) {
      return await (isStrange(name) ? strange : known).run(name, () => http1(post, signal), signal);
    }
    const lookup = judgedLookup(allowsPrivate || isStandIn, resolve);
    const host = http2.get(name) ?? new Http2Host(post.host, post.port, lookup);
    http2.set(name, host);
    return await host.post(post, signal);
  };
}

/** Sends pushes within limits: of each host, and of all together that strangers name (`most`). */
export function posterOf(settings: Settings, resolve: Resolve, most = MAX_PUSHES): Poster {
  const standIn = readOrigin(settings.APNS_TEST_ORIGIN);
  const isStrange: IsStrange = (name) => name !== standIn && !OF_OPERATOR.has(name) && !OF_BROWSERS.test(name);
  const send = chooser(settings, resolve, isStrange);
  let count = 0;
  return async (post, signal) => {
    if (!isStrange(nameOf(post))) return await send(post, signal);
    if (count >= most) throw new PostFailed("too many pushes at once");
    count++;
    try {
      return await send(post, signal);
    } finally {
      count--;
    }
  };
}

/** Whether the operator set it up and wants to hear when it fails. */
export function isOfOperator(post: Post, { APNS_TEST_ORIGIN }: Settings): boolean {
  const name = nameOf(post);
  return OF_OPERATOR.has(name) || name === readOrigin(APNS_TEST_ORIGIN);
}
