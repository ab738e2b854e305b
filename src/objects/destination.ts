import { DurableObject } from "cloudflare:workers";
import { equal } from "#crypto/bytes";
import { err, type Message } from "#protocol/commands";
import type { FwdTransmission } from "#protocol/commands/proxy";
import type { ErrorType } from "#protocol/errors";
import {
  type DestinationSession,
  ForwardingError,
  greet,
  networkErr,
  NO_SESSION,
  toPkey,
} from "../relay/destination.ts";
import { DESTINATION } from "../relay/limits.ts";
import { type DestinationAddress, type Route, routesTo } from "../relay/proxy-policy.ts";
import type { DestinationApi } from "./api.ts";
import { outsideOf } from "./carriage/outside.ts";
import { reach, type Reached } from "./carriage/reach.ts";
import { configOf } from "./context.ts";
import type { Env } from "./env.ts";
import { report } from "./log.ts";
import { OutgoingSession } from "./outgoing-session.ts";

/**
 * What this relay is to another one: its client. One object for each destination holds the one session that all
 * clients share, so that sockets to the outside keep nothing in memory but it. It stores nothing: when it leaves
 * memory its session is gone, and clients ask for another.
 */
export class Destination extends DurableObject<Env> implements DestinationApi {
  #session: OutgoingSession | null = null;
  #opening: Promise<Message> | null = null;
  #failure: { readonly error: ErrorType; readonly until: number } | null = null;
  /** What worked last. */
  #kind: Route["kind"] | null = null;

  async open(address: DestinationAddress): Promise<Message> {
    if (this.#session) {
      this.#session.touch();
      return toPkey(this.#session.session);
    }
    if (this.#failure && Date.now() < this.#failure.until) return err(this.#failure.error);
    this.#opening ??= this.#connect(address).finally(() => (this.#opening = null));
    return await this.#opening;
  }

  async forward(sessionId: Uint8Array, forwarded: FwdTransmission): Promise<Message> {
    const isHere = this.#session && equal(this.#session.session.sessionId, sessionId);
    return isHere && this.#session ? await this.#session.forward(forwarded) : err(NO_SESSION);
  }

  async #connect(address: DestinationAddress): Promise<Message> {
    try {
      const { route, opened, session } = await this.#reach(address);
      this.#kind = route.kind;
      this.#failure = null;
      const outgoing = new OutgoingSession(session, opened.carriage, () => {
        if (this.#session === outgoing) this.#session = null;
      });
      this.#session = outgoing;
      opened.arrivals.listen({
        block: (block) => outgoing.block(block),
        closed: ({ error }) => outgoing.close(error),
      });
      return toPkey(session);
    } catch (error) {
      if (!(error instanceof ForwardingError)) report("a destination could not be reached", error);
      const told = error instanceof ForwardingError ? error.error : networkErr({ type: "failedError" });
      this.#failure = { error: told, until: Date.now() + DESTINATION.failure };
      return err(told);
    }
  }

  #reach(address: DestinationAddress): Promise<Reached<DestinationSession>> {
    const { keyHash } = address;
    return reach({
      outside: outsideOf(this.env),
      keyHash,
      routes: routesTo(address, configOf(this.env).proxy),
      kind: this.#kind,
      greet: ({ hello, proof }) => greet(hello, keyHash, proof, Date.now()),
    });
  }
}
