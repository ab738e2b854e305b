import { ChatError } from "./errors.ts";
import type { OutgoingFile } from "./files.ts";
import { cancelFile, checkSize, fileBytes } from "./rules/files.ts";
import { recipientsOf } from "./rules/owners.ts";
import { itemOf } from "./rules/records.ts";
import type { Core } from "./runtime/core.ts";

/** The files of messages. Those that come are fetched by themselves; `item.file` tells how far they are. */
export class Attachments {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** The file of a message, own or received; null while it is not whole. @throws ChatError "NOT_FOUND" */
  bytes(item: string): Promise<Uint8Array | null> {
    return this.#core.step((step) => fileBytes(step, item));
  }

  /** Ends sending or receiving. @throws ChatError "PROHIBITED" when there is nothing to end */
  cancel(item: string): Promise<void> {
    return this.#core.step(async (step) => {
      const { isOwn, chat } = await itemOf(step, item);
      await cancelFile(step, item, isOwn ? await recipientsOf(step, chat) : []);
    });
  }
}

/** What is given as a file, in memory. @throws ChatError */
export async function loadFile({ name, size, bytes }: OutgoingFile): Promise<Uint8Array> {
  checkSize(name, size);
  const loaded = bytes instanceof Uint8Array ? bytes : await bytes();
  if (loaded.length !== size) throw new ChatError("CONTENT", `'${name}' has ${loaded.length} bytes, not ${size}`);
  return loaded;
}
