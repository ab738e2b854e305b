import type { ChatHappening } from "../../../../client/chat/events.ts";
import { subscribeUpdate, type Update } from "../../../../client/web/session/updates.ts";
import { openSession } from "../../../../client/web/session/open.ts";
import type { Session, SessionStatus } from "../../../../client/web/session/api.ts";

export { applyUpdate, checkForUpdate, installOffline } from "../../../../client/web/session/updates.ts";

const updates: Update[] = [];
subscribeUpdate((update) => updates.push(update));

/** What was told of new versions. */
export function updatesSoFar(): readonly Update[] {
  return updates;
}

let current: Session | undefined;
const heard: ChatHappening[] = [];

function session(): Session {
  if (!current) throw new Error("no session is open");
  return current;
}

interface Coded {
  readonly name: string;
  readonly code?: string;
  readonly refusal?: string;
  readonly failure?: string;
}

/** What an error is, in a few words. */
function nameOf(error: unknown): string {
  const { name, code, refusal, failure } = error as Coded;
  return `${name} ${refusal ?? failure ?? code ?? ""}`.trim();
}

async function outcomeOf<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    return nameOf(error);
  }
}

/** "open", or what the error is. */
export function open(secret?: string): Promise<string> {
  return outcomeOf(async () => {
    const opened = await openSession(secret === undefined ? {} : { passphrase: secret });
    if (current !== opened) opened.subscribe((happening) => heard.push(happening));
    current = opened;
    return opened.status.phase;
  });
}

export function status(): Omit<SessionStatus, "failure"> {
  const { failure: _, ...rest } = session().status;
  return rest;
}

type Facades = Readonly<Record<string, Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>>>;

/** A method of the chat by its name. */
export function call(facade: string, method: string, ...args: readonly unknown[]): Promise<unknown> {
  const found = (session().chat as unknown as Facades)[facade]?.[method];
  if (!found) throw new Error(`there is no ${facade}.${method}`);
  return found(...args);
}

/** The same, or what the error is. */
export function attempt(facade: string, method: string, ...args: readonly unknown[]): Promise<unknown> {
  return outcomeOf(() => call(facade, method, ...args));
}

/** Whether an error arrives as one of its class, with its fields. */
export async function classOf(facade: string, method: string, ...args: readonly unknown[]): Promise<object> {
  try {
    await call(facade, method, ...args);
    return {};
  } catch (error) {
    const { constructor, message, ...fields } = error as Error;
    return { class: constructor.name, isError: error instanceof Error, message, ...fields };
  }
}

export function control(method: string, ...args: readonly unknown[]): Promise<unknown> {
  return outcomeOf(async () => {
    const methods = session() as unknown as Facades[string];
    return await methods[method]?.(...args) ?? "done";
  });
}

export function passphrase(method: string, ...args: readonly unknown[]): Promise<unknown> {
  return outcomeOf(async () => {
    const methods = session().passphrase as unknown as Facades[string];
    return await methods[method]?.(...args) ?? "done";
  });
}

/** Resolves with the happening of that type. */
export async function next(type: ChatHappening["type"], seen = 0): Promise<ChatHappening> {
  for (;;) {
    const found = heard.filter((one) => one.type === type)[seen];
    if (found) return found;
    await new Promise((resolve) => {
      const stop = session().subscribe(() => {
        stop();
        resolve(undefined);
      });
    });
  }
}

/** Types of what was told, in order. */
export function happenings(): string[] {
  return heard.map(({ type }) => type);
}

export async function texts(chat: string, limit = 1000): Promise<string[]> {
  const items = await session().chat.history.items(chat, { limit });
  return items.flatMap(({ body }) => (body.type === "message" ? [body.container.content.text] : []));
}

/** How much the page keeps beside the profile at the moment when that is deleted. */
export function keptAtDeletion(): Promise<number> {
  return new Promise((resolve) => {
    const stop = session().subscribeStatus(({ phase }) => {
      if (phase !== "deleted") return;
      stop();
      resolve(localStorage.length);
    });
  });
}

const promised: string[] = [];
const refused: string[] = [];

/** Sends numbers from 0 on until a sending fails. */
export function keepCounting(chat: string): void {
  void (async () => {
    for (let i = 0; refused.length === 0; i++) {
      const result = await outcomeOf(() => session().chat.messages.send(chat, `${i}`));
      if (typeof result === "string") refused.push(result);
      else promised.push(`${i}`);
    }
  })();
}

export function counted(): { promised: string[]; refused: string[] } {
  return { promised, refused };
}

/** Writes so many messages, some at a time. */
export async function fill(chat: string, count: number): Promise<void> {
  const AT_ONCE = 50;
  for (let i = 0; i < count; i += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, count - i) }, (_, j) => i + j);
    await Promise.all(numbers.map((number) => session().chat.messages.send(chat, `This is message ${number}.`)));
  }
}

/** Sends a file of so many bytes, which are told by a function. @returns how many of them are there afterwards */
export function sendFile(chat: string, length: number): Promise<unknown> {
  return outcomeOf(async () => {
    const bytes = async (): Promise<Uint8Array> => new Uint8Array(length).fill(7);
    const file = { name: "sevens.bin", size: length, bytes };
    const { id } = await session().chat.messages.send(chat, { type: "file", text: "" }, { file });
    const kept = await session().chat.files.bytes(id);
    return kept?.every((byte) => byte === 7) ? kept.length : "other bytes";
  });
}
