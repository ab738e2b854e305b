import { displayText } from "../../chat/wire/rules/display.ts";
import { words } from "../words/words.ts";

/** What errors of the library have in common, wherever they were thrown. */
interface Told {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly failure?: string;
  readonly refusal?: string;
  readonly host?: string;
  readonly error?: { readonly type?: string } | null;
}

function told(error: unknown): Told {
  return error instanceof Error ? (error as Told) : { name: "Error", message: String(error) };
}

const sentence = (text: string): string => {
  const shown = displayText(text);
  const capital = shown.charAt(0).toLocaleUpperCase() + shown.slice(1);
  return /[.!?…]$/u.test(capital) ? capital : `${capital}.`;
};

/** Whether a store could not be opened because of its passphrase. */
export function needsPassphrase(error: unknown): boolean {
  const { name, code } = told(error);
  return name === "StoreError" && code === "PASSPHRASE";
}

/** Which of the reasons why nothing can be opened this is. */
export function storeFault(error: unknown): "DAMAGED" | "BUSY" | "FULL" | "OTHER" {
  const { name, code } = told(error);
  const known = (["DAMAGED", "BUSY", "FULL"] as const).find((one) => one === code);
  return name === "StoreError" && known ? known : "OTHER";
}

function ofRelay({ name, host = "", message, error, code }: Told): string {
  if (code === "PROXY") return `${words.errors.proxyHop(host)} ${sentence(message)}`;
  if (name === "ProtocolError" && error?.type === "AUTH") return words.errors.linkGone;
  if (name === "ProtocolError") return sentence(message);
  return words.errors.unreachable(host);
}

const PLAIN: ReadonlySet<string> = new Set(["SessionError", "AddressError", "NotAllowedError", "NotFoundError", "NotReadableError", "SubscriptionError"]);

/** An error for people: what went wrong, and what they can do. */
export function explain(error: unknown): string {
  const fault = told(error);
  const isOfNetwork = ["CONNECT", "TIMEOUT", "DISCONNECTED"].includes(fault.code ?? "");
  if (isOfNetwork && !navigator.onLine) return words.errors.offline;
  switch (fault.code) {
    case "LINK":
      if (fault.failure === "SYNTAX") return words.errors.linkSyntax;
      if (fault.failure === "GONE") return words.errors.linkGone;
      return fault.failure === "SERVER" ? words.errors.linkServer : sentence(fault.message);
    case "CONNECT":
    case "TIMEOUT":
    case "DISCONNECTED":
    case "PROXY":
    case "PROTOCOL":
      return ofRelay(fault);
    case "CLOSED":
      return words.errors.closed;
    case "FULL":
      return words.errors.full;
    case undefined:
      if (fault.name === "SessionError" && fault.failure === "INTERRUPTED") return words.errors.interrupted;
      // Their messages say what is wrong, and there is nothing to add.
      if (PLAIN.has(fault.name)) return sentence(fault.message);
      return `${words.errors.unknown} (${sentence(fault.message)})`;
    default:
      return sentence(fault.message);
  }
}
