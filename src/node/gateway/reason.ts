/** A gateway cannot start or go on; the message tells what to do. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
}

/** What failed on a network in a few words: the system's code if there is one. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
}
