import { fromUtf8, utf8 } from "#crypto/bytes";
import { openIndexedDbStore, StoreError } from "../../../client/index.ts";
import { Actor, type RelayPlace, type World } from "../../scenario/agent/suite/actor.ts";
import { stories } from "../../scenario/agent/suite/all.ts";
import { play } from "../../scenario/agent/suite/stage.ts";

type Relays = World["relays"];

/** One of the stories, by its name. */
export async function tell(name: string, relays: Relays): Promise<void> {
  const story = stories.find((one) => one.name === name);
  if (story === undefined) throw new Error(`no story with the name "${name}"`);
  await play(story, { relays, openStore: openIndexedDbStore });
}

// One person in this page, told from outside what to do.

let actor: Actor | undefined;

function person(): Actor {
  if (actor === undefined) throw new Error("nobody is in this page");
  return actor;
}

/** "started", or the code of the StoreError. */
export async function start(profile: string, relay: RelayPlace): Promise<string> {
  const newcomer = new Actor({ relays: [relay, relay], openStore: openIndexedDbStore }, profile);
  try {
    actor = await newcomer.start();
    return "started";
  } catch (error) {
    if (error instanceof StoreError) return error.code;
    throw error;
  }
}

export async function stop(): Promise<void> {
  await person().stop();
}

export async function invite(): Promise<{ readonly connection: string; readonly link: string }> {
  return person().agent.invite();
}

export async function join(link: string): Promise<string> {
  return person().agent.join(link, utf8("joiner"));
}

export async function allow(): Promise<void> {
  const { connection, confirmation } = await person().next("confirmation");
  await person().agent.allow(connection, confirmation, utf8("initiator"));
}

export async function connected(): Promise<void> {
  await person().next("connected");
}

export async function send(connection: string, text: string): Promise<void> {
  await person().send(connection, text);
}

export async function receive(): Promise<string> {
  return person().receive();
}

/** The next message, which stays unacknowledged. */
export async function look(): Promise<string> {
  return fromUtf8((await person().next("message")).body);
}

let promised = 0;

/** Sends numbers from 0 on until the page ends. */
export function count(connection: string): void {
  void (async () => {
    for (;;) {
      await person().send(connection, `${promised}`);
      promised++;
    }
  })();
}

/** How many of them are promised to be sent. */
export function counted(): number {
  return promised;
}

/** Text of `error` events. */
export function complaints(): string[] {
  return person().takeErrors().map(String);
}
