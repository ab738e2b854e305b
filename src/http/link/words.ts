/** What a page tells about one kind of link. */
export interface Words {
  readonly title: string;
  readonly heading: string;
  readonly lead: string;
  /** What to mind: the point in few words, then the rest of it. */
  readonly care: readonly [point: string, rest: string];
  readonly uses: string;
}

const ANY_TIME = "Any number of times, until its owner withdraws it";

const INVITATION: Words = {
  title: "One-time invitation",
  heading: "A one-time invitation to a private chat",
  lead: "Somebody invites you to talk on SimpleX, end-to-end encrypted. "
    + "The link connects one person: whoever uses it first.",
  care: [
    "It works only once.",
    "Give it only to the person it is for, and never post it where others can see it. "
    + "Looking at this page does not use it up.",
  ],
  uses: "Once",
};

const ADDRESS: Words = {
  title: "Contact address",
  heading: "Somebody's contact address",
  lead: "With it you can ask its owner for a private chat on SimpleX, end-to-end encrypted. "
    + "The owner decides whether to accept.",
  care: [
    "It works for everybody.",
    "Whoever sees it can send its owner a request, so pass it on only as far as the owner wants.",
  ],
  uses: ANY_TIME,
};

const GROUP: Words = {
  title: "Group link",
  heading: "A link to a group",
  lead: "With it you can join a group chat on SimpleX. Its members will see the name and picture that you join with.",
  care: ["It works for everybody.", "Whoever sees it can ask to join, so pass it on only as far as the group wants."],
  uses: ANY_TIME,
};

const CHANNEL: Words = {
  title: "Channel link",
  heading: "A link to a channel",
  lead: "With it you can follow a channel on SimpleX: its owners post, and everybody who joined reads.",
  care: ["It works for everybody.", "Whoever sees it can join, so pass it on only as far as its owners want."],
  uses: ANY_TIME,
};

const RELAY: Words = {
  title: "Chat relay's address",
  heading: "The address of a chat relay",
  lead: "A chat relay delivers the posts of channels on SimpleX to those who read them. It is no person to talk to: "
    + "channel owners add it in the settings of their app.",
  care: ["It works for everybody.", "Whoever sees it can use the relay, so pass it on only as its operator wants."],
  uses: ANY_TIME,
};

/** The kinds of links by the path that stands before `#`. */
export const WORDS = {
  i: INVITATION,
  a: ADDRESS,
  g: GROUP,
  c: CHANNEL,
  r: RELAY,
  invitation: INVITATION,
  contact: ADDRESS,
} as const;

export type LinkPath = keyof typeof WORDS;
