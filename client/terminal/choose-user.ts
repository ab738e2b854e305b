import type { User } from "../chat/records.ts";
import { CommandLineError } from "./options.ts";
import type { Profile } from "./profile.ts";

/** The user that is meant; in a new profile one of the name that was given or is typed. Null: nobody answered. */
export async function chooseUser({ chat }: Profile, wanted: string | null, ask: () => Promise<string | null>): Promise<User | null> {
  const all = await chat.users.list();
  if (all.length === 0) {
    const name = wanted ?? await ask();
    return name === null ? null : chat.users.create({ displayName: name, fullName: "" });
  }
  if (wanted === null) return await chat.users.active() ?? all[0] ?? null;
  const user = all.find(({ profile }) => profile.displayName === wanted);
  if (user) return user;
  throw new CommandLineError(`there is no profile called ${wanted} here; there is ${all.map(({ profile }) => profile.displayName).join(", ")}`);
}
