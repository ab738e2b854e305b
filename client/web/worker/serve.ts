import { toPlain } from "../session/errors.ts";
import type { Call, FromLeader } from "../session/protocol.ts";
import type { Engine } from "./engine.ts";

type Method = (this: unknown, ...args: readonly unknown[]) => unknown;

/** What pages may ask of the engine itself. */
const SESSION: ReadonlySet<string> = new Set<keyof Engine>([
  "unlock", "retry", "lock", "deleteEverything", "isSealed", "setPassphrase", "changePassphrase", "removePassphrase",
  "settings", "setSettings", "ownRelay", "reconnect",
]);

/** The object and the function that a call means. Only methods that its class declares can be called. */
function find(engine: Engine, { facade, method }: Call): [object, Method] {
  const isSession = facade === "session";
  const chat = isSession ? null : engine.chat;
  const target: unknown = isSession ? engine : Object.hasOwn(chat ?? {}, facade) && chat?.[facade as keyof typeof chat];
  const isAllowed = isSession ? SESSION.has(method) : method !== "constructor";
  if (typeof target === "object" && target !== null && isAllowed) {
    const prototype = Object.getPrototypeOf(target) as object;
    const found = Object.hasOwn(prototype, method) && (target as Record<string, unknown>)[method];
    if (typeof found === "function") return [target, found as Method];
  }
  throw new TypeError(`there is no ${facade}.${method}`);
}

/** Does what a page asks for. */
export async function answer(engine: Engine, call: Call): Promise<FromLeader> {
  const { from: to, leader, id } = call;
  try {
    const [target, method] = find(engine, call);
    return { type: "result", to, leader, id, value: await method.apply(target, [...call.args]) };
  } catch (error) {
    return { type: "failure", to, leader, id, error: toPlain(error) };
  }
}

