/**
 * Members of whom a group's records are kept. Every introduction costs a queue at the own relay, so a host cannot have
 * any number of them made.
 */
export const MAX_MEMBERS = 1000;
/** Members who came through the link of a group, and are not connected yet. */
export const MAX_ARRIVING = 50;
/** Milliseconds after which one of them gives its place to another one, when there are as many. */
export const ARRIVING_PERIOD = 3_600_000;
/** Members of whom only what was passed on is known. */
export const MAX_UNKNOWN_MEMBERS = 200;
/** Groups that one contact can ask into at the same time. */
export const MAX_INVITATIONS = 50;
/** Members of a group, the user among them, up to which receipts are given, as official clients do. */
export const MAX_MEMBERS_FOR_RECEIPTS = 20;
/** Deletions by moderators that wait for their messages, of one group. */
export const MAX_MODERATIONS = 1000;
/** Items that a new member is shown of what was said before. */
export const HISTORY_ITEMS = 100;
/** Items among which they are looked for: most can be events. */
export const HISTORY_SEARCH = 1000;
/** Characters of the name of an author of what is passed on. */
export const MAX_FORWARDED_NAME = 16;
/** Milliseconds for which a message that came is known at least, so that a second one is ignored. */
export const SEEN_PERIOD = 15 * 86_400_000;
