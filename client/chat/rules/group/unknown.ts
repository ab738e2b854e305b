import { ChatError } from "../../errors.ts";
import type { Member } from "../../group-records.ts";
import type { Step } from "../../step.ts";
import type { Id } from "../../wire/ids.ts";
import { CHAT_VERSIONS } from "../../wire/versions.ts";
import { MAX_UNKNOWN_MEMBERS } from "./limits.ts";
import { addMember, groupOf, membersOf } from "./records.ts";

/** Letters of an id that stand for the name of who has told none. */
const NAME_LETTERS = 7;

/** A member of whom only something that it wrote, or that is said of it, came. */
export async function unknownMember(step: Step, group: string, memberId: Id, name?: string): Promise<Member> {
  // As many have ever been members: nobody need be counted.
  const isCounted = (await groupOf(step, group)).nextMember > MAX_UNKNOWN_MEMBERS;
  const known = isCounted ? await membersOf(step, group) : [];
  if (known.filter(({ status }) => status === "unknown").length >= MAX_UNKNOWN_MEMBERS) {
    throw new ChatError("PROHIBITED", `no more than ${MAX_UNKNOWN_MEMBERS} members who were not introduced are kept`);
  }
  return addMember(step, group, {
    memberId,
    role: "author",
    versions: CHAT_VERSIONS,
    profile: { displayName: name === undefined || name === "" ? memberId.slice(0, NAME_LETTERS) : name, fullName: "" },
    category: "pre",
    status: "unknown",
  });
}
