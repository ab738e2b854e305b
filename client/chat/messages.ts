import { loadFile } from "./attachments.ts";
import type { OutgoingFile } from "./files.ts";
import type { Item } from "./records.ts";
import { deleteForSelf, type SendOptions } from "./rules/compose.ts";
import { ChatError } from "./errors.ts";
import { type Attachment, fileBytes, MAX_FILE_SIZE } from "./rules/files.ts";
import { isMessage, itemOf } from "./rules/records.ts";
import { change, type EditOptions, reactTo, say, takeBack } from "./rules/talk.ts";
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
    const attachment = file ? await this.#attachment(file) : null;
    return this.#core.step((step) => say(step, chat, contentOf(content), options, attachment));
  }

  /** Changes an own message. `isLive`: it is still being typed. */
  edit(item: string, content: string | MsgContent, options: EditOptions = {}): Promise<Item> {
    return this.#core.step((step) => change(step, item, contentOf(content), options));
  }

  /** Small files go between messages; of larger ones the port has to take care. */
  async #attachment(file: OutgoingFile): Promise<Attachment> {
    const { files } = this.#core;
    if (files && file.size > MAX_FILE_SIZE) return { type: "announced", invitation: await files.announce(file) };
    return { type: "inline", name: file.name, bytes: await loadFile(file) };
  }

  /** Sends what a message says to another conversation. */
  forward(item: string, chat: string): Promise<Item> {
    return this.#core.step(async (step) => {
      const original = await itemOf(step, item);
      if (!isMessage(original) || original.deletedAt !== null) {
        throw new ChatError("PROHIBITED", "only a message that is still there can be forwarded");
      }
      const { content, file } = original.body.container;
      const bytes = file ? await fileBytes(step, item) : null;
      if (file && !bytes) throw new ChatError("PROHIBITED", `'${file.fileName}' is not here, so that it cannot be forwarded`);
      const attachment = file && bytes ? { type: "inline", name: file.fileName, bytes } as const : null;
      return say(step, chat, content, { isForwarded: true }, attachment);
    });
  }

  /** `everyone`: an own message of the last 24 hours; in a group a moderator any of a member of no higher role. */
  delete(item: string, whom: "self" | "everyone"): Promise<void> {
    return this.#core.step((step) => (whom === "self" ? deleteForSelf(step, item) : takeBack(step, item)));
  }

  /** One of the eight known emoji; `add` false takes it back. */
  react(item: string, emoji: string, add = true): Promise<Item> {
    return this.#core.step((step) => reactTo(step, item, emoji, add));
  }
}

function contentOf(content: string | MsgContent): MsgContent {
  return typeof content === "string" ? { type: "text", text: content } : content;
}
