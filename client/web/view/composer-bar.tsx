import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { excerptOf } from "../state/excerpt.ts";
import { byteSize } from "../state/dates.ts";
import { mayUse, mayWrite } from "../state/standing.ts";
import type { Talk } from "../state/talk.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { IconButton } from "./controls.tsx";
import { EmojiPanel } from "./emoji-panel.tsx";
import { Icon } from "./icon.tsx";
import { begunMention, MentionList } from "./mention-list.tsx";
import { canRecord, VoiceRecorder } from "./voice-recorder.tsx";

const { talk: said } = words;

/** Where one writes. */
export function ComposerBar({ talk }: { readonly talk: Talk }): VNode | null {
  const app = useApp();
  const box = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const [isRecording, record] = useState(false);
  const [hasEmoji, showEmoji] = useState(false);
  const { composer } = talk;
  const text = composer.text.value;
  const line = talk.line.value;

  // As high as what is in it, up to what the style allows.
  useLayoutEffect(() => {
    if (!box.current) return;
    box.current.style.setProperty("height", "auto");
    box.current.style.setProperty("height", `${box.current.scrollHeight + 2}px`);
  }, [text, isRecording]);
  // On a touch screen the keyboard would cover what is to be read.
  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) box.current?.focus({ preventScroll: true });
  }, [talk]);
  useEffect(() => {
    const keep = (): void => void app.attempt(() => composer.keep());
    addEventListener("pagehide", keep);
    return () => removeEventListener("pagehide", keep);
  }, [composer]);

  if (!line || !mayWrite(line)) return null;
  const isNotes = line.conversation.kind === "notes";
  const send = async (): Promise<void> => {
    showEmoji(false);
    await composer.send();
    box.current?.focus();
  };
  const keys = (event: KeyboardEvent): void => {
    // On a touch screen it begins a new line, as there is no other key for that.
    const isSending = !matchMedia("(pointer: coarse)").matches || event.ctrlKey || event.metaKey;
    // Enter that ends the choice of a character sends nothing.
    if (event.key === "Enter" && isSending && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      void send();
    } else if (event.key === "ArrowUp" && text === "" && !composer.editing.value) {
      if (composer.editLast()) event.preventDefault();
    } else if (event.key === "Escape" && (composer.editing.value || composer.reply.value)) {
      event.preventDefault();
      composer.leaveEdit();
      composer.reply.value = null;
    }
  };
  const insert = (emoji: string): void => {
    const at = box.current?.selectionStart ?? text.length;
    const end = box.current?.selectionEnd ?? at;
    composer.type(text.slice(0, at) + emoji + text.slice(end));
    requestAnimationFrame(() => box.current?.setSelectionRange(at + emoji.length, at + emoji.length));
  };
  const begun = begunMention(text);
  const mayRecord = canRecord() && composer.isEmpty.value && !composer.editing.value && !isNotes
    && mayUse(talk, "voice");
  return (
    <div class="composer">
      <Above talk={talk} />
      {composer.trouble.value !== null && <p class="trouble" role="alert">{composer.trouble.value}</p>}
      {hasEmoji && <EmojiPanel onChoose={insert} onClose={() => {
        showEmoji(false);
        box.current?.focus();
      }} />}
      {begun !== null && line.group && (
        <MentionList talk={talk} begun={begun} onChoose={(name) => {
          composer.type(`${text.slice(0, text.length - begun.length - 1)}${name} `);
          box.current?.focus();
        }} />
      )}
      {isRecording ? <VoiceRecorder talk={talk} onDone={() => record(false)} /> : (
        <form class="write" onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}>
          <input
            ref={files}
            type="file"
            class="unseen"
            tabIndex={-1}
            aria-hidden="true"
            onChange={(event) => {
              const [file] = event.currentTarget.files ?? [];
              event.currentTarget.value = "";
              if (file) void composer.attach(file);
            }}
          />
          <IconButton
            icon="clip"
            label={said.attach}
            onClick={() => files.current?.click()}
            disabled={composer.editing.value !== null}
          />
          <div class="box">
            <textarea
              id="composer"
              ref={box}
              rows={1}
              dir="auto"
              value={text}
              placeholder={isNotes ? said.writeNote : said.write}
              aria-label={isNotes ? said.writeNote : said.write}
              enterkeyhint={matchMedia("(pointer: coarse)").matches ? "enter" : "send"}
              onInput={(event) => composer.type(event.currentTarget.value)}
              onKeyDown={keys}
              onPaste={(event) => {
                const [file] = event.clipboardData?.files ?? [];
                if (!file) return;
                event.preventDefault();
                void composer.attach(file);
              }}
            />
            <IconButton icon="smile" label={said.emoji} isPressed={hasEmoji} onClick={() => showEmoji(!hasEmoji)} />
          </div>
          {mayRecord
            ? <IconButton icon="mic" label={said.voice} onClick={() => record(true)} />
            : (
              <button
                type="submit"
                class="icon-button main send"
                disabled={composer.isEmpty.value || composer.isPreparing.value}
                aria-label={composer.editing.value ? said.sendEdit : said.send}
                title={composer.editing.value ? said.sendEdit : said.send}
              >
                <Icon name={composer.editing.value ? "check" : "send"} />
              </button>
            )}
        </form>
      )}
    </div>
  );
}

/** What the message belongs to, and what goes along with it. */
function Above({ talk }: { readonly talk: Talk }): VNode | null {
  const { composer } = talk;
  const [reply, editing, attachment] = [composer.reply.value, composer.editing.value, composer.attachment.value];
  const about = editing ?? reply;
  return (
    <>
      {about && (
        <div class="about">
          <Icon name={editing ? "pencil" : "reply"} />
          <span class="grow">
            <strong>{editing ? said.editing : said.replyingTo(talk.author(about))}</strong>
            <span class="excerpt" dir="auto">{excerptOf(about, talk.author(about))}</span>
          </span>
          <IconButton icon="close" label={editing ? said.dropEdit : said.dropReply} onClick={() => {
            composer.leaveEdit();
            composer.reply.value = null;
          }} />
        </div>
      )}
      {composer.isPreparing.value && <p class="about soft" role="status">{said.shrinking}</p>}
      {attachment && (
        <div class="about attachment" role="group" aria-label={said.attachment}>
          {attachment.url === undefined ? <Icon name="file" /> : <img src={attachment.url} alt={attachment.name} />}
          <span class="grow">
            <bdi class="file-name">{attachment.name}</bdi>
            <small>{byteSize(attachment.size)}</small>
          </span>
          <IconButton icon="close" label={said.removeAttachment} onClick={() => composer.detach()} />
        </div>
      )}
    </>
  );
}
