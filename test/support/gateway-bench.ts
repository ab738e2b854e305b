import { afterAll, beforeAll } from "vitest";
import { parseServerAddress, type Server } from "#protocol/address";
import { fromRelay } from "../../src/node/gateway/credentials.ts";
import { Gateway, type GatewayOptions } from "../../src/node/gateway/gateway.ts";
import { parseRelayUrl } from "../../src/node/gateway/relay-url.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "./relay-process.ts";
import { connectNative, type NativeOptions } from "./tls-client.ts";
import type { WireClient } from "./wire-client.ts";

export const GATEWAY_TOKEN = "token of a gateway under test";

/** A gateway in this process, where its sockets and its memory can be seen, in front of a relay in another. */
export class GatewayBench {
  readonly troubles: string[] = [];
  #folder = "";
  #relay: RelayProcess | null = null;
  #gateway: Gateway | null = null;

  /** To be called where stories are described: both run as long as they do. */
  static use(options: Partial<GatewayOptions> = {}, env: Record<string, string> = {}): GatewayBench {
    const bench = new GatewayBench();
    beforeAll(async () => {
      bench.#folder = temporaryFolder();
      bench.#relay = await RelayProcess.start(bench.#folder, { GATEWAY_TOKEN, ...env });
      bench.#gateway = await bench.gatewayFor(bench.relay.info.url, options);
    });
    afterAll(async () => {
      await bench.#gateway?.stop();
      await bench.#relay?.stop();
      removeFolder(bench.#folder);
    });
    return bench;
  }

  /** Another gateway to the same relay, perhaps by a way of its own. */
  async gatewayFor(relayUrl: string, options: Partial<GatewayOptions> = {}): Promise<Gateway> {
    const onTrouble = (text: string): void => void this.troubles.push(text);
    const gateway = await Gateway.listen({ host: "127.0.0.1", port: 0, onTrouble, ...options });
    const place = parseRelayUrl(relayUrl);
    await gateway.serve(place, fromRelay(parseRelayUrl(this.relay.info.url), GATEWAY_TOKEN));
    return gateway;
  }

  get relay(): RelayProcess {
    if (!this.#relay) throw new Error("the relay does not run");
    return this.#relay;
  }

  get gateway(): Gateway {
    if (!this.#gateway) throw new Error("the gateway does not run");
    return this.#gateway;
  }

  get server(): Server {
    return this.serverAt(this.gateway);
  }

  serverAt(gateway: Gateway): Server {
    const { keyHash } = parseServerAddress(this.relay.info.address);
    return { hosts: ["127.0.0.1"], port: String(gateway.port), keyHash };
  }

  connect(options?: NativeOptions): Promise<WireClient> {
    return connectNative(this.server, options);
  }

  async killRelay(): Promise<void> {
    await this.relay.kill();
  }

  /** On its port and with its data. `meanwhile` may do something to these. */
  async restartRelay(meanwhile: (folder: string) => Promise<void> = async () => undefined): Promise<void> {
    const port = Number(new URL(this.relay.info.url).port);
    await this.relay.stop();
    await meanwhile(this.#folder);
    this.#relay = await RelayProcess.start(this.#folder, { GATEWAY_TOKEN }, port);
  }
}
