import type { IncomingMessage, ServerResponse } from "node:http";
import type { Settings } from "../config.ts";
import { reasonOf } from "./gateway/reason.ts";
import { type Resolve, resolveName } from "./push-sender/addresses.ts";
import { type PostAnswer, PostFailed, readPost } from "./push-sender/post.ts";
import { isOfOperator, posterOf } from "./push-sender/poster.ts";

/** What the simulator calls for a `node-handler` binding. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** What the sender of pushes uses of the machine; tests bring their own. */
export interface PushSenderOptions {
  readonly resolve?: Resolve;
  /** Told in one line what the operator should know, the same at most every ten minutes. */
  readonly onTrouble?: (text: string) => void;
  /** Milliseconds for one push, from its arrival here to the end of its answer. */
  readonly time?: number;
  /** Pushes to hosts that strangers name, under way or waiting. */
  readonly most?: number;
}

/** Milliseconds. */
const TIME = 30_000;
const TELL_PAUSE = 600_000;

const tellOperator = (text: string): void => void process.stderr.write(`smp-edge push: ${text}\n`);

/**
 * The `PUSHES` binding of a local relay: posts what the Worker gives it to where the URL says, over HTTP/2 to Apple,
 * over HTTP/1.1 to everybody else. workerd speaks no HTTP/2 and would look names up without judging what they lead to.
 * Always https, whatever the URL's scheme: it does not arrive here. A push without an answer has none for the Worker
 * either, whose `fetch` throws.
 */
export function pushSender(settings: Settings, options: PushSenderOptions = {}): NodeHandler {
  const { resolve = resolveName, onTrouble = tellOperator, time = TIME, most } = options;
  const post = posterOf(settings, resolve, most);
  const told = new Map<string, number>();

  const tell = (text: string): void => {
    const now = performance.now();
    if (now - (told.get(text) ?? Number.NEGATIVE_INFINITY) < TELL_PAUSE) return;
    told.set(text, now);
    onTrouble(text);
  };

  const send = async (request: IncomingMessage, signal: AbortSignal): Promise<PostAnswer> => {
    const asked = await readPost(request);
    try {
      return await post(asked, signal);
    } catch (error) {
      if (isOfOperator(asked, settings) && !signal.aborted) tell(`${asked.host} does not answer (${reasonOf(error)})`);
      throw error;
    }
  };

  return async (request, response) => {
    const gone = new AbortController();
    response.once("close", () => gone.abort(new PostFailed("the relay does not wait any more")));
    const late = setTimeout(() => gone.abort(new PostFailed("no answer in time")), time);
    try {
      const { status, headers, body } = await send(request, gone.signal);
      response.writeHead(status, headers).end(body);
    } catch {
      response.destroy();
    } finally {
      clearTimeout(late);
    }
  };
}
