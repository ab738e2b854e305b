import { vi } from "vitest";
import { fromUtf8 } from "#crypto/bytes";
import { webPushToken, type WebPushToken } from "#protocol/ntf/token";
import { WebPushReceiver } from "./web-push-receiver.ts";

/** A push as its service got it. */
export interface Posted {
  readonly headers: Headers;
  /** What the receiver finds in it. */
  readonly json: unknown;
  readonly at: number;
}

/** One browser's endpoint. `answers` is asked what the service says to each push. */
export interface Endpoint {
  readonly token: WebPushToken;
  readonly url: string;
  readonly got: Posted[];
  answer: () => Response | Promise<Response>;
  /** Attempts, also those that were answered with an error. */
  attempts: number;
  next(count: number): Promise<readonly Posted[]>;
}

/** Stands in for all push services of the world: takes the place of the `fetch` by which the relay reaches them. */
export class PushInbox {
  readonly #endpoints = new Map<string, { readonly endpoint: Endpoint; readonly receiver: WebPushReceiver }>();
  #count = 0;

  /** Until `vi.restoreAllMocks`. */
  listen(): this {
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const request = new Request(input as RequestInfo, init);
      const found = this.#endpoints.get(request.url);
      if (!found) throw new Error(`nobody is at ${request.url}`);
      const { endpoint, receiver } = found;
      endpoint.attempts++;
      const answer = await endpoint.answer();
      if (answer.status >= 300) return answer;
      const json: unknown = JSON.parse(fromUtf8(receiver.open(new Uint8Array(await request.arrayBuffer()))));
      endpoint.got.push({ headers: request.headers, json, at: Date.now() });
      return answer;
    });
    return this;
  }

  subscribe(): Endpoint {
    const receiver = new WebPushReceiver();
    const url = `https://push.example.net/${++this.#count}/${crypto.randomUUID()}`;
    const got: Posted[] = [];
    const endpoint: Endpoint = {
      token: webPushToken(url, receiver.auth, receiver.p256dh),
      url,
      got,
      attempts: 0,
      answer: () => new Response(null, { status: 201 }),
      next: async (count) => {
        await vi.waitFor(() => {
          if (got.length < count) throw new Error(`${got.length} pushes instead of ${count}`);
        }, { timeout: 8000, interval: 10 });
        return got.splice(0);
      },
    };
    this.#endpoints.set(url, { endpoint, receiver });
    return endpoint;
  }
}
