import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { canRecord, type Recorder, recordVoice } from "../media/voice.ts";
import { voiceAttachment } from "../state/attachment.ts";
import { playTime } from "../state/dates.ts";
import type { Talk } from "../state/talk.ts";
import { explain } from "../state/trouble.ts";
import { words } from "../words/words.ts";
import { IconButton } from "./controls.tsx";

export { canRecord };

const { talk: said } = words;

/** In place of the composer while somebody speaks. */
export function VoiceRecorder({ talk, onDone }: { readonly talk: Talk; readonly onDone: () => void }): VNode {
  const recorder = useRef<Recorder | null>(null);
  const bar = useRef<HTMLDivElement>(null);
  const [seconds, setSeconds] = useState<number | null>(null);
  useEffect(() => {
    let isWanted = true;
    let timer: ReturnType<typeof setInterval> | undefined;
    const begin = async (): Promise<void> => {
      const begun = await recordVoice();
      if (!isWanted) return begun.cancel();
      recorder.current = begun;
      const from = Date.now();
      setSeconds(0);
      timer = setInterval(() => setSeconds(Math.floor((Date.now() - from) / 1000)), 250);
      // What is longer does not fit into a message.
      void begun.full.then(() => finish());
    };
    begin().catch((error: unknown) => {
      const isRefused = error instanceof DOMException && error.name === "NotAllowedError";
      talk.composer.trouble.value = isRefused ? said.micRefused : explain(error);
      onDone();
    });
    return () => {
      isWanted = false;
      clearInterval(timer);
      recorder.current?.cancel();
    };
  }, []);
  useEffect(() => bar.current?.querySelector<HTMLElement>(".send")?.focus(), [seconds === null]);
  const finish = async (): Promise<void> => {
    const done = recorder.current;
    recorder.current = null;
    if (!done) return;
    await talk.app.attempt(async () => {
      const recording = await done.stop();
      if (recording === null) talk.composer.trouble.value = said.tooShort;
      else await talk.composer.sendVoice(voiceAttachment(recording));
    });
    onDone();
  };
  return (
    <div class="write recording" role="group" aria-label={said.recording} ref={bar} onKeyDown={(event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      onDone();
    }}>
      <IconButton icon="trash" label={said.cancelVoice} onClick={onDone} />
      <span class="grow rec">
        <span class="rec-dot" />
        {said.recording}{" "}
        <span aria-hidden="true">{playTime(seconds ?? 0)}</span>
      </span>
      <IconButton
        icon="send"
        label={said.stopVoice}
        class="main send"
        disabled={seconds === null}
        onClick={() => void finish()}
      />
    </div>
  );
}
