import { ChatError } from "../errors.ts";
import type { ConnectionEvent } from "../../agent/events.ts";
import type { Binding } from "../records.ts";
import {
  linkRequestReceived,
  memberConfirmed,
  memberConnected,
  memberFailed,
  memberInfoReceived,
} from "../rules/group/handshake.ts";
import type { Step } from "../step.ts";
import { TABLE } from "../tables.ts";
import { type Core, ignoringMissing } from "./core.ts";
import { noteFate } from "./fates.ts";
import { quietenMember } from "./loudness.ts";

type Bound = ConnectionEvent & { readonly connection: string };

/** Reads what the agent tells of connections to members; messages apart. Every event can come a second time. */
export class GroupReader {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Somebody came through the link of a group. */
  async request({ id }: Binding, event: Bound & { readonly type: "request" }): Promise<void> {
    try {
      await this.#core.step(async (step) => {
        const link = await step.read(TABLE.groupLinks, id);
        if (link) await linkRequestReceived(step, link, event);
      });
    } catch (error) {
      if (error instanceof ChatError) await ignoringMissing(this.#core.agent.reject(event.request));
      throw error;
    }
  }

  async read({ id }: Binding, event: Bound): Promise<void> {
    const core = this.#core;
    switch (event.type) {
      case "confirmation": {
        const info = await this.#introduction(id, event.info);
        if (info) await ignoringMissing(core.agent.allow(event.connection, event.confirmation, info));
        return;
      }
      case "info":
        return this.#stepFor(id, (step) => memberInfoReceived(step, id, event.info));
      case "connected":
        await this.#stepFor(id, (step) => memberConnected(step, id));
        return quietenMember(core, id, event.connection);
      case "failed":
        return this.#stepFor(id, (step) => memberFailed(step, id, event.detail));
      case "sent":
      case "unsent":
      case "receipt":
        return noteFate(core, id, event);
      case "sync":
        core.tell({ type: "agent", contact: null, event });
        return core.step((step) => step.effect({ type: "send", contact: id }));
      default:
        core.tell({ type: "agent", contact: null, event });
    }
  }

  /** A step for a member, unless it is gone. */
  #stepFor(id: string, action: (step: Step) => Promise<void>): Promise<void> {
    return this.#core.step(async (step) => {
      if (await step.read(TABLE.members, id)) await action(step);
    });
  }

  /** What to allow the connection with; null: nothing, as nobody can tell who is there. */
  async #introduction(id: string, info: Uint8Array): Promise<Uint8Array | null> {
    try {
      return await this.#core.step(async (step) => {
        const member = await step.read(TABLE.members, id);
        return member && !member.isEnding ? memberConfirmed(step, id, info) : null;
      });
    } catch (error) {
      if (!(error instanceof ChatError) || error.refusal === "CLOSED") throw error;
      await this.#stepFor(id, (step) => memberFailed(step, id, error.message));
      this.#core.tellError(null, error);
      return null;
    }
  }
}
