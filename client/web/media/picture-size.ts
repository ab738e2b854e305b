/** What the first bytes of a picture say. */
export interface PictureHeader {
  readonly type: "image/png" | "image/jpeg" | "image/gif" | "image/webp";
  /** Pixels that showing it takes. */
  readonly pixels: number;
}

const latin1 = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The chunk with the size comes first (PNG 11.2.2). */
function pngPixels(bytes: Uint8Array): number {
  if (latin1(bytes, 12, 4) !== "IHDR") return 0;
  const view = viewOf(bytes);
  return view.getUint32(16) * view.getUint32(20);
}

/** Markers without a length: TEM, RST0 to RST7. */
const isBare = (marker: number): boolean => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
/** SOF0 to SOF15, without DHT, JPG and DAC, which stand between them. */
const isFrame = (marker: number): boolean => (marker & 0xf0) === 0xc0 && ![0xc4, 0xc8, 0xcc].includes(marker);

/** From marker to marker, as decoders go, up to the frame header (ITU-T T.81, B.2.2). */
function jpegPixels(bytes: Uint8Array): number {
  const view = viewOf(bytes);
  let at = 2;
  for (;;) {
    while (view.getUint8(at) !== 0xff) at++;
    while (view.getUint8(at) === 0xff) at++;
    const marker = view.getUint8(at++);
    if (marker === 0 || isBare(marker)) continue;
    if (isFrame(marker)) return view.getUint16(at + 3) * view.getUint16(at + 5);
    // No frame comes after the first scan or the end.
    if (marker === 0xda || marker === 0xd9) return 0;
    at += view.getUint16(at);
  }
}

/** Bytes of a colour table, by the flags that announce it. */
const tableLength = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));

/** The screen, or a frame that is larger: there are decoders that make the screen fit it (GIF89a, 18 and 20). */
function gifPixels(bytes: Uint8Array): number {
  const view = viewOf(bytes);
  let width = view.getUint16(6, true);
  let height = view.getUint16(8, true);
  let at = 13 + tableLength(view.getUint8(10));
  while (at < bytes.length) {
    const block = bytes[at];
    if (block === 0x2c && at + 10 < bytes.length) {
      width = Math.max(width, view.getUint16(at + 1, true) + view.getUint16(at + 5, true));
      height = Math.max(height, view.getUint16(at + 3, true) + view.getUint16(at + 7, true));
      at += 11 + tableLength(view.getUint8(at + 9));
    } else if (block === 0x21) at += 2;
    else break;
    for (let length = bytes[at++] ?? 0; length > 0; length = bytes[at++] ?? 0) at += length;
  }
  return width * height;
}

/** Of the first chunk: lossy, lossless or extended (RFC 9649, 2.5 to 2.7). */
function webpPixels(bytes: Uint8Array): number {
  const view = viewOf(bytes);
  switch (latin1(bytes, 12, 4)) {
    case "VP8 ":
      return (view.getUint16(26, true) & 0x3fff) * (view.getUint16(28, true) & 0x3fff);
    case "VP8L": {
      const sizes = view.getUint32(21, true);
      return ((sizes & 0x3fff) + 1) * (((sizes >>> 14) & 0x3fff) + 1);
    }
    case "VP8X":
      // Three bytes each, one less than there are.
      return ((view.getUint32(23, true) >>> 8) + 1) * ((view.getUint32(26, true) >>> 8) + 1);
    default:
      return 0;
  }
}

const KINDS: readonly {
  readonly type: PictureHeader["type"];
  readonly isIt: (bytes: Uint8Array) => boolean;
  readonly pixels: (bytes: Uint8Array) => number;
}[] = [
  { type: "image/png", isIt: (bytes) => latin1(bytes, 0, 8) === "\x89PNG\r\n\x1a\n", pixels: pngPixels },
  { type: "image/jpeg", isIt: (bytes) => latin1(bytes, 0, 3) === "\xff\xd8\xff", pixels: jpegPixels },
  { type: "image/gif", isIt: (bytes) => /^GIF8[79]a/u.test(latin1(bytes, 0, 6)), pixels: gifPixels },
  {
    type: "image/webp",
    isIt: (bytes) => latin1(bytes, 0, 4) === "RIFF" && latin1(bytes, 8, 4) === "WEBP",
    pixels: webpPixels,
  },
];

/**
 * What kind of picture bytes are and how much it takes to show it, by the bytes themselves: a few kilobytes can say
 * that they are a hundred million pixels. Null: no picture of a kind that is shown, or one without a size.
 */
export function pictureHeader(bytes: Uint8Array): PictureHeader | null {
  const kind = KINDS.find(({ isIt }) => isIt(bytes));
  if (!kind) return null;
  try {
    const pixels = kind.pixels(bytes);
    return pixels > 0 ? { type: kind.type, pixels } : null;
  } catch (error) {
    // It ends before it says its size.
    if (error instanceof RangeError) return null;
    throw error;
  }
}
