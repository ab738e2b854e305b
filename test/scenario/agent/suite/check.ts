import { hex } from "#crypto/bytes";

// What stories check with: they run where there is no test runner.

/** JSON in which the order of fields does not matter. */
function shown(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof Uint8Array) return `bytes ${hex(part)}`;
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Fails unless both are the same when written as JSON. */
export function expectSame(actual: unknown, expected: unknown, what: string): void {
  if (shown(actual) === shown(expected)) return;
  throw new Error(`${what}: expected ${shown(expected)}, got ${shown(actual)}`);
}

export function expectThat(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`expected that ${what}`);
}

/** What the work failed with. */
export async function failureOf(work: Promise<unknown>): Promise<Error> {
  const failure = await work.then(() => null, (error: unknown) => error);
  if (failure instanceof Error) return failure;
  throw new Error(`expected a failure, got ${failure === null ? "none" : shown(failure)}`);
}

/** A value that has to be there. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`expected ${what}`);
  return value;
}
