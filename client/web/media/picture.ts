import type { OutgoingFile } from "../../chat/files.ts";
import { MAX_CHUNK_LENGTH } from "../../chat/wire/file-chunk.ts";
import { MAX_PREVIEW_LENGTH, MAX_PROFILE_IMAGE_LENGTH } from "../../chat/wire/rules/limits.ts";

/** A picture made small enough to travel. Nothing is left in it but what is seen: no place, no camera, no time. */
export interface ShrunkPicture {
  /** Data URI for the message itself. */
  readonly preview: string;
  readonly blob: Blob;
  readonly file: OutgoingFile;
}

/** Bytes of a file that goes in pieces of messages. */
export const MAX_FILE_LENGTH = 8 * MAX_CHUNK_LENGTH;

/** As official apps write it. */
const PREFIX = "data:image/jpg;base64,";
const LONGEST_SIDE = 1600;
const PREVIEW_SIDE = 480;
const PROFILE_SIDE = 192;
const QUALITIES = [0.85, 0.75, 0.65, 0.55] as const;
/** When the lowest quality is still too large, this much smaller. */
const STEP = 0.8;
const SMALLEST_SIDE = 16;

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function draw(bitmap: ImageBitmap, { x, y, width, height }: Area, scale: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  if (!context) throw new Error("the browser draws no more pictures: close some tabs");
  context.imageSmoothingQuality = "high";
  // JPEG knows nothing transparent.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, x, y, width, height, 0, 0, canvas.width, canvas.height);
  return canvas;
}

async function encode(canvas: HTMLCanvasElement, quality: number): Promise<Blob> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
  if (!blob) throw new Error("the browser could not write the picture");
  return blob;
}

/** The best JPEG of at most so many bytes. */
async function fit(bitmap: ImageBitmap, area: Area, side: number, limit: number): Promise<Blob> {
  let longest = Math.min(side, Math.max(area.width, area.height));
  for (;;) {
    const canvas = draw(bitmap, area, longest / Math.max(area.width, area.height));
    for (const quality of QUALITIES) {
      const blob = await encode(canvas, quality);
      if (blob.size <= limit) return blob;
    }
    if (longest <= SMALLEST_SIDE) throw new Error("the picture does not become small enough");
    longest = Math.max(SMALLEST_SIDE, Math.floor(longest * STEP));
  }
}

/** Bytes whose data URI has so many characters. */
const bytesOf = (characters: number): number => Math.floor((characters - PREFIX.length) / 4) * 3;

async function dataUri(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return PREFIX + btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

async function withBitmap<T>(picture: Blob, work: (bitmap: ImageBitmap) => Promise<T>): Promise<T> {
  const bitmap = await createImageBitmap(picture, { imageOrientation: "from-image" });
  try {
    return await work(bitmap);
  } finally {
    bitmap.close();
  }
}

const two = (number: number): string => number.toString().padStart(2, "0");

/** `IMG_20250131_174500`: like that of official apps, and without what the file was called here. */
export function newName(kind: "IMG" | "voice", at = new Date()): string {
  const date = `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`;
  return `${kind}_${date}_${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`;
}

/** @throws DOMException "InvalidStateError" or "EncodingError" when it is no picture that the browser can read */
export function shrinkPicture(picture: Blob): Promise<ShrunkPicture> {
  return withBitmap(picture, async (bitmap) => {
    const whole = { x: 0, y: 0, width: bitmap.width, height: bitmap.height };
    const blob = await fit(bitmap, whole, LONGEST_SIDE, MAX_FILE_LENGTH);
    const preview = await dataUri(await fit(bitmap, whole, PREVIEW_SIDE, bytesOf(MAX_PREVIEW_LENGTH)));
    const bytes = async (): Promise<Uint8Array> => new Uint8Array(await blob.arrayBuffer());
    return { preview, blob, file: { name: `${newName("IMG")}.jpg`, size: blob.size, bytes } };
  });
}

/** The middle of a picture as a data URI for a profile. @throws as {@link shrinkPicture} */
export function shrinkProfileImage(picture: Blob): Promise<string> {
  return withBitmap(picture, async (bitmap) => {
    const side = Math.min(bitmap.width, bitmap.height);
    const square = { x: (bitmap.width - side) / 2, y: (bitmap.height - side) / 2, width: side, height: side };
    return dataUri(await fit(bitmap, square, PROFILE_SIDE, bytesOf(MAX_PROFILE_IMAGE_LENGTH)));
  });
}
