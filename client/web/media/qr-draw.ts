import { encodeQR } from "qr";

/** The dark modules of a code as one SVG path, in a square of `size` units with the light margin around. */
export interface DrawnQr {
  readonly size: number;
  readonly path: string;
}

/** Light modules around the code without which cameras do not find it (ISO 18004). */
const QUIET_ZONE = 4;
/** Bytes that fit into version 25 with the least correction: beyond it modules are too small for cameras. */
const LONGEST = 1273;
const MEDIUM_UP_TO = 300;

/** Each run of dark modules in a row as one rectangle. */
function outline(rows: readonly (readonly boolean[])[]): string {
  return rows.flatMap((row, y) => row.map((isDark, x) => {
    if (!isDark || row[x - 1]) return "";
    const end = row.indexOf(false, x);
    const length = (end < 0 ? row.length : end) - x;
    return `M${x} ${y}h${length}v1h-${length}z`;
  })).join("");
}

/** Null when the text is too long to be read by cameras. */
export function drawQr(text: string): DrawnQr | null {
  const length = new TextEncoder().encode(text).length;
  if (length > LONGEST) return null;
  const rows = encodeQR(text, "raw", { ecc: length <= MEDIUM_UP_TO ? "medium" : "low", border: QUIET_ZONE });
  return { size: rows.length, path: outline(rows) };
}
