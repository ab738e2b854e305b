import type { OutgoingFile } from "../../chat/files.ts";
import { MAX_FILE_LENGTH, newName } from "./picture.ts";

export interface Recording {
  readonly file: OutgoingFile;
  readonly blob: Blob;
  readonly seconds: number;
}

/** Somebody is speaking. */
export interface Recorder {
  /** Resolves when no more fits into a message; then it is to be stopped. */
  readonly full: Promise<void>;
  /** Null when there was hardly anything to hear. */
  stop(): Promise<Recording | null>;
  cancel(): void;
}

/**
 * What is recorded, the best first: AAC in MP4 is what official apps make and what all of them play. Where browsers have
 * no encoder for it, Opus is used, which older iPhones do not play.
 */
const FORMATS = [
  { type: "audio/mp4;codecs=mp4a.40.2", extension: "m4a" },
  { type: "audio/mp4;codecs=opus", extension: "m4a" },
  { type: "audio/webm;codecs=opus", extension: "webm" },
  { type: "audio/ogg;codecs=opus", extension: "ogg" },
] as const;

/** A minute fits into a file then. */
const BITS_PER_SECOND = 16_000;
const SLICE = 500;
const SHORTEST = 500;
const LONGEST = 300_000;
/** Room for what comes between the last slice and the end. Bytes. */
const RESERVE = 6000;

function format(): (typeof FORMATS)[number] | null {
  if (!("MediaRecorder" in globalThis)) return null;
  return FORMATS.find(({ type }) => MediaRecorder.isTypeSupported(type)) ?? null;
}

/** Whether this browser records at all. */
export function canRecord(): boolean {
  return format() !== null && (navigator as Partial<Navigator>).mediaDevices !== undefined;
}

/** Starts at once. @throws DOMException "NotAllowedError" or "NotFoundError" without a microphone */
export async function recordVoice(): Promise<Recorder> {
  const chosen = format();
  if (!chosen) throw new DOMException("this browser does not record", "NotSupportedError");
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true },
    video: false,
  });
  const recorder = new MediaRecorder(stream, { mimeType: chosen.type, audioBitsPerSecond: BITS_PER_SECOND });
  const parts: Blob[] = [];
  const full = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const from = performance.now();
  let size = 0;
  const isFull = (): boolean => size > MAX_FILE_LENGTH - RESERVE || performance.now() - from > LONGEST;
  recorder.addEventListener("dataavailable", ({ data }) => {
    parts.push(data);
    size += data.size;
    if (isFull()) full.resolve();
  });
  recorder.addEventListener("error", (event) => ended.reject((event as Event & { readonly error?: unknown }).error));
  recorder.addEventListener("stop", () => ended.resolve());
  recorder.start(SLICE);

  async function end(): Promise<void> {
    if (recorder.state !== "inactive") recorder.stop();
    for (const track of stream.getTracks()) track.stop();
    await ended.promise;
  }

  return {
    full: full.promise,
    async stop() {
      const milliseconds = performance.now() - from;
      await end();
      if (milliseconds < SHORTEST) return null;
      const [type = chosen.type] = chosen.type.split(";");
      const blob = new Blob(parts, { type });
      const bytes = async (): Promise<Uint8Array> => new Uint8Array(await blob.arrayBuffer());
      const file = { name: `${newName("voice")}.${chosen.extension}`, size: blob.size, bytes };
      return { file, blob, seconds: Math.max(1, Math.round(milliseconds / 1000)) };
    },
    cancel() {
      // What an encoder says of a recording that nobody wants does not matter.
      end().catch(() => undefined);
    },
  };
}
