import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { DrawnQr } from "../media/qr-draw.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";

/** A code that cameras read; a sentence where the text is too long for one. */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }): VNode {
  const app = useApp();
  const [code, setCode] = useState<DrawnQr | null | "loading">("loading");
  useEffect(() => {
    let isWanted = true;
    void app.attempt(async () => {
      const { drawQr } = await import("../media/qr-draw.ts");
      if (isWanted) setCode(drawQr(text));
    });
    return () => void (isWanted = false);
  }, [text]);
  // It keeps the room of the code.
  if (code === "loading") return <svg class="qr" viewBox="0 0 1 1" aria-hidden="true" />;
  if (!code) return <p class="hint">{words.people.qrTooLong}</p>;
  return (
    <svg class="qr" viewBox={`0 0 ${code.size} ${code.size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width="100%" height="100%" fill="#fff" />
      <path d={code.path} fill="#000" />
    </svg>
  );
}
