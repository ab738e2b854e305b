/** A key or an account for a push provider is not usable; the message tells the operator what is wrong with it. */
export class PushConfigError extends Error {
  override readonly name = "PushConfigError";
}
