import type { Server, ServerAddress } from "#protocol/address";
import type { Clock } from "../../clock.ts";
import { ProtocolError, ProxyError, UsageError } from "../../errors.ts";
import type { Requester } from "../../smp/request.ts";
import { nameOf } from "../../smp/proxy-session.ts";
import {
  chooseRoute,
  DEFAULT_PROXY_POLICY,
  isUnfit,
  mayGoDirect,
  needsOtherWay,
  type ProxyPolicy,
} from "../rules/route.ts";
import type { OwnRelays } from "./own-relays.ts";
import { type Relay, type Relays, relayKey } from "./relays.ts";

/** What was done with a relay, and the proxy through which; null: directly. */
export interface Routed<T> {
  readonly result: T;
  readonly proxy: Server | null;
}

/** Commands for one relay on behalf of one profile. */
interface Errand<T> {
  readonly profile: string;
  readonly destination: Server;
  readonly work: (relay: Requester) => Promise<T>;
  /** Told the key of the relay to which the next attempt connects. */
  readonly onWay: ((relayKey: string) => void) | undefined;
}

interface Choice {
  readonly proxy: ServerAddress;
  state: "new" | "works" | "failed";
}

/** A relay that does not forward, as it said itself. */
interface Unfit {
  readonly error: Error;
  readonly until: number;
}

/** Milliseconds for which such a relay is not asked again. */
const UNFIT_TTL = 600_000;
/** How many own relays are asked to bring one command to its destination. */
const MAX_TRIED = 3;

/** Brings commands to other people's relays: directly, or through one of one's own. */
export class Routes {
  readonly #relays: Relays;
  readonly #own: OwnRelays;
  readonly #clock: Clock;
  readonly #policy: ProxyPolicy;
  /** The proxy for each profile and destination, for as long as it works. */
  readonly #choices = new Map<string, Choice>();
  /** By relay key. */
  readonly #unfit = new Map<string, Unfit>();

  constructor(relays: Relays, own: OwnRelays, clock: Clock, policy: Partial<ProxyPolicy> = {}) {
    this.#relays = relays;
    this.#own = own;
    this.#clock = clock;
    this.#policy = { ...DEFAULT_PROXY_POLICY, ...policy };
  }

  /** Does `work` with a relay. It may be called again with another way there, when nothing came of the one before. */
  async run<T>(
    profile: string,
    destination: Server,
    work: (relay: Requester) => Promise<T>,
    onWay?: (relayKey: string) => void,
  ): Promise<Routed<T>> {
    const errand = { profile, destination, work, onWay };
    const route = chooseRoute(this.#policy.mode, destination, this.#own.servers);
    if (!route.proxies) return this.#direct(errand, route.direct);
    try {
      return await this.#throughAny(errand, route.proxies);
    } catch (error) {
      if (!(error instanceof Error && mayGoDirect(this.#policy, error))) throw error;
      return await this.#insteadOf(error, errand, route.direct);
    }
  }

  async #direct<T>({ profile, work, onWay }: Errand<T>, server: Server): Promise<Routed<T>> {
    const relay = this.#relays.of(profile, server);
    onWay?.(relay.key);
    return { result: await work(relay.connection), proxy: null };
  }

  /** What cannot be done directly either is told of as the proxy told it. */
  async #insteadOf<T>(trouble: Error, errand: Errand<T>, server: Server): Promise<Routed<T>> {
    try {
      return await this.#direct(errand, server);
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      if (!(error instanceof UsageError)) throw trouble;
      // No waiting will change that.
      throw new UsageError(`${trouble.message}; nor directly: ${error.message}`, { cause: trouble });
    }
  }

  /** Through the first of a few that reaches the destination. */
  async #throughAny<T>(errand: Errand<T>, proxies: readonly ServerAddress[]): Promise<Routed<T>> {
    const { profile, destination } = errand;
    let left = this.#fitOf(profile, proxies);
    let reason: unknown = null;
    for (let tried = 0; left.length > 0 && tried < MAX_TRIED; tried++) {
      const choice = this.#choose(profile, destination, left);
      try {
        const result = await this.#through(errand, choice.proxy);
        choice.state = "works";
        return { result, proxy: choice.proxy };
      } catch (error) {
        choice.state = error instanceof ProtocolError ? "works" : "failed";
        if (!needsOtherWay(error)) throw error;
        if (isUnfit(error)) this.#remember(profile, choice.proxy, error);
        left = left.filter((one) => one !== choice.proxy);
        reason = error;
      }
    }
    throw reason ?? this.#reasonNotToAsk(profile, destination, proxies);
  }

  /** Those that are worth asking. Where nothing else is left than waiting, all of them are. */
  #fitOf(profile: string, proxies: readonly ServerAddress[]): readonly ServerAddress[] {
    const fit = proxies.filter((proxy) => !this.#unfitness(profile, proxy));
    const isLastHope = fit.length === 0 && this.#policy.fallback !== "allow";
    return isLastHope ? proxies : fit;
  }

  #remember(profile: string, proxy: ServerAddress, error: Error): void {
    this.#unfit.set(relayKey(profile, proxy), { error, until: this.#clock.now() + UNFIT_TTL });
  }

  #unfitness(profile: string, proxy: ServerAddress): Unfit | null {
    const unfit = this.#unfit.get(relayKey(profile, proxy));
    return unfit && this.#clock.now() < unfit.until ? unfit : null;
  }

  #reasonNotToAsk(profile: string, destination: Server, [first]: readonly ServerAddress[]): unknown {
    const known = first && this.#unfitness(profile, first);
    if (known) return known.error;
    const path = { host: "nobody", destination: nameOf(destination) };
    return new ProxyError(path, "notAllowed", "no relay that could forward is configured; pass one in `servers`");
  }

  /** Any one, and the same again for as long as it works; then rather one that is connected. */
  #choose(profile: string, destination: Server, proxies: readonly ServerAddress[]): Choice {
    const key = relayKey(profile, destination);
    const last = this.#choices.get(key);
    const others = proxies.filter((proxy) => proxy !== last?.proxy);
    const connected = others.filter((proxy) => this.#relays.isConnected(profile, proxy));
    if (last && others.length < proxies.length && this.#mayStay(profile, last, connected.length > 0)) return last;
    const candidates = [last ? connected : [], others, proxies].find((some) => some.length > 0) ?? [];
    const proxy = candidates[Math.floor(this.#clock.random() * candidates.length)];
    if (!proxy) throw new RangeError("there is no proxy to choose from");
    const choice: Choice = { proxy, state: "new" };
    this.#choices.set(key, choice);
    return choice;
  }

  /** One whose connection broke is waited for only if there is no better one. */
  #mayStay(profile: string, { proxy, state }: Choice, hasBetter: boolean): boolean {
    return state === "new" || (state === "works" && (!hasBetter || this.#relays.isConnected(profile, proxy)));
  }

  async #through<T>({ profile, destination, work, onWay }: Errand<T>, proxy: ServerAddress): Promise<T> {
    const relay = this.#relayOf(profile, proxy, destination);
    const proxied = this.#relays.proxied(relay, destination, proxy.password);
    onWay?.(relay.key);
    return work(proxied);
  }

  #relayOf(profile: string, proxy: ServerAddress, destination: Server): Relay {
    try {
      return this.#relays.of(profile, proxy);
    } catch (cause) {
      if (!(cause instanceof UsageError)) throw cause;
      const path = { host: nameOf(proxy), destination: nameOf(destination) };
      throw new ProxyError(path, "notAllowed", `it cannot be reached itself: ${cause.message}`, { cause });
    }
  }
}
