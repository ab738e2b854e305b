import type { OutgoingFile } from "./files.ts";
import type { Item } from "./records.ts";
import { compose, deleteForAll, deleteForSelf, edit, react, type SendOptions } from "./rules/compose.ts";
import { ChatError } from "./errors.ts";
import { isMessage, itemOf } from "./rules/records.ts";
import type { Core } from "./runtime/core.ts";
import type { MsgContent } from "./wire/content.ts";

export interface FileOptions extends SendOptions {
  readonly file?: OutgoingFile;
}

/** What is said. Everything is on disk when a method resolves, and goes out when the contact is connected. */
export class Messages {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** @param content a text, or content of any other type. @throws ChatError */
  async send(chat: string, content: string | MsgContent, { file, ...options }: FileOptions = {}): Promise<Item> {
    const announced = file ? await this.#core.files.announce(file) : null;
    return this.#core.step((step) => compose(step, chat, contentOf(content), options, announced));
  }

  /** Changes an own message. `isLive`: it is still being typed. */
  edit(item: string, content: string | MsgContent, { isLive = false }: { readonly isLive?: boolean } = {}): Promise<Item> {
    return this.#core.step((step) => edit(step, item, contentOf(content), isLive));
  }

  /** Sends what a message says to another conversation. */
  forward(item: string, chat: string): Promise<Item> {
    return this.#core.step(async (step) => {
      const original = await itemOf(step, item);
      if (!isMessage(original) || original.deletedAt !== null) {
        throw new ChatError("PROHIBITED", "only a message that is still there can be forwarded");
      }
      const { content, file } = original.body.container;
      if (file) throw new ChatError("UNSUPPORTED", "a message with a file cannot be forwarded yet");
      return compose(step, chat, content, { isForwarded: true });
    });
  }

  /** `everyone`: an own message of the last 24 hours, for the contact as well. */
  delete(item: string, whom: "self" | "everyone"): Promise<void> {
    return this.#core.step((step) => (whom === "self" ? deleteForSelf(step, item) : deleteForAll(step, item)));
  }

  /** One of the eight known emoji; `add` false takes it back. */
  react(item: string, emoji: string, add = true): Promise<Item> {
    return this.#core.step((step) => react(step, item, emoji, add));
  }
}

function contentOf(content: string | MsgContent): MsgContent {
  return typeof content === "string" ? { type: "text", text: content } : content;
}
