import { toPlain } from "../session/errors.ts";
import type { Call, FromLeader } from "../session/protocol.ts";
import type { Engine } from "./engine.ts";

type Method = (this: unknown, ...args: readonly unknown[]) => unknown;

/** What pages may ask of the engine itself. */
const SESSION: ReadonlySet<string> = new Set<keyof Engine>([
  "unlock", "retry", "lock", "deleteEverything", "isSealed", "setPassphrase", "changePassphrase", "removePassphrase",
  "settings", "setSettings", "ownRelay", "reconnect",
]);

const PUSH: ReadonlySet<string> = new Set<keyof Engine["pushes"]>([
  "register", "renew", "setMode", "setNaming", "remove", "arrived", "seen",
]);

/** Null: whatever the class of the facade declares. */
function allowedOf(facade: string): ReadonlySet<string> | null {
  if (facade === "session") return SESSION;
  return facade === "push" ? PUSH : null;
}

function targetOf(engine: Engine, facade: string): unknown {
  if (facade === "session") return engine;
  if (facade === "push") return engine.pushes;
  const { chat } = engine;
  return Object.hasOwn(chat, facade) && chat[facade as keyof typeof chat];
}

/** The object and the function that a call means. Only methods that its class declares can be called. */
function find(engine: Engine, { facade, method }: Call): [object, Method] {
  const target = targetOf(engine, facade);
  const isAllowed = allowedOf(facade)?.has(method) ?? method !== "constructor";
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

