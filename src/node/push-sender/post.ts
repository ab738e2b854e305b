import type { IncomingMessage } from "node:http";

/** A push on its way: always POST, always https. */
export interface Post {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** From the first `/` on. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface PostAnswer {
  readonly status: number;
  /** Only those of which a push makes something. */
  readonly headers: Readonly<Record<string, string>>;
  /** Its first bytes. */
  readonly body: Buffer;
}

/** Brings a post to its host; ends when `signal` is aborted. @throws PostFailed */
export type Poster = (post: Post, signal: AbortSignal) => Promise<PostAnswer>;

/** No answer came; the message says why. */
export class PostFailed extends Error {
  override readonly name = "PostFailed";
}

/** Of one connection only (RFC 9110, section 7.6.1), or for nobody outside. */
const DROPPED = /^(?:connection|keep-alive|host|proxy-.*|te|trailer|transfer-encoding|upgrade|(?:mf|cf)-.*)$/;
/** Providers take 4,096 bytes; access tokens are asked for with less. */
const LONGEST_BODY = 16_384;
const LONGEST_ANSWER = 8_192;
const KEPT = ["content-type", "retry-after"] as const;
const HTTPS_PORT = 443;

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LONGEST_BODY) throw new PostFailed(`a push of more than ${LONGEST_BODY} bytes`);
  }
  return Buffer.concat(chunks, length);
}

/** What the Worker asks for: the URL's host is in the Host header, its scheme is lost. @throws PostFailed */
export async function readPost(incoming: IncomingMessage): Promise<Post> {
  const { method, url: path = "/", headers: all } = incoming;
  const target = `https://${all.host ?? ""}`;
  if (method !== "POST" || !path.startsWith("/") || !URL.canParse(target)) {
    throw new PostFailed(`${method} is no push`);
  }
  const { hostname, port } = new URL(target);
  const headers = Object.entries(all).flatMap(([name, value]) =>
    typeof value === "string" && !DROPPED.test(name) ? [[name, value]] : []
  );
  return {
    host: hostname.replaceAll(/[[\]]/g, ""),
    port: port === "" ? HTTPS_PORT : Number(port),
    path,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: await readBody(incoming),
  };
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The headers that count, and as much of the body as does; what follows is not waited for. */
export async function readAnswer(status: number, all: Headers, body: AsyncIterable<Buffer>): Promise<PostAnswer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= LONGEST_ANSWER) break;
  }
  const headers = KEPT.flatMap((name) => (typeof all[name] === "string" ? [[name, all[name]]] : []));
  return {
    status,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: Buffer.concat(chunks, length).subarray(0, LONGEST_ANSWER),
  };
}
