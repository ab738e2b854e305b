import { parseDeviceToken } from "#protocol/ntf/token";
import { ProtocolError } from "../../errors.ts";
import * as ntf from "../../ntf/calls.ts";
import type { NtfRequester } from "../../ntf/client.ts";
import { isTemporary } from "../rules/send-failure.ts";
import type { Core } from "../runtime/core.ts";
import type { Book } from "./book.ts";
import { type Device, isActive, isDoubted, type Retired } from "./records.ts";
import type { NtfServers } from "./servers.ts";
import {
  isPassing,
  isUnknownToken,
  judgeTokenFailure,
  newDevice,
  registered,
  replaced,
  statusChecked,
  verified,
} from "./token.ts";

/** Minutes between pushes that tell of nothing, so that messages of which no push told are not missed for ever. */
const INTERVAL = 20;
/** How long a server is asked to forget a token. */
const RETIRED_TTL = 30 * 86_400_000;

function tokenKeyOf({ verifyKeys, registration }: Device): ntf.TokenKey | null {
  return registration && { tokenId: registration.tokenId, key: verifyKeys.secretKey };
}

/** Does with the notification server what the token's record says. One call at a time. */
export class Tokens {
  readonly #core: Core;
  readonly #book: Book;
  readonly #servers: NtfServers;
  /** The token may be unknown to its server: what it answers to TCRN says so. */
  onSuspicion: (() => void) | null = null;

  constructor(core: Core, book: Book, servers: NtfServers) {
    this.#core = core;
    this.#book = book;
    this.#servers = servers;
  }

  /**
   * Does what is to be done, until nothing is. A token that its server does not know is registered anew, and the error
   * that told so is thrown all the same; so is what makes a later attempt necessary.
   */
  async act(): Promise<void> {
    let trouble: unknown = null;
    for (;;) {
      const record = this.#book.device;
      if (!record || record.action.type === "none") break;
      let next: Device;
      try {
        next = await this.#perform(this.#servers.of(record.server), record);
      } catch (error) {
        const verdict = judgeTokenFailure(record, error);
        if (verdict === "retry") throw error;
        if (verdict === "forget") {
          await this.#book.saveDevice(null);
          throw error;
        }
        // That another device token is not taken under the same id matters to nobody.
        if (record.action.type !== "replace") trouble = error;
        await this.#book.retire(newDevice(record), this.#core.clock.now());
        continue;
      }
      await this.#book.saveDevice(next);
    }
    if (trouble !== null) throw trouble;
  }

  async #perform(server: NtfRequester, record: Device): Promise<Device> {
    const { token, verifyKeys, dhKeys, action } = record;
    const key = tokenKeyOf(record);
    if (key === null || action.type === "register") {
      return registered(record, await ntf.registerToken(server, parseDeviceToken(token), verifyKeys, dhKeys));
    }
    switch (action.type) {
      case "replace":
        await ntf.replaceToken(server, key, parseDeviceToken(token));
        return replaced(record);
      case "verify":
        await ntf.verifyToken(server, key, action.code);
        return verified(record);
      default:
        return statusChecked(record, await ntf.checkToken(server, key));
    }
  }

  /** TCRN, once for a token that is verified. What the server refuses is not asked for again before the next start. */
  async setInterval(): Promise<void> {
    const record = this.#book.device;
    if (!isActive(record) || isDoubted(record) || record.hasInterval) return;
    const key = tokenKeyOf(record);
    try {
      if (key) await ntf.setInterval(this.#servers.of(record.server), key, INTERVAL);
    } catch (error) {
      if (isPassing(error)) throw error;
      this.#core.tellError(null, error);
      if (isUnknownToken(error)) this.onSuspicion?.();
    }
    await this.#book.saveDevice({ ...record, hasInterval: true });
  }

  /** TDEL for every token that was given up. @throws what stood in the way of one of them */
  async forgetRetired(): Promise<void> {
    let trouble: unknown = null;
    for (const { key, value } of this.#book.retired) {
      try {
        await this.#forget(value);
        await this.#book.dropRetired(key);
      } catch (error) {
        trouble = error;
      }
    }
    if (trouble !== null) throw trouble;
  }

  async #forget({ server, tokenId, key, at }: Retired): Promise<void> {
    try {
      await ntf.deleteToken(this.#servers.of(server), { tokenId, key });
    } catch (error) {
      if (isTemporary(error) && this.#core.clock.now() - at < RETIRED_TTL) throw error;
      // The server does not know it any more, or never will forget it.
      if (!(error instanceof ProtocolError)) this.#core.tellError(null, error);
    }
  }
}
