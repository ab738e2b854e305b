import { once } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import type { LookupFunction } from "node:net";
import { type Post, type PostAnswer, PostFailed, type Poster, readAnswer } from "./post.ts";

/** Milliseconds until TLS is through. */
export const CONNECT_TIME = 10_000;
/** Milliseconds for which a connection is kept that nobody uses; the most common servers keep theirs as long or longer. */
const IDLE = 15_000;
/** Connections of one host that are kept. */
const KEPT = 4;

function limitConnecting(asked: ClientRequest): void {
  const late = setTimeout(() => asked.destroy(new PostFailed("no connection in time")), CONNECT_TIME);
  const done = (): void => clearTimeout(late);
  asked.on("socket", (socket) => {
    if (socket.connecting) socket.once("secureConnect", done);
    else done();
  });
  asked.once("close", done);
}

/** HTTP/1.1 over TLS with kept connections. `sockets`: at most so many of one host. No redirect is followed. */
export function http1Poster(lookup: LookupFunction, sockets: number): Poster {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets, maxFreeSockets: KEPT, timeout: IDLE });

  const attempt = async (post: Post, signal: AbortSignal, used: Agent | false): Promise<PostAnswer | null> => {
    const { host, port, path, headers, body } = post;
    const asked = request({ agent: used, host, port, path, method: "POST", headers, lookup, signal, rejectUnauthorized: true });
    limitConnecting(asked);
    // What happens after the first event is told by the answer's body too.
    asked.on("error", () => undefined);
    asked.end(body);
    try {
      const [response] = await once(asked, "response") as [IncomingMessage];
      return await readAnswer(response.statusCode ?? 0, response.headers, response);
    } catch (error) {
      // The host closed a kept connection while this request was on its way to it.
      const isStale = asked.reusedSocket && error instanceof Error && "code" in error && error.code === "ECONNRESET";
      if (isStale && !signal.aborted) return null;
      throw error;
    }
  };

  return async (post, signal) => await attempt(post, signal, agent) ?? await attempt(post, signal, false) as PostAnswer;
}
