import type { VNode } from "preact";
import { useMemo, useState } from "preact/hooks";
import { isOnlyEmoji, type Piece, richText } from "../state/rich-text.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { WebLink } from "./web-link.tsx";

const TAGS = { bold: "strong", italic: "em", struck: "s", code: "code" } as const;

function Secret({ text }: { readonly text: string }): VNode {
  const [isShown, show] = useState(false);
  return (
    <button
      type="button"
      class={`secret ${isShown ? "is-shown" : ""}`}
      aria-expanded={isShown}
      onClick={() => show(!isShown)}
    >
      {isShown ? text : <span aria-label={words.talk.secret}>{"•".repeat(Math.min(12, text.length))}</span>}
    </button>
  );
}

function Look({ look, text }: Piece): VNode {
  if (look === "secret") return <Secret text={text} />;
  if (look === "mention") return <span class="mention">{text}</span>;
  if (look === "coloured") return <span class="coloured">{text}</span>;
  if (look === "plain") return <>{text}</>;
  const Tag = TAGS[look];
  return <Tag>{text}</Tag>;
}

interface RichProps {
  readonly text: string;
  readonly hasMentions?: boolean;
  readonly class?: string;
}

/** What somebody wrote: nothing in it does anything but links, and they say where they lead. */
export function Rich({ text, hasMentions = false, class: style = "" }: RichProps): VNode {
  const app = useApp();
  const pieces = useMemo(() => richText(text, hasMentions), [text, hasMentions]);
  const emoji = isOnlyEmoji(text) ? "is-emoji" : "";
  return (
    <p class={`text ${emoji} ${style}`} dir="auto">
      {pieces.map((piece, at) => {
        if (piece.look === "web") return <WebLink key={at} href={piece.href}>{piece.text}</WebLink>;
        if (piece.look !== "simplex") return <Look key={at} {...(piece as Piece)} />;
        return (
          <button
            key={at}
            type="button"
            class="simplex-link"
            title={words.people.connectThis}
            onClick={() => app.connect(piece.href)}
          >
            {piece.text.length > 60 ? `${piece.text.slice(0, 40)}…` : piece.text}
          </button>
        );
      })}
    </p>
  );
}
