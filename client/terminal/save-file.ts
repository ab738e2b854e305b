import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ChatError } from "../chat/errors.ts";
import type { Item } from "../chat/records.ts";
import { safeFileName } from "../chat/wire/rules/names.ts";
import type { Session } from "./session.ts";
import { isMessage } from "./view/item.ts";
import { shownSize } from "./view/words.ts";

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then((facts) => facts.isDirectory(), () => false);
}

/** Writes a file where none is; a name that is taken gets a number. */
async function writeNew(path: string, bytes: Uint8Array): Promise<string> {
  const [, stem = path, extension = ""] = /^(.*?)(\.[^./\\]*)?$/su.exec(path) ?? [];
  for (let number = 0; ; number++) {
    const place = number === 0 ? path : `${stem}_${number}${extension}`;
    try {
      await writeFile(place, bytes, { flag: "wx", mode: 0o600 });
      return place;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
  }
}

/**
 * Writes the file of a message to a path, or into the folder that the path leads to.
 * @throws ChatError when the message has no file, or not as a whole
 */
export async function saveFile(session: Session, item: Item, path: string): Promise<void> {
  const file = isMessage(item) ? item.body.container.file : undefined;
  if (!file) throw new ChatError("PROHIBITED", "the message has no file any more");
  const bytes = await session.chat.files.bytes(item.id);
  if (bytes === null) throw new ChatError("PROHIBITED", "the file is not here as a whole");
  const place = await writeNew(await isFolder(path) ? join(path, safeFileName(file.fileName)) : path, bytes);
  session.say(`saved as ${place} (${shownSize(bytes.length)})`);
}

/** Saves the file of a message that was to be saved as soon as it is here. */
export async function saveWished(session: Session, item: Item): Promise<void> {
  const path = session.wishes.get(item.id);
  if (path === undefined || item.file?.state === "receiving") return;
  session.wishes.delete(item.id);
  await saveFile(session, item, path);
}
