import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { MessageItem } from "../../chat/records.ts";
import type { Quote } from "../../chat/wire/container.ts";
import type { ChatLink, LinkPreview, MsgContent } from "../../chat/wire/content.ts";
import { displayLine, displayName, displayText } from "../../chat/wire/rules/display.ts";
import { clockTime } from "../state/dates.ts";
import { excerptOfContent } from "../state/excerpt.ts";
import { safeImage } from "../state/rich-text.ts";
import type { Talk } from "../state/talk.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Avatar } from "./avatar.tsx";
import { Icon } from "./icon.tsx";
import { MessageFile } from "./message-file.tsx";
import { Picture } from "./picture.tsx";
import { Rich } from "./rich.tsx";
import { WebLink } from "./web-link.tsx";
import { VoicePlayer } from "./voice-player.tsx";

const { talk: said } = words;

interface BodyProps {
  readonly talk: Talk;
  readonly item: MessageItem;
}

/** What a message says. */
export function MessageBody({ talk, item }: BodyProps): VNode {
  const [isShown, show] = useState(false);
  if (item.deletedAt !== null) {
    return (
      <div class="deleted">
        <p class="text soft"><Icon name="trash" class="tiny" /> {deletion(talk, item, item.deletedAt)}</p>
        <button type="button" class="inline" aria-expanded={isShown} onClick={() => show(!isShown)}>
          {isShown ? said.hideDeleted : said.showDeleted}
        </button>
        {isShown && <Said talk={talk} item={item} />}
      </div>
    );
  }
  return (
    <>
      <Said talk={talk} item={item} />
      {item.status.type === "error" && <p class="trouble" role="alert">{whyNot(item.status)}</p>}
    </>
  );
}

function deletion(talk: Talk, { deletedBy }: MessageItem, at: number): string {
  const moderator = deletedBy === null ? undefined : talk.members.value.get(deletedBy);
  return moderator ? said.deletedBy(displayName(moderator.name), clockTime(at)) : said.deletedAt(clockTime(at));
}

function whyNot({ reason, detail }: { readonly reason: string; readonly detail: string }): string {
  const reasons: Readonly<Record<string, string>> = said.reasons;
  return said.why(reasons[reason] ?? displayLine(detail));
}

function Said({ talk, item }: BodyProps): VNode {
  const { container } = item.body;
  const { content, quote, forward, mentions } = container;
  return (
    <>
      {forward && <p class="small soft"><Icon name="forward" class="tiny" /> {said.forwarded}</p>}
      {quote && <Quoted talk={talk} item={item} quote={quote} />}
      <Special item={item} content={content} />
      {content.text !== "" && content.type !== "unknown" && (
        <Rich
          text={content.text}
          hasMentions={mentions !== undefined}
        />
      )}
      {content.type === "unknown" && <UnknownContent content={content} />}
    </>
  );
}

function Quoted({ talk, item, quote }: BodyProps & { readonly quote: Quote }): VNode {
  const app = useApp();
  const { msgRef, content } = quote;
  const author = msgRef.memberId === undefined
    ? (item.isOwn === msgRef.sent ? said.you : talk.name.value)
    : memberName(talk, msgRef.memberId);
  const image = content.type === "image" || content.type === "video" ? safeImage(content.image) : null;
  const jump = (): Promise<boolean> => app.attempt(async () => {
    if (!await talk.jumpToQuoted(msgRef, item.id)) app.questions.tell(said.quoteGone);
  });
  return (
    <button type="button" class="quote" onClick={() => void jump()}>
      <span class="quote-said">
        <bdi class="author">{author}</bdi>
        <span class="excerpt" dir="auto">{excerptOfContent(content)}</span>
      </span>
      {image !== null && <img src={image} alt="" />}
    </button>
  );
}

function memberName(talk: Talk, memberId: string): string {
  if (talk.line.peek()?.group?.memberId === memberId) return said.you;
  const member = [...talk.members.value.values()].find((one) => one.memberId === memberId);
  return member ? displayName(member.name) : said.someone;
}

function Special({ item, content }: { readonly item: MessageItem; readonly content: MsgContent }): VNode | null {
  switch (content.type) {
    case "image":
      return <Picture item={item} image={content.image} />;
    case "video":
      return <><Picture item={item} image={content.image} isVideo /><MessageFile item={item} /></>;
    case "voice":
      return <VoicePlayer item={item} seconds={content.duration} />;
    case "link":
      return <LinkCard preview={content.preview} />;
    case "chat":
      return <ChatCard link={content.chatLink} />;
    case "report":
      return (
        <p class="small trouble">
          <Icon name="warning" class="tiny" /> {said.report}: {displayLine(String(content.reason))}
        </p>
      );
    default:
      return item.body.container.file ? <MessageFile item={item} /> : null;
  }
}

function LinkCard({ preview }: { readonly preview: LinkPreview }): VNode {
  const url = URL.parse(preview.uri);
  const isWeb = url?.protocol === "https:" || url?.protocol === "http:";
  const image = safeImage(preview.image);
  const inner = (
    <>
      {image !== null && <img src={image} alt="" />}
      <span class="card-said">
        <strong dir="auto">{displayLine(preview.title)}</strong>
        {preview.description !== "" && (
          <span class="soft" dir="auto">{displayLine(preview.description.slice(0, 300))}</span>
        )}
        <small dir="ltr">{isWeb && url ? url.host : displayLine(preview.uri.slice(0, 100))}</small>
      </span>
    </>
  );
  return isWeb && url
    ? <WebLink href={url.href} class="link-card">{inner}</WebLink>
    : <div class="link-card">{inner}</div>;
}

function ChatCard({ link }: { readonly link: ChatLink }): VNode {
  const app = useApp();
  const shown = link.type === "group" ? link.groupProfile : link.profile;
  const name = displayName(shown.displayName);
  const target = link.type === "invitation" ? link.invLink : link.connLink;
  return (
    <button type="button" class="link-card" onClick={() => app.connect(target)}>
      <Avatar name={name} image={shown.image} icon={link.type === "group" && !shown.image ? "people" : undefined} />
      <span class="card-said">
        <strong><bdi>{name}</bdi></strong>
        <small>{words.people.connectThis}</small>
      </span>
    </button>
  );
}

const SHOWN = 4000;

/** The words that it brought, and all of it for who wants to see. */
function UnknownContent({ content }: { readonly content: Extract<MsgContent, { readonly type: "unknown" }> }): VNode {
  return (
    <>
      <Rich text={content.text} />
      <details class="small">
        <summary>{said.unknownContent} ({displayLine(content.tag.slice(0, 60))})</summary>
        <pre tabIndex={0}>{displayText(JSON.stringify(content.json, null, 2).slice(0, SHOWN))}</pre>
      </details>
    </>
  );
}
