import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { MessageItem } from "../../chat/records.ts";
import { playTime } from "../state/dates.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { IconButton } from "./controls.tsx";
import { Icon } from "./icon.tsx";
import { fileNote } from "./message-file.tsx";

const { talk: said } = words;

/** Containers that browsers can play; by the bytes themselves. */
function soundKind(bytes: Uint8Array): string {
  if (bytes[0] === 0x1a && bytes[1] === 0x45) return "audio/webm";
  if (bytes[0] === 0x4f && bytes[1] === 0x67) return "audio/ogg";
  return "audio/mp4";
}

let playing: HTMLAudioElement | null = null;

/** Plays a voice message; one at a time. */
export function VoicePlayer({ item, seconds }: { readonly item: MessageItem; readonly seconds: number }): VNode {
  const app = useApp();
  const audio = useRef<HTMLAudioElement | null>(null);
  const url = useRef<string | null>(null);
  const [isPlaying, setPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const announced = item.body.container.file;
  const note = announced ? fileNote(item.file, announced.fileSize) : said.noSound;

  useEffect(() => () => {
    audio.current?.pause();
    if (url.current !== null) URL.revokeObjectURL(url.current);
  }, []);

  const prepare = async (): Promise<HTMLAudioElement | null> => {
    if (audio.current) return audio.current;
    const bytes = await app.chat.files.bytes(item.id);
    if (!bytes) {
      app.questions.tell(said.noSound, { isTrouble: true });
      return null;
    }
    url.current = URL.createObjectURL(new Blob([bytes as BlobPart], { type: soundKind(bytes) }));
    const sound = new Audio(url.current);
    sound.addEventListener("play", () => setPlaying(true));
    sound.addEventListener("pause", () => setPlaying(false));
    sound.addEventListener("ended", () => setAt(0));
    sound.addEventListener("timeupdate", () => setAt(sound.currentTime));
    audio.current = sound;
    return sound;
  };
  const toggle = (): Promise<boolean> => app.attempt(async () => {
    const sound = await prepare();
    if (!sound) return;
    if (!sound.paused) return sound.pause();
    if (playing !== sound) playing?.pause();
    playing = sound;
    await sound.play();
  });
  const seek = (to: number): void => {
    setAt(to);
    if (audio.current) audio.current.currentTime = to;
  };
  return (
    <div class="voice">
      {note === null
        ? (
          <IconButton
            icon={isPlaying ? "pause" : "play"}
            label={isPlaying ? said.pause : said.play}
            class="main"
            onClick={() => void toggle()}
          />
        )
        : <span class="voice-mark"><Icon name="mic" /></span>}
      <span class="grow">
        <input
          type="range"
          min={0}
          max={Math.max(1, seconds)}
          step={0.1}
          value={at}
          disabled={note !== null}
          aria-label={said.position}
          aria-valuetext={`${playTime(at)} / ${playTime(seconds)}`}
          onInput={(event) => seek(Number(event.currentTarget.value))}
        />
        <small>{isPlaying || at > 0 ? playTime(at) : playTime(seconds)}{note !== null && <> · {note}</>}</small>
      </span>
    </div>
  );
}
