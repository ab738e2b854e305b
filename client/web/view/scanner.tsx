import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { scanCamera } from "../media/camera.ts";
import { explain } from "../state/trouble.ts";
import { words } from "../words/words.ts";
import { Dialog } from "./dialog.tsx";

interface ScannerProps {
  readonly onFound: (text: string) => void;
  readonly onClose: () => void;
}

/** Looks for a code through the camera. The picture stays in this page. */
export function Scanner({ onFound, onClose }: ScannerProps): VNode {
  const video = useRef<HTMLVideoElement>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    if (!video.current) return;
    const ending = new AbortController();
    const look = async (shown: HTMLVideoElement): Promise<void> => {
      try {
        const text = await scanCamera(shown, ending.signal);
        if (!ending.signal.aborted) onFound(text);
      } catch (error) {
        if (ending.signal.aborted) return;
        const isRefused = error instanceof DOMException && ["NotAllowedError", "NotFoundError"].includes(error.name);
        setTrouble(isRefused ? words.people.noCamera : explain(error));
      }
    };
    void look(video.current);
    return () => ending.abort();
  }, []);
  return (
    <Dialog title={words.people.scan} onClose={onClose} class="scanner">
      {trouble === null
        ? <video ref={video} muted playsInline aria-label={words.people.scanHint} />
        : <p class="trouble" role="alert">{trouble}</p>}
      <p class="hint">{words.people.scanHint}</p>
    </Dialog>
  );
}
