import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import type { MsgContent } from "../../chat/wire/content.ts";
import { MAX_PREVIEW_LENGTH } from "../../chat/wire/rules/limits.ts";
import type { Item } from "../../chat/records.ts";
import type { Chosen } from "../book.ts";
import { readTarget } from "../input/forms.ts";
import type { Scanner } from "../input/scanner.ts";
import { TypedError } from "../input/scanner.ts";
import { saveFile, saveWished } from "../save-file.ts";
import type { Session } from "../session.ts";
import { line } from "../text/styled.ts";
import { isMessage } from "../view/item.ts";
import { preview, shownSize } from "../view/words.ts";
import { commandsOf } from "./command.ts";

/** A path as it is typed: `~` is the own folder, quotes stand around spaces. */
export function readPath(text: string): string {
  const bare = /^'(.*)'$/su.exec(text)?.[1] ?? /^"(.*)"$/su.exec(text)?.[1] ?? text;
  return resolve(bare === "~" || bare.startsWith("~/") ? join(homedir(), bare.slice(1)) : bare);
}

async function readChosen(session: Session, typed: Scanner): Promise<Chosen> {
  typed.skip();
  const target = /^[@#*]/u.test(typed.rest) ? readTarget(typed) : { type: "contact", name: typed.name("a contact") } as const;
  return session.book.conversation(session.user, target);
}

/** The file, its text after it on lines of their own. */
async function readTypedFile(typed: Scanner): Promise<{ readonly path: string; readonly size: number; readonly text: string }> {
  const [first = "", ...others] = typed.text().split("\n");
  if (first.trim() === "") throw new TypedError("say which file");
  const path = readPath(first.trim());
  const facts = await stat(path).catch((cause: unknown) => {
    throw new TypedError(`${path} cannot be read`, { cause });
  });
  if (!facts.isFile()) throw new TypedError(`${path} is not a file`);
  return { path, size: facts.size, text: others.join("\n") };
}

const IMAGES: Readonly<Record<string, string>> = { jpg: "image/jpg", jpeg: "image/jpg", png: "image/png", gif: "image/gif", webp: "image/webp" };

/** The picture itself as its preview, where it is small enough; there is nothing here that could make it smaller. */
async function pictureOf(path: string, text: string): Promise<MsgContent> {
  const type = IMAGES[/\.(\w+)$/u.exec(path)?.[1]?.toLowerCase() ?? ""];
  if (type === undefined) throw new TypedError(`${basename(path)} is not a picture that can be shown: jpg, png, gif, webp; /f sends any file`);
  const image = `data:${type};base64,${(await readFile(path)).toString("base64")}`;
  if (image.length <= MAX_PREVIEW_LENGTH) return { type: "image", text, image };
  return { type: "image", text, image: PLACEHOLDER };
}

/** One grey pixel, shown until the picture itself is there. */
const PLACEHOLDER = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";

function sending(isImage: boolean) {
  return async (session: Session, typed: Scanner): Promise<void> => {
    const chosen = await readChosen(session, typed);
    const { path, size, text } = await readTypedFile(typed);
    const content: MsgContent = isImage ? await pictureOf(path, text) : { type: "file", text };
    const bytes = async (): Promise<Uint8Array> => Uint8Array.from(await readFile(path));
    await session.chat.messages.send(chosen.id, content, { file: { name: basename(path), size, bytes } });
    session.setActive(chosen);
  };
}

async function readItem(session: Session, typed: Scanner): Promise<Item> {
  const number = typed.number();
  const id = number === null ? undefined : session.fileItem(number);
  if (id === undefined) throw new TypedError("say the number that is shown with the file");
  return session.chat.history.item(id);
}

async function receive(session: Session, typed: Scanner): Promise<void> {
  const item = await readItem(session, typed);
  const wanted = typed.text();
  const path = wanted === "" ? process.cwd() : readPath(wanted);
  if (item.file?.state === "receiving") {
    session.wishes.set(item.id, path);
    session.say("the file is still on its way; it is saved when all of it is here");
    // Its last part may have come meanwhile.
    return saveWished(session, await session.chat.history.item(item.id));
  }
  await saveFile(session, item, path);
}

async function cancel(session: Session, typed: Scanner): Promise<void> {
  const item = await readItem(session, typed);
  typed.end();
  await session.chat.files.cancel(item.id);
  session.say("the file is cancelled");
}

async function status(session: Session, typed: Scanner): Promise<void> {
  const item = await readItem(session, typed);
  typed.end();
  const file = isMessage(item) ? item.body.container.file : undefined;
  const state = item.file;
  if (!file || !state) throw new TypedError("nothing is known of this file");
  session.say(line(`${preview(file.fileName)}: ${state.state}, ${shownSize(state.received)} of ${shownSize(file.fileSize)}`));
}

export const FILE_COMMANDS = commandsOf(
  "files",
  { name: "file", also: ["f"], takes: ["chat", "file"], usage: "@name | #group | * path", says: "send a file; a text may follow on the next line", run: sending(false) },
  { name: "image", also: ["img"], takes: ["chat", "file"], usage: "@name | #group | * path", says: "send a picture", run: sending(true) },
  { name: "freceive", also: ["fr"], takes: ["text", "file"], usage: "N [path]", says: "save the file of this number, here or at a path", run: receive },
  { name: "fcancel", also: ["fc"], usage: "N", says: "do not send or receive it any further", run: cancel },
  { name: "fstatus", also: ["fs"], usage: "N", says: "how far it has come", run: status },
);
