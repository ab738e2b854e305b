import { randomFraction } from "#crypto/random";
import type { Step } from "../step.ts";
import { TABLE } from "../tables.ts";
import type { Profile } from "../wire/profile.ts";
import { displayName } from "../wire/rules/display.ts";

/** A name that no other contact or group of the user has: the one that is wanted, or it with a number. */
export async function uniqueName(step: Step, user: string, wanted: string, except: string | null): Promise<string> {
  const others = [...await step.listSound(TABLE.contacts), ...await step.listSound(TABLE.groups)];
  const taken = new Set(others.filter((one) => one.user === user && one.id !== except).map(({ name }) => name));
  const base = displayName(wanted);
  let name = base;
  for (let number = 1; taken.has(name); number++) name = `${base}_${number}`;
  return name;
}

const FIRST = [
  "Amber", "Brave", "Calm", "Clever", "Early", "Fair", "Gentle", "Golden", "Happy", "Keen", "Kind", "Light", "Lucky",
  "Merry", "Noble", "Quiet", "Rapid", "Silver", "Sunny", "Warm",
] as const;
const SECOND = [
  "Badger", "Beaver", "Crane", "Deer", "Falcon", "Finch", "Fox", "Heron", "Lark", "Lynx", "Marten", "Otter", "Owl",
  "Raven", "Robin", "Seal", "Stork", "Swan", "Wren", "Yak",
] as const;

/** For a contact that is not to see who the user is. */
export function randomProfile(): Profile {
  const pick = (words: readonly string[]): string => words[Math.floor(randomFraction() * words.length)] ?? "";
  return { displayName: `${pick(FIRST)}${pick(SECOND)}`, fullName: "" };
}
