/**
 * Tells the operator that something went wrong inside. Never given ids, keys or contents: only what failed and the
 * error's own text.
 */
export function report(what: string, error: unknown): void {
  const cause = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  console.error(`smp-edge: ${what}: ${cause}`);
}
