import type { CDPSession, Page, Worker } from "playwright-core";
import type { PushService, PushSubscriber, ReceivedPush } from "../../../support/push-service.ts";
import type { Person } from "./web-browser.ts";

const SCOPE = "/app/push/";
const SCRIPT = /\/app\/chat-\w+\.js$/;
const PATIENCE = 10_000;

/** A notification as the system shows it. */
export interface Shown {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
}

interface Registration {
  readonly registrationId: string;
  readonly scopeURL: string;
  readonly isDeleted: boolean;
}

/** What a page is told of a subscription; the bytes as base64url. */
interface Told {
  readonly endpoint: string;
  readonly serverKey: string;
  readonly auth: string;
  readonly p256dh: string;
}

/** What a page wants of it. */
interface Asked {
  readonly what: "subscribe" | "look" | "unsubscribe";
  readonly key?: string;
}

/** Takes the place of the browser's own way to its vendor's push service, which is not there. Runs in pages. */
function withStandIn(): void {
  type Ask = (asked: Asked) => Promise<Told | null>;
  const { askPushService } = globalThis as unknown as { readonly askPushService: Ask };
  const bytes = (text: string): ArrayBuffer => {
    const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(raw, (letter) => letter.charCodeAt(0)).buffer;
  };
  const subscription = (told: Told | null): object | null => told && {
    endpoint: told.endpoint,
    options: { userVisibleOnly: true, applicationServerKey: bytes(told.serverKey) },
    getKey: (name: "auth" | "p256dh") => bytes(told[name]),
    unsubscribe: async () => (await askPushService({ what: "unsubscribe" })) === null,
  };
  const { PushManager } = globalThis as unknown as { readonly PushManager: { readonly prototype: object } };
  Object.assign(PushManager.prototype, {
    getSubscription: async () => subscription(await askPushService({ what: "look" })),
    subscribe: async ({ applicationServerKey }: { readonly applicationServerKey: Uint8Array }) => {
      const key = btoa(String.fromCharCode(...applicationServerKey));
      const urlSafe = key.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
      return subscription(await askPushService({ what: "subscribe", key: urlSafe }));
    },
  });
}

/** Tells the push worker of a new subscription, as browsers do. Runs in it. */
async function replaced({ endpoint, auth, p256dh }: Told): Promise<void> {
  const bytes = (text: string): ArrayBuffer => {
    const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(raw, (letter) => letter.charCodeAt(0)).buffer;
  };
  const newSubscription = { endpoint, getKey: (name: string) => bytes(name === "auth" ? auth : p256dh) };
  let work: Promise<unknown> = Promise.resolve();
  const waitUntil = (promise: Promise<unknown>): void => void (work = promise);
  const event = Object.assign(new Event("pushsubscriptionchange"), { newSubscription, oldSubscription: null });
  Object.defineProperty(event, "waitUntil", { value: waitUntil });
  dispatchEvent(event);
  await work;
}

const told = ({ endpoint, serverKey, auth, p256dh }: PushSubscriber): Told => ({
  endpoint,
  serverKey: serverKey ?? "",
  auth: Buffer.from(auth).toString("base64url"),
  p256dh: Buffer.from(p256dh).toString("base64url"),
});

/** Brings pushes to one person's browser, as its vendor's push service does, and looks at what the system shows. */
export class Pushing {
  readonly #person: Person;
  readonly #origin: string;
  readonly #service: PushService;
  readonly #session: CDPSession;
  readonly #registrations = new Map<string, Registration>();
  /** A window without the page: a browser that runs, with the page closed. */
  readonly blank: Page;
  /** Null: the browser has none. */
  subscriber: PushSubscriber | null = null;

  private constructor(person: Person, url: string, service: PushService, blank: Page, session: CDPSession) {
    this.#person = person;
    this.#origin = new URL(url).origin;
    this.#service = service;
    this.blank = blank;
    this.#session = session;
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      for (const one of registrations) this.#registrations.set(one.registrationId, one);
    });
  }

  /** Pages that are open already do not know of it before they are loaded anew. */
  static async into(person: Person, url: string, service: PushService): Promise<Pushing> {
    const { context } = person;
    const permissions = ["notifications", "clipboard-read", "clipboard-write"];
    await context.grantPermissions(permissions, { origin: new URL(url).origin });
    const blank = await context.newPage();
    const pushing = new Pushing(person, url, service, blank, await context.newCDPSession(blank));
    await context.exposeBinding("askPushService", (_, { what, key }: Asked) => pushing.#answer(what, key));
    await context.addInitScript(withStandIn);
    await pushing.#session.send("ServiceWorker.enable");
    return pushing;
  }

  #answer(what: Asked["what"], key: string | undefined): Told | null {
    if (what === "subscribe") this.subscriber = this.#service.subscribe(key ?? null);
    if (what === "unsubscribe") {
      if (this.subscriber) this.subscriber.isGone = true;
      this.subscriber = null;
    }
    return this.subscriber && told(this.subscriber);
  }

  /** Brings the next push that the relay sends. */
  async carry(): Promise<ReceivedPush> {
    if (!this.subscriber) throw new Error("the browser has no subscription");
    const push = await this.subscriber.next();
    await this.bring(push.text);
    return push;
  }

  /** Whether the push worker is there. */
  get isInstalled(): boolean {
    return this.#registration() !== undefined;
  }

  #registration(): Registration | undefined {
    return [...this.#registrations.values()].find(({ scopeURL, isDeleted }) => !isDeleted && scopeURL.endsWith(SCOPE));
  }

  /** @param text what the browser has decrypted */
  async bring(text: string): Promise<void> {
    const registration = this.#registration();
    if (!registration) throw new Error("nobody in this browser takes pushes");
    const { registrationId } = registration;
    await this.#session.send("ServiceWorker.deliverPushMessage", { origin: this.#origin, registrationId, data: text });
  }

  /** The browser loses what it had, as when its data are cleared in part. */
  lose(): void {
    if (this.subscriber) this.subscriber.isGone = true;
    this.subscriber = null;
  }

  /** The browser replaces the subscription of its own accord, and tells the push worker. */
  async replace(): Promise<void> {
    const key = this.subscriber?.serverKey ?? null;
    this.lose();
    this.subscriber = this.#service.subscribe(key);
    await this.bring("{}");
    const worker = await this.#worker();
    await worker.evaluate(replaced, told(this.subscriber));
  }

  /** Ends the push worker, as browsers do when it has nothing to do. */
  async sleep(): Promise<void> {
    await this.#session.send("ServiceWorker.stopAllWorkers");
  }

  async #worker(): Promise<Worker> {
    const { context } = this.#person;
    const running = context.serviceWorkers().find((one) => SCRIPT.test(one.url()));
    const predicate = (one: Worker): boolean => SCRIPT.test(one.url());
    return running ?? context.waitForEvent("serviceworker", { predicate, timeout: PATIENCE });
  }

  async shown(): Promise<Shown[]> {
    const worker = await this.#worker();
    return await worker.evaluate(
      "registration.getNotifications().then((all) => all.map(({ title, body, tag }) => ({ title, body, tag })))",
    ) as Shown[];
  }

  /** Presses a notification. @returns the address of the window that it opens; null: one that is there is shown */
  async press(tag: string): Promise<string | null> {
    const worker = await this.#worker();
    // Nobody can press without a screen: the event is made here, and browsers open windows for real ones only.
    return await worker.evaluate(async (wanted) => {
      const scope = globalThis as unknown as {
        readonly registration: { getNotifications(): Promise<{ readonly tag: string }[]> };
        readonly clients: { openWindow: (url: string) => Promise<null> };
        readonly NotificationEvent: new (type: string, options: object) => Event;
      };
      const notification = (await scope.registration.getNotifications()).find(({ tag: one }) => one === wanted);
      if (!notification) throw new Error(`no notification has the tag ${wanted}`);
      let opened: string | null = null;
      scope.clients.openWindow = async (url) => {
        opened = url;
        return null;
      };
      const event = new scope.NotificationEvent("notificationclick", { notification });
      let work: Promise<unknown> = Promise.resolve();
      Object.defineProperty(event, "waitUntil", { value: (promise: Promise<unknown>) => (work = promise) });
      dispatchEvent(event);
      // A window that is there cannot be focused without a real press.
      await work.catch(() => undefined);
      return opened;
    }, tag);
  }
}
