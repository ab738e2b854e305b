import {
  bool,
  expectObject,
  fieldOf,
  inField,
  type JsonCodec,
  natural,
  object,
  type Open,
  open,
  optional,
  tagged,
  taggedOrUnknown,
  text,
  typeOf,
  type Unknown,
} from "./json.ts";
import { type GroupProfile, groupProfile, type Profile, profile } from "./profile.ts";

/** What a link leads to. */
export type LinkContent =
  | { readonly type: "page" }
  | { readonly type: "image" }
  /** `duration` in seconds. */
  | { readonly type: "video"; readonly duration?: number };

export interface LinkPreview {
  readonly uri: string;
  readonly title: string;
  readonly description: string;
  /** A data URI. */
  readonly image: string;
  readonly content?: LinkContent | Unknown;
}

export type ReportReason = Open<"spam" | "content" | "community" | "profile" | "other">;

/** Somewhere to connect to, with what it shows of itself. */
export type ChatLink =
  | { readonly type: "contact"; readonly connLink: string; readonly profile: Profile; readonly business: boolean }
  | { readonly type: "invitation"; readonly invLink: string; readonly profile: Profile }
  | { readonly type: "group"; readonly connLink: string; readonly groupProfile: GroupProfile };

/** Content of the types that this client knows. Durations are seconds; `image` is a data URI of a preview. */
export type KnownContent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "link"; readonly text: string; readonly preview: LinkPreview }
  | { readonly type: "image"; readonly text: string; readonly image: string }
  | { readonly type: "video"; readonly text: string; readonly image: string; readonly duration: number }
  | { readonly type: "voice"; readonly text: string; readonly duration: number }
  | { readonly type: "file"; readonly text: string }
  | { readonly type: "report"; readonly text: string; readonly reason: ReportReason }
  | { readonly type: "chat"; readonly text: string; readonly chatLink: ChatLink };

/** Of a type that is not known yet: all of it as it came, and what can be shown in its place. */
export interface UnknownContent extends Unknown {
  readonly text: string;
}

/** What a message says (chat specification, section 4.1). */
export type MsgContent = KnownContent | UnknownContent;

/** Stands for content of an unknown type that brings no text. */
export const UNKNOWN_CONTENT_TEXT = "unknown message type";

type FieldsOf<T extends { readonly type: string }, K extends T["type"]> = Omit<
  Extract<T, { readonly type: K }>,
  "type"
>;

const linkContent = taggedOrUnknown<LinkContent>({
  page: object({}),
  image: object({}),
  video: object<FieldsOf<LinkContent, "video">>({ duration: optional(natural) }),
});

const preview = object<LinkPreview>({
  uri: text,
  title: text,
  description: text,
  image: text,
  content: optional(linkContent),
});

const chatLink = tagged<ChatLink>({
  contact: object<FieldsOf<ChatLink, "contact">>({ connLink: text, profile, business: bool }),
  invitation: object<FieldsOf<ChatLink, "invitation">>({ invLink: text, profile }),
  group: object<FieldsOf<ChatLink, "group">>({ connLink: text, groupProfile }),
});

const members: { readonly [K in KnownContent["type"]]: JsonCodec<FieldsOf<KnownContent, K>> } = {
  text: object({ text }),
  link: object({ text, preview }),
  image: object({ text, image: text }),
  video: object({ text, image: text, duration: natural }),
  voice: object({ text, duration: natural }),
  file: object({ text }),
  report: object({ text, reason: open }),
  chat: object({ text, chatLink }),
};

const knownContent = tagged<KnownContent>(members);
const isUnknown = (content: MsgContent): content is UnknownContent => content.type === "unknown";

export const msgContent: JsonCodec<MsgContent> = {
  read(json) {
    const source = expectObject(json);
    const tag = typeOf(source);
    if (Object.hasOwn(members, tag)) return knownContent.read(source);
    const shown = fieldOf(source, "text");
    const words = shown === undefined ? UNKNOWN_CONTENT_TEXT : inField("text", () => text.read(shown));
    return { type: "unknown", tag, text: words, json: source };
  },
  write: (content) => (isUnknown(content) ? content.json : knownContent.write(content)),
};
