import type { TokenStatus } from "#protocol/ntf/status";

/** `instant`: with every message. `periodic`: every 20 minutes, and the relay learns nothing of messages. */
export type PushMode = "instant" | "periodic";

/** What a browser gave out for those who push to it (Push API), and the keys that only it can decrypt with (RFC 8291). */
export interface Endpoint {
  readonly url: string;
  /** 16 bytes. */
  readonly auth: Uint8Array;
  /** Uncompressed point of P-256, 65 bytes. */
  readonly p256dh: Uint8Array;
}

/** How notifications with the page closed stand. */
export interface PushState {
  /** Null: off. */
  readonly mode: PushMode | null;
  /** `REGISTERED`: the first push is on its way. `ACTIVE`: they come. Null: off. */
  readonly status: TokenStatus | null;
  /** Whether notifications show who wrote, and what. */
  readonly isNaming: boolean;
}

/** Up to where something was told. */
export interface Mark {
  /** The conversation, or the request: of one there is one notification. */
  readonly tag: string;
  /** The newest item of it, or the latest one of the requests of the same person; empty: none. */
  readonly mark: string;
}

/** Something that is to be shown, in words. */
export interface News extends Mark {
  readonly title: string;
  readonly body: string;
  /** Where in the page it is: `#/chat/...` */
  readonly place: string;
}

/** What came of a push. */
export interface Arrival {
  /** It was the push that shows that pushes come. */
  readonly isVerification: boolean;
  /** Everything that waited was received. */
  readonly isComplete: boolean;
  readonly news: readonly News[];
}

/** What the pages and the push worker can have done by whoever has the chat. */
export interface PushApi {
  /** At every start, with what the browser says now. @throws SessionError "UNSUPPORTED", errors of relays */
  register(endpoint: Endpoint, mode: PushMode): Promise<PushState>;
  /** The browser replaced what it gave out. False: pushes are off, so that nobody wants it. */
  renew(endpoint: Endpoint): Promise<boolean>;
  setMode(mode: PushMode): Promise<PushState>;
  setNaming(isNaming: boolean): Promise<PushState>;
  remove(): Promise<PushState>;
  /**
   * A push came: its JSON. Resolves when what it is about was received, or cannot be now. What it answers is news until
   * it was `seen`.
   * @param until when whoever asks needs an answer: milliseconds since 1970
   */
  arrived(json: unknown, until: number): Promise<Arrival>;
  /** This was shown, or somebody looks at it. */
  seen(told: readonly Mark[]): Promise<void>;
}

/** No page is below it, so that the push worker never answers for one. */
export const PUSH_SCOPE = "/app/push/";

/** Tag of the notification of somebody who asks to become a contact. */
export const requestTag = (request: string): string => `request ${request}`;
/** Tag of the notification that says only that something came. */
export const SOMETHING_TAG = "smp-edge something";
/** Tag of the one that says that nothing did. */
export const NOTHING_TAG = "smp-edge nothing";
