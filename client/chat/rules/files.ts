import { concat } from "#crypto/bytes";
import { ChatError } from "../errors.ts";
import type { Sending } from "../file-records.ts";
import type { Item, ItemFile, MessageItem } from "../records.ts";
import type { Step } from "../step.ts";
import { chunkKey, fetchingKey, prefixOf, sendingKey, TABLE } from "../tables.ts";
import type { EventParams } from "../wire/event.ts";
import type { FileInvitation } from "../wire/file.ts";
import { MAX_CHUNK_LENGTH } from "../wire/file-chunk.ts";
import { safeFileName } from "../wire/rules/names.ts";
import { newSharedId } from "../wire/ids.ts";
import { chatMessage } from "../wire/message.ts";
import { tellFileGone } from "./file-loss.ts";
import { ownerOf } from "./owners.ts";
import { enqueue, enqueueChunk, loseFile, withdrawChunks } from "./outbox.ts";
import { changeItem, isMessage, itemOf, setFile } from "./records.ts";

// Files without a server of their own, as official clients take them: in chunks of 15,780 bytes between the messages of
// a connection, or in a connection that the recipient makes for the file. Since messages have post-quantum headers or
// room for them, a whole chunk does not fit between them any more: files of more than a part of one go the other way.

/** Chunks of a file that official clients accept between messages, unless they are told otherwise. */
export const MAX_CHUNKS = 8;
/** Bytes of a file that can be sent or received. */
export const MAX_FILE_SIZE = MAX_CHUNKS * MAX_CHUNK_LENGTH;
/** Bytes of a file that go into one message of a post-quantum connection, with what stands around them. */
const MAX_PART = 13_300;
/** Files that one sender can have under way; each costs a queue. */
export const MAX_FETCHINGS = 20;
/** Milliseconds after which a file that did not come leaves its place to another one. */
export const FETCHING_TIME = 14 * 86_400_000;

export function chunkCount(size: number): number {
  return Math.max(1, Math.ceil(size / MAX_CHUNK_LENGTH));
}

const chunkLength = (size: number, number: number): number =>
  Math.min(MAX_CHUNK_LENGTH, size - (number - 1) * MAX_CHUNK_LENGTH);

/** @throws ChatError "LARGE" */
export function checkSize(name: string, size: number): void {
  if (size <= MAX_FILE_SIZE) return;
  throw new ChatError("LARGE", `'${name}' has ${size} bytes; files of up to ${MAX_FILE_SIZE} bytes can be sent`);
}

/**
 * How a file is announced. One that says of no way to get it is accepted with a link of a connection for it. What is
 * said to be sent at once (`"sent"`) official clients do not take.
 */
function invitationTo(fileName: string, fileSize: number): FileInvitation {
  return fileSize > MAX_PART ? { fileName, fileSize } : { fileName, fileSize, fileInline: "offer" };
}

/** A file to be sent with a message: in memory, or as whatever brings it has announced it. */
export type Attachment =
  | { readonly type: "inline"; readonly name: string; readonly bytes: Uint8Array }
  | { readonly type: "announced"; readonly invitation: FileInvitation };

/** How a message announces its file. */
export function announcement(attachment: Attachment | null): FileInvitation | null {
  if (attachment?.type !== "inline") return attachment?.invitation ?? null;
  return invitationTo(safeFileName(attachment.name), attachment.bytes.length);
}

/** What an own item says of its file at first. `isKept`: in notes, it goes nowhere. */
export function ownFile(attachment: Attachment | null, isKept: boolean): ItemFile | null {
  if (attachment?.type !== "inline") return null;
  return { state: isKept ? "sent" : "sending", received: attachment.bytes.length };
}

/** Puts the bytes of an own file beside its item, where they wait for who accepts it. */
export function attach(step: Step, item: string, attachment: Attachment | null): void {
  if (attachment?.type !== "inline") return;
  const { bytes } = attachment;
  for (let number = 1; number <= chunkCount(bytes.length); number++) {
    const start = (number - 1) * MAX_CHUNK_LENGTH;
    step.put(TABLE.chunks, chunkKey(item, number), { bytes: bytes.slice(start, start + MAX_CHUNK_LENGTH) });
  }
}

/** Null while it is not whole. */
export async function fileBytes(step: Step, id: string): Promise<Uint8Array | null> {
  const { body, file } = await itemOf(step, id);
  const announced = body.type === "message" ? body.container.file : undefined;
  if (!file || !announced || file.received < announced.fileSize || file.state === "receiving") return null;
  const chunks = await step.list(TABLE.chunks, { prefix: prefixOf(id) });
  return chunks.length === 0 ? null : concat(...chunks.map(({ bytes }) => bytes));
}

/**
 * The number of the chunk that the agent knows by this number. One that was given to it and not noted, as the program
 * ended in between, was given to it again; its first number stands between those that were noted.
 */
export function chunkOf({ handed }: Sending, agentItem: number): number {
  return handed.filter((one) => one < agentItem).length + 1;
}

/** Who gets an own file, and on which way. */
export interface Recipient {
  /** The contact or the member. */
  readonly owner: string;
  readonly user: string;
  /** Of the connection that it made for the file; null: between the messages. */
  readonly link: string | null;
}

/** An own file goes to somebody. A second time it does not. */
export async function startSending(step: Step, item: MessageItem, { owner, user, link }: Recipient): Promise<void> {
  const { file } = item.body.container;
  const key = sendingKey(item.id, owner);
  if (!file || item.msgId === null || await step.has(TABLE.sendings, key)) return;
  const sending: Sending = {
    item: item.id, owner, user, link, connection: null, isJoining: false, handed: [], isDone: link === null,
  };
  step.put(TABLE.sendings, key, sending);
  if (link !== null) return step.effect({ type: "transfer", way: "sending", key });
  const count = chunkCount(file.fileSize);
  for (let number = 1; number <= count; number++) {
    await enqueueChunk(step, owner, item.id, { msgId: item.msgId, number, isLast: number === count });
  }
}

/** `x.file.acpt.inv`: somebody wants an own file. */
export async function fileAccepted(
  step: Step,
  item: Item | null,
  { owner, user }: Omit<Recipient, "link">,
  { msgId, fileName, fileConnReq }: Pick<EventParams["x.file.acpt.inv"], "msgId" | "fileName" | "fileConnReq">,
): Promise<void> {
  const isGone = !item || item.deletedAt !== null || item.file?.state === "cancelled";
  if (isGone) return tellFileGone(step, owner, msgId);
  if (!item.isOwn || !isMessage(item)) return;
  const { file } = item.body.container;
  const isThere = item.file?.state === "sending" || item.file?.state === "sent";
  if (!isThere || file?.fileName !== fileName || (!fileConnReq && file.fileInline !== "offer")) return;
  await startSending(step, item, { owner, user, link: fileConnReq ?? null });
}

/** What becomes of a file that somebody announces. */
export function expected(file: FileInvitation | undefined, hasId: boolean): ItemFile | null {
  if (!file) return null;
  const { fileSize, fileDescr, fileConnReq } = file;
  const canCome = hasId && !fileDescr && fileConnReq === undefined && fileSize <= MAX_FILE_SIZE;
  return { state: canCome ? "receiving" : "unsupported", received: 0 };
}

/** Whether one more file can be fetched from somebody. For that those end that did not come for long. */
async function hasRoom(step: Step, owner: string): Promise<boolean> {
  const open = await step.keys(TABLE.fetchings, { prefix: prefixOf(owner), limit: MAX_FETCHINGS });
  if (open.length < MAX_FETCHINGS) return true;
  let left = open.length;
  for (const key of open) {
    const fetching = await step.readSound(TABLE.fetchings, key);
    const item = fetching && await step.readSound(TABLE.items, fetching.item);
    if (item && step.now - item.at < FETCHING_TIME) continue;
    if (item?.file?.state === "receiving") await stopReceiving(step, item);
    else dropConnection(step, fetching?.connection ?? null);
    step.erase(TABLE.fetchings, key);
    left--;
  }
  return left < MAX_FETCHINGS;
}

/** Accepts a file that was announced with an item. `name`: as it was sent. */
export async function fetchFile(step: Step, item: Item, owner: string, user: string, name: string): Promise<void> {
  if (item.file?.state !== "receiving" || !isMessage(item) || item.msgId === null) return;
  const inline = item.body.container.file?.fileInline;
  // Older clients send it by themselves.
  if (inline === "sent") return;
  // Whoever announced it has left, in the same breath.
  if (!await canReach(step, owner)) return void changeItem(step, item, { file: { state: "cancelled", received: 0 } });
  if (inline === "offer") {
    return enqueue(step, owner, chatMessage({ type: "x.file.acpt.inv", params: { msgId: item.msgId, fileName: name } }, newSharedId()));
  }
  if (!await hasRoom(step, owner)) return void changeItem(step, item, { file: { state: "unsupported", received: 0 } });
  const key = fetchingKey(owner, item.id);
  step.put(TABLE.fetchings, key, { item: item.id, owner, user, fileName: name, connection: null });
  step.effect({ type: "transfer", way: "fetching", key });
}

const ownerOfFile = (item: Item): string => item.member ?? item.chat;

/** The connection that was made for a file has done its work, or will not. */
async function endFetching(step: Step, item: Item): Promise<void> {
  const key = fetchingKey(ownerOfFile(item), item.id);
  const fetching = await step.readSound(TABLE.fetchings, key);
  if (!fetching) return;
  step.erase(TABLE.fetchings, key);
  dropConnection(step, fetching.connection);
}

function dropConnection(step: Step, connection: string | null): void {
  if (connection === null) return;
  step.erase(TABLE.bindings, connection);
  step.effect({ type: "drop", connection });
}

async function stopReceiving(step: Step, item: Item): Promise<Item> {
  await step.eraseAll(TABLE.chunks, prefixOf(item.id));
  await endFetching(step, item);
  return changeItem(step, item, { file: { state: "cancelled", received: 0 } });
}

/**
 * A part of a file that somebody sends; null: it was cancelled. Parts may come twice and in any order; what does not
 * fit what was announced ends it.
 */
export async function chunkReceived(
  step: Step,
  item: Item | null,
  part: { readonly number: number; readonly bytes: Uint8Array } | null,
): Promise<void> {
  if (!item || item.isOwn || item.file?.state !== "receiving" || !isMessage(item)) return;
  const { file } = item.body.container;
  if (!file || part === null) return void await stopReceiving(step, item);
  const { number, bytes } = part;
  const isExpected = number >= 1 && number <= chunkCount(file.fileSize) && bytes.length === chunkLength(file.fileSize, number);
  if (!isExpected) return void await stopReceiving(step, item);
  const key = chunkKey(item.id, number);
  if (await step.has(TABLE.chunks, key)) return;
  step.put(TABLE.chunks, key, { bytes });
  const received = item.file.received + bytes.length;
  const isWhole = received === file.fileSize;
  changeItem(step, item, { file: { state: isWhole ? "received" : "receiving", received } });
  if (isWhole) await endFetching(step, item);
}

/** `x.file.cancel`: whoever sends a file has thought better of it. */
export async function fileCancelled(step: Step, item: Item | null): Promise<void> {
  if (item && !item.isOwn && item.file?.state === "receiving") await stopReceiving(step, item);
}

async function canReach(step: Step, owner: string): Promise<boolean> {
  return (await ownerOf(step, owner))?.isGone === false;
}

/** Of an own file: what has not gone yet does not go. */
async function stopSending(step: Step, id: string): Promise<Sending[]> {
  const all: Sending[] = [];
  for (const key of await step.keys(TABLE.sendings, { prefix: prefixOf(id) })) {
    const sending = await step.readSound(TABLE.sendings, key);
    if (!sending) continue;
    all.push(sending);
    dropConnection(step, sending.connection);
    step.put(TABLE.sendings, key, { ...sending, connection: null, isDone: true });
  }
  await withdrawChunks(step, id);
  return all;
}

/**
 * Ends sending or receiving a file. `owners`: whom an own one was announced to.
 * @throws ChatError "PROHIBITED" when there is nothing to end
 */
export async function cancelFile(step: Step, id: string, owners: readonly string[]): Promise<void> {
  const item = await itemOf(step, id);
  if (item.file?.state === "receiving") return void await stopReceiving(step, item);
  if (item.file?.state !== "sending" || item.msgId === null) {
    throw new ChatError("PROHIBITED", "there is no file on its way with this message");
  }
  const { msgId } = item;
  for (const { owner, link } of await stopSending(step, id)) {
    if (link === null && await canReach(step, owner)) await enqueueChunk(step, owner, id, { msgId, number: 0, isLast: false });
  }
  for (const owner of owners) {
    if (!await canReach(step, owner)) continue;
    const message = chatMessage({ type: "x.file.cancel", params: { msgId } }, newSharedId());
    await enqueue(step, owner, message, { subject: id, item: null });
  }
  await setFile(step, id, "cancelled");
}

/** The message was deleted, and stays marked: what is not here yet does not come, what did not go does not go. */
export async function abandonFile(step: Step, item: Item): Promise<Item> {
  if (item.file?.state === "receiving") return stopReceiving(step, item);
  if (item.file?.state !== "sending") return item;
  await stopSending(step, item.id);
  return changeItem(step, item, { file: { ...item.file, state: "cancelled" } });
}

/** Nothing remains of the files of an item, or of all of a conversation. `prefix`: of their ids. */
export async function eraseFiles(step: Step, prefix: string, item: Item | null): Promise<void> {
  await step.eraseAll(TABLE.chunks, prefix);
  for (const key of await step.keys(TABLE.sendings, { prefix })) {
    const sending = await step.readSound(TABLE.sendings, key);
    dropConnection(step, sending?.connection ?? null);
    step.erase(TABLE.sendings, key);
  }
  if (item?.file?.state === "receiving") await endFetching(step, item);
}

/** Somebody is gone: nothing comes from there any more, and nothing goes there. `chat`: of the contact or the member. */
export async function endTransfers(step: Step, owner: string, chat: string): Promise<void> {
  for (const key of await step.keys(TABLE.fetchings, { prefix: prefixOf(owner) })) {
    const fetching = await step.readSound(TABLE.fetchings, key);
    const item = fetching && await step.readSound(TABLE.items, fetching.item);
    if (item?.file?.state === "receiving") await stopReceiving(step, item);
    dropConnection(step, item ? null : fetching?.connection ?? null);
    step.erase(TABLE.fetchings, key);
  }
  for (const key of await step.keys(TABLE.sendings, { prefix: prefixOf(chat) })) {
    const sending = key.endsWith(`/${owner}`) ? await step.readSound(TABLE.sendings, key) : null;
    if (!sending || sending.isDone) continue;
    dropConnection(step, sending.connection);
    step.put(TABLE.sendings, key, { ...sending, connection: null, isDone: true });
    await loseFile(step, owner, sending.item);
  }
}

/** No file is fetched for a conversation any more: from the contact, or from any of the members. */
export async function eraseFetchings(step: Step, chat: string): Promise<void> {
  for (const key of await step.keys(TABLE.fetchings, { prefix: prefixOf(chat) })) {
    const fetching = await step.readSound(TABLE.fetchings, key);
    dropConnection(step, fetching?.connection ?? null);
    step.erase(TABLE.fetchings, key);
  }
}
