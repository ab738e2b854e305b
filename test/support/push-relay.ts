import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WebSocket } from "ws";
import { parseServerAddress, type Server } from "#protocol/address";
import { verifyCertChainPubKey } from "#protocol/certchain";
import type { DeviceToken } from "#protocol/ntf/token";
import { ApnsServer, type ApnsDevice } from "./apns-server.ts";
import { Phone } from "./ntf-phone.ts";
import { type KnownRelay, NtfWireClient } from "./ntf-wire-client.ts";
import { PushService, type PushSubscriber } from "./push-service.ts";
import type { Endpoint } from "./push-inbox.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "./relay-process.ts";
import type { Socket } from "./wire-client.ts";

interface Notifications {
  readonly address: string;
  readonly path: string;
  readonly vapid: string;
}

/** A relay in a process of its own that pushes for real: to a push service and to Apple's stand-in on this machine. */
export class PushRelay {
  readonly service: PushService;
  readonly apns: ApnsServer;
  readonly #folder = temporaryFolder();
  readonly #env: Record<string, string>;
  #relay: RelayProcess | null = null;

  private constructor(service: PushService, apns: ApnsServer, settings: Readonly<Record<string, string>>) {
    this.service = service;
    this.apns = apns;
    const authorities = join(this.#folder, "authorities.pem");
    writeFileSync(authorities, readFileSync(service.caFile, "utf8") + readFileSync(apns.caFile, "utf8"));
    this.#env = { ...settings, ...apns.settings, PUSH_PRIVATE: "on", NODE_EXTRA_CA_CERTS: authorities };
  }

  /** `options` of `smp-edge start`, and settings beside those that make it push to this machine. */
  static async start(
    options: readonly string[] = ["--tls-port", "0"],
    settings: Readonly<Record<string, string>> = {},
  ): Promise<PushRelay> {
    const bench = new PushRelay(await PushService.start(), await ApnsServer.start(), settings);
    await bench.#start("0", options);
    return bench;
  }

  async #start(port: string, options: readonly string[]): Promise<void> {
    this.#relay = await RelayProcess.start(join(this.#folder, "data"), this.#env, Number(port), options);
  }

  get relay(): RelayProcess {
    if (!this.#relay) throw new Error("the relay does not run");
    return this.#relay;
  }

  /** On its ports and with its data; `kill`: as after a power cut. */
  async restart(how: "stop" | "kill" = "stop"): Promise<void> {
    const { url, gateway } = this.relay.info;
    const tlsPort = gateway === null ? "off" : parseServerAddress(gateway).port;
    await this.relay[how]();
    await this.#start(new URL(url).port, ["--tls-port", tlsPort]);
  }

  /** The relay as its gateway names it. */
  get server(): Server {
    return parseServerAddress(this.relay.info.gateway ?? "");
  }

  async notifications(): Promise<Notifications> {
    return (await (await this.relay.page("/relay.json")).json() as { notifications: Notifications }).notifications;
  }

  async #known(): Promise<KnownRelay> {
    const client = await this.relay.connect();
    client.close();
    if (!client.hello.authPubKey) throw new Error("the router proves nothing");
    const { leaf, identity } = verifyCertChainPubKey(client.hello.authPubKey, "X25519", Date.now());
    return { keyHash: identity, key: leaf.publicKey };
  }

  /** A client of the notification server, as web clients are. */
  async connectNtf(): Promise<NtfWireClient> {
    const known = await this.#known();
    const { path } = await this.notifications();
    const client = await NtfWireClient.open(async (query) => {
      const socket = new WebSocket(this.relay.info.url.replace(/\/$/, path) + query);
      socket.binaryType = "arraybuffer";
      return socket as Socket;
    });
    return client.greet(known);
  }

  /** A browser that has subscribed with the relay's key. */
  async browser(): Promise<Phone & { readonly browser: PushSubscriber }> {
    const browser = this.service.subscribe((await this.notifications()).vapid);
    const next = async (): Promise<unknown> => JSON.parse((await browser.next()).text);
    const phone = new Phone(await this.connectNtf(), endpointOf(browser.token, next));
    return Object.assign(phone, { browser });
  }

  /** A phone with an app of Apple's kind. `client`: as it comes, perhaps through the gateway. */
  phone(client: NtfWireClient): Phone & { readonly device: ApnsDevice } {
    const device = this.apns.device();
    const next = async (): Promise<unknown> => (await device.next()).notificationData;
    return Object.assign(new Phone(client, endpointOf(device.deviceToken, next)), { device });
  }

  async stop(): Promise<void> {
    await this.#relay?.stop();
    await Promise.all([this.service.stop(), this.apns.stop()]);
    removeFolder(this.#folder);
  }
}

/** What `Phone` expects of whoever brings its pushes. */
export function endpointOf(token: DeviceToken, next: () => Promise<unknown>): Endpoint {
  const many = async (count: number): Promise<{ readonly json: unknown; readonly headers: Headers; readonly at: number }[]> => {
    const got = [];
    for (let index = 0; index < count; index++) got.push({ json: await next(), headers: new Headers(), at: Date.now() });
    return got;
  };
  return { token, next: many } as unknown as Endpoint;
}
