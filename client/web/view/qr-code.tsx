import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import { drawQr } from "../media/qr-draw.ts";
import { words } from "../words/words.ts";

/** A code that cameras read; a sentence where the text is too long for one. */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }): VNode {
  const code = useMemo(() => drawQr(text), [text]);
  if (!code) return <p class="hint">{words.people.qrTooLong}</p>;
  return (
    <svg class="qr" viewBox={`0 0 ${code.size} ${code.size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width="100%" height="100%" fill="#fff" />
      <path d={code.path} fill="#000" />
    </svg>
  );
}
