import { base64urlUnpadded, hex, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import type { Server } from "#protocol/address";
import { type Link, parseLink } from "../../agent/wire/link.ts";
import { LinkError } from "../../agent/wire/link-error.ts";
import { ChatError } from "../errors.ts";
import type { Contact } from "../records.ts";
import type { Step } from "../step.ts";
import { TABLE } from "../tables.ts";
import { userOf } from "./records.ts";

// A link can be written in many ways. What it leads to is known by the queue, or by the secret of the short link.

const serverName = ({ keyHash, hosts }: Server): string => keyHash.length > 0 ? base64urlUnpadded(keyHash) : hosts[0] ?? "";

function namesOf(link: Link): string[] {
  if (link.type === "short") return [`short ${serverName(link.server)} ${base64urlUnpadded(link.linkKey)}`];
  return link.queues.map(({ server, senderId }) => `queue ${serverName(server)} ${base64urlUnpadded(senderId)}`);
}

/** Where links lead, in a form that tells nothing more: SHA-256 of each queue and short link. Other text leads nowhere. */
export function placesOf(...links: readonly (string | null)[]): string[] {
  const found = new Set<string>();
  for (const text of links) {
    try {
      for (const name of text === null ? [] : namesOf(parseLink(text))) found.add(hex(sha256(utf8(name))));
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
    }
  }
  return [...found];
}

/** Whether two links, or a link and what is remembered of others, lead to the same place. */
export function meet(places: readonly string[], others: readonly string[]): boolean {
  return places.some((one) => others.includes(one));
}

const GONE: ReadonlySet<Contact["status"]> = new Set<Contact["status"]>(["failed", "left", "leaving"]);

async function contactsAt(step: Step, user: string, places: readonly string[]): Promise<Contact[]> {
  return (await step.listSound(TABLE.contacts)).filter((one) => one.user === user && meet(places, one.places));
}

/** An own invitation would be taken by looking what is behind it. @throws ChatError "PROHIBITED" */
export async function checkInvitation(step: Step, user: string, places: readonly string[]): Promise<void> {
  const own = (await contactsAt(step, user, places)).find(({ origin }) => origin === "invitation");
  if (own) throw new ChatError("PROHIBITED", "this is your own invitation", { contact: own.id });
}

/**
 * Nobody connects with oneself, nor a second time with somebody who is there.
 * @throws ChatError "PROHIBITED", with the contact who is known by the link
 */
export async function checkPlaces(step: Step, user: string, places: readonly string[]): Promise<void> {
  await userOf(step, user);
  const address = await step.read(TABLE.addresses, user);
  if (address && meet(places, placesOf(address.link, address.shortLink))) {
    throw new ChatError("PROHIBITED", "this is your own address");
  }
  await checkInvitation(step, user, places);
  const known = (await contactsAt(step, user, places)).find(({ status }) => !GONE.has(status));
  if (known) {
    const how = known.status === "connected" ? `${known.name} is your contact already` : `you are connecting through this link already: ${known.name}`;
    throw new ChatError("PROHIBITED", how, { contact: known.id });
  }
  for (const { user: owner, business, status, link, name } of await step.listSound(TABLE.groups)) {
    const isThere = status === "connected" || status === "joining";
    if (owner !== user || business === null || !isThere || !meet(places, placesOf(link))) continue;
    throw new ChatError("PROHIBITED", `you are in the conversation with ${name} already`);
  }
}
