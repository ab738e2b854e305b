import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { TokenStatus } from "../../../src/protocol/ntf/status.ts";
import type { Endpoint, PushMode, PushState } from "../../../client/web/push/api.ts";
import type { App } from "../../../client/web/state/app.ts";
import type { Push } from "../../../client/web/state/push.ts";

const KEY = new Uint8Array(65).fill(4);
const VAPID = Buffer.from(KEY).toString("base64url");

/** What was registered at the relay, by the number of the subscription. */
let registered: number[];
/** Subscriptions that the browser gave out; the last one is there unless it was ended. */
let given: number;
let isSubscribed: boolean;
let isInstalled: boolean;
let state: PushState;
/** What the relay says of each subscription. */
let statusOf: (subscription: number) => TokenStatus;
let push: Push;

function subscription(): object | null {
  return isSubscribed
    ? {
      endpoint: `https://push.example.org/${given}`,
      options: { applicationServerKey: KEY.buffer },
      getKey: (name: string) => new ArrayBuffer(name === "auth" ? 16 : 65),
      unsubscribe: async () => {
        isSubscribed = false;
        return true;
      },
    }
    : null;
}

const registration = {
  scope: "https://relay.example.org/app/push/",
  active: {},
  installing: null,
  waiting: null,
  pushManager: {
    getSubscription: async () => subscription(),
    subscribe: async () => {
      given++;
      isSubscribed = true;
      return subscription();
    },
  },
  getNotifications: async () => [],
  unregister: async () => (isInstalled = false),
};

/** Web Locks of one name, as far as they are used. */
function locks(): object {
  let last: Promise<unknown> = Promise.resolve();
  const request = (_: string, work: () => Promise<unknown>): Promise<unknown> => (last = last.then(work, work));
  return { request };
}

const session = {
  ownRelay: async () => ({ notifications: { address: "ntf://x@relay.example.org", vapid: VAPID } }),
  push: {
    register: async ({ url }: Endpoint, mode: PushMode) => {
      const number = Number(url.split("/").at(-1));
      registered.push(number);
      state = { ...state, mode, status: statusOf(number) };
      return state;
    },
    remove: async () => (state = { ...state, mode: null, status: null }),
    setMode: async (mode: PushMode) => (state = { ...state, mode }),
  },
};

beforeEach(async () => {
  [registered, given, isSubscribed, isInstalled] = [[], 1, true, true];
  state = { mode: "instant", status: "ACTIVE", isNaming: false };
  statusOf = () => "ACTIVE";
  const serviceWorker = {
    register: async () => {
      isInstalled = true;
      return registration;
    },
    getRegistration: async () => (isInstalled ? registration : undefined),
    getRegistrations: async () => (isInstalled ? [registration] : []),
  };
  vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => {} });
  vi.stubGlobal("document", { querySelector: () => ({ content: "/app/chat-ABCDEFGH.js" }) });
  vi.stubGlobal("Notification", { permission: "granted", requestPermission: async () => "granted" });
  vi.stubGlobal("navigator", { locks: locks(), serviceWorker, languages: ["en"] });
  const { Push: Opened } = await import("../../../client/web/state/push.ts");
  const app = { session, get status() {
    return { value: { push: state } };
  } };
  push = new Opened(app as unknown as App);
});

afterEach(() => vi.unstubAllGlobals());

test("a subscription that works is registered again as it is", async () => {
  await push.refresh();
  expect(registered).toEqual([1]);
});

test("one that the push service does not take any more is replaced", async () => {
  for (const status of ["EXPIRED", "INVALID", "INVALID,UNREGISTERED"] as const) {
    [state, registered, given] = [{ ...state, status }, [], 1];
    await push.refresh();
    expect(registered).toEqual([2]);
  }
});

test("one of which the relay tells so only now is replaced at once, and one time", async () => {
  statusOf = (subscribed) => (subscribed === 1 ? "INVALID" : "REGISTERED");
  await push.refresh();
  expect(registered).toEqual([1, 2]);
  statusOf = () => "INVALID";
  [state, registered] = [{ ...state, status: "ACTIVE" }, []];
  await push.refresh();
  expect(registered).toEqual([2, 3]);
});

test("what is turned off in one tab is not turned on again by one that starts meanwhile", async () => {
  await Promise.all([push.choose(null), push.refresh()]);
  expect([registered, state.mode, isSubscribed, isInstalled]).toEqual([[], null, false, false]);
});
