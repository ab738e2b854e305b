import { vi } from "vitest";
import { Queue } from "../../src/objects/queue.ts";
import { Service } from "../../src/objects/service.ts";

// Objects share the isolate of the tests, so that what they inherit can be made to fail.

/** What the platform says of a failure. */
export interface Nature {
  readonly retryable?: boolean;
  readonly overloaded?: boolean;
}

/** As of an object that moved or was updated. */
const MOVED: Nature = { retryable: true };

type Method = (this: unknown, ...args: readonly unknown[]) => Promise<unknown>;
type Methods = Record<string, Method>;

/** Calls that can fail: commands, NEW and SUBS. */
const OWNERS = { handle: Queue, create: Queue, subscribe: Service } as const;
export type Failing = keyof typeof OWNERS;

/** A class of objects. */
interface Owner {
  readonly prototype: object;
}

function replaceNext(name: Failing, count: number, make: (original: Method) => Method): void {
  replaceNextOf(OWNERS[name], name, count, make);
}

function replaceNextOf({ prototype }: Owner, name: string, count: number, make: (original: Method) => Method): void {
  const methods = prototype as Methods;
  const original = methods[name];
  if (!original) throw new Error(`no method ${name}`);
  const spy = vi.spyOn(methods, name);
  for (let i = 0; i < count; i++) spy.mockImplementationOnce(make(original));
}

const failure = (nature: Nature): Error => Object.assign(new Error("secret"), nature);

/** Makes the next calls fail before they do anything. */
export function failCalls(name: Failing, count: number, nature = MOVED): void {
  replaceNext(name, count, () => () => Promise.reject(failure(nature)));
}

/** Makes the next calls fail after everything is done; `then` is awaited in between. */
export function loseAnswers(name: Failing, count: number, then = async (): Promise<void> => undefined): void {
  replaceNext(name, count, (original) => async function (...args) {
    await original.apply(this, [...args]);
    await then();
    throw failure(MOVED);
  });
}

/** Makes the next calls of any class's method fail, for good, before or after they are done. */
export function breakCalls(owner: Owner, name: string, count: number, when: "before" | "after"): void {
  replaceNextOf(owner, name, count, (original) => async function (...args) {
    if (when === "after") await original.apply(this, [...args]);
    throw failure({});
  });
}

/** Makes the next calls wait before they do anything. */
export function holdCalls(name: Failing, count: number, isOver: () => boolean): void {
  replaceNext(name, count, (original) => async function (...args) {
    await until(isOver);
    return await original.apply(this, [...args]);
  });
}

/** Does something else in place of the pauses that callers make before they call again. */
export function insteadOfPauses(act: () => Promise<unknown>): void {
  vi.spyOn(scheduler, "wait").mockImplementation(async () => void await act());
}

/** Looks again and again: objects and tests must not wait for one another's promises. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}
