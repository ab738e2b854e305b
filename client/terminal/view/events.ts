import { displayText } from "../../chat/wire/rules/display.ts";
import type { Item } from "../../chat/records.ts";
import { dim, type Line, line, red, yellow } from "../text/styled.ts";
import { isMessage, messageLines, type Place, shownPlace } from "./item.ts";
import { preview, shownName, shownTime } from "./words.ts";

type Words = (who: string, detail: string, member: string) => string;

/** What an event of a conversation says. */
const EVENTS: Readonly<Record<string, Words>> = {
  connected: (who) => (who.startsWith("#") ? `${who}: you joined the group` : `${who}: contact is connected`),
  failed: (who, detail) => `${who}: the connection was not made (${detail})`,
  contactLeft: (who) => `${who} deleted the contact with you`,
  profileChanged: (who, detail, member) => (member === "" ? `${who}: the profile changed (${detail})` : `${who}: ${member} is called ${detail} now`),
  preferencesChanged: (who, detail) => `${who}: preferences changed: ${detail} (/i shows them)`,
  codeChanged: (who) => `${who}: the security code changed; compare it again with /code`,
  voiceRefused: (who) => `${who} sent a voice message, which you have not agreed on`,
  callRefused: (who) => `${who} called, which you have not agreed on`,
  filePart: (who) => `${who} sent a file in parts, which this program cannot put together`,
  unreadable: (who, detail) => `${who}: something that came cannot be read (${detail})`,
  lost: (who, detail, member) => `${who}: ${detail} message(s)${member === "" ? "" : ` of ${member}`} got lost on the way`,
  invited: (who, detail) => invitation(who, detail),
  memberJoined: (who, detail) => `${who}: ${detail} joined the group`,
  memberLeft: (who, detail) => `${who}: ${detail} left the group`,
  memberRemoved: (who, detail, member) => `${who}: ${member || "you"} removed ${detail} from the group`,
  memberRole: (who, detail, member) => `${who}: ${member || "you"} changed a role: ${detail}`,
  memberBlocked: (who, detail, member) => `${who}: ${member || "you"} ${detail.startsWith("-") ? "unblocked" : "blocked"} ${detail.replace(/^-/u, "")} for all`,
  groupUpdated: (who, detail, member) => `${who}: ${member || "you"} changed the group (${detail})`,
  groupDeleted: (who, _detail, member) => `${who}: ${member || "the owner"} deleted the group; /d ${who} deletes it here`,
  removed: (who, _detail, member) => `${who}: ${member || "somebody"} removed you from the group; /d ${who} deletes it here`,
  refused: (who, detail, member) => `${who}: ${member || "a member"} sent something that the group does not allow (${detail})`,
};

/** Of a contact: into a group of that name. Of a group: somebody comes through its link. */
function invitation(who: string, detail: string): string {
  if (who.startsWith("#")) return `${who}: ${detail} comes through the link of the group`;
  return `${who} invites you to the group ${shownName(detail)}`;
}

/** Events that ask for attention. */
const ALARMS: ReadonlySet<string> = new Set(["codeChanged", "failed", "contactLeft", "unreadable", "lost", "removed", "groupDeleted"]);

/** An item of any kind as it stands in the conversation. */
export function itemLines(item: Item, place: Place, isListed = false): Line[] {
  if (isMessage(item)) return messageLines(item, place, isListed);
  const time = dim(`${shownTime(item.sentAt, place.now)} `);
  const who = place.type === "contact" ? shownName(place.name) : shownPlace(place);
  const { body } = item;
  if (body.type === "unknown") {
    return [line(time, yellow(`${who}> `), dim(`[something of a later version: ${preview(body.event, 40)}]`))];
  }
  if (body.type !== "event") return [];
  const member = place.member === null ? "" : shownName(place.member);
  const detail = preview(displayText(body.detail), 200);
  const words = Object.hasOwn(EVENTS, body.event) ? EVENTS[body.event] : undefined;
  const text = words?.(who, detail, member) ?? `${who}: ${body.event} ${detail}`;
  return [line(time, ALARMS.has(body.event) ? red(text) : text)];
}
