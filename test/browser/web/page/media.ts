import type { OutgoingFile } from "../../../../client/chat/files.ts";
import { scanCamera } from "../../../../client/web/media/camera.ts";
import { shrinkPicture, shrinkProfileImage } from "../../../../client/web/media/picture.ts";
import { drawQr } from "../../../../client/web/media/qr-draw.ts";
import { readQr } from "../../../../client/web/media/qr-read.ts";
import { canRecord, recordVoice } from "../../../../client/web/media/voice.ts";
import type { Recorded, Seen, Shrunk } from "../support/media-results.ts";

export { canRecord };

function canvasOf(width: number, height: number): { canvas: HTMLCanvasElement; context: CanvasRenderingContext2D } {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  return { canvas, context };
}

async function bytesOf({ bytes }: OutgoingFile): Promise<Uint8Array> {
  return typeof bytes === "function" ? await bytes() : bytes;
}

async function blobOf(canvas: HTMLCanvasElement, type: string): Promise<Blob> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type));
  if (!blob) throw new Error("no picture");
  return blob;
}

/** What no encoder makes small. */
async function noise(width: number, height: number, type: string): Promise<Blob> {
  const { canvas, context } = canvasOf(width, height);
  const image = context.createImageData(width, height);
  for (let i = 0; i < image.data.length; i += 65_536) {
    crypto.getRandomValues(image.data.subarray(i, Math.min(image.data.length, i + 65_536)) as Uint8ClampedArray<ArrayBuffer>);
  }
  for (let i = 3; i < image.data.length; i += 4) image.data[i] = 255;
  context.putImageData(image, 0, 0);
  return blobOf(canvas, type);
}

async function look(picture: Blob): Promise<Seen> {
  const bitmap = await createImageBitmap(picture, { imageOrientation: "none" });
  const { context } = canvasOf(bitmap.width, bitmap.height);
  context.drawImage(bitmap, 0, 0);
  return { width: bitmap.width, height: bitmap.height, corner: [...context.getImageData(2, 2, 1, 1).data.subarray(0, 3)] };
}

const fromUri = async (uri: string): Promise<Blob> => (await fetch(uri)).blob();

async function shrunk(picture: Blob): Promise<Shrunk> {
  const { preview, blob, file } = await shrinkPicture(picture);
  const bytes = await bytesOf(file);
  return {
    name: file.name,
    size: file.size,
    isAsLongAsSaid: bytes.length === file.size,
    preview: preview.length,
    beginning: preview.slice(0, 22),
    file: await look(blob),
    previewSeen: await look(await fromUri(preview)),
    hasExif: new TextDecoder("latin1").decode(bytes).includes("Exif"),
  };
}

export async function shrinkNoise(width: number, height: number, type: string): Promise<Shrunk> {
  return shrunk(await noise(width, height, type));
}

/** APP1 with an orientation that is to be turned, and a place. */
const EXIF = [
  0xff, 0xe1, 0, 34, 0x45, 0x78, 0x69, 0x66, 0, 0, 0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0,
  0, 0,
];

/** A photograph as cameras make it: on its side, red on its left, with the note to turn it. */
export async function shrinkTurned(): Promise<Shrunk> {
  const { canvas, context } = canvasOf(400, 200);
  context.fillStyle = "#00f";
  context.fillRect(0, 0, 400, 200);
  context.fillStyle = "#f00";
  context.fillRect(0, 100, 200, 100);
  const jpeg = new Uint8Array(await (await blobOf(canvas, "image/jpeg")).arrayBuffer());
  return shrunk(new Blob([jpeg.slice(0, 2), Uint8Array.from(EXIF), jpeg.slice(2)], { type: "image/jpeg" }));
}

export async function shrinkTransparent(): Promise<Shrunk> {
  return shrunk(await blobOf(canvasOf(100, 100).canvas, "image/png"));
}

export async function shrinkProfile(width: number, height: number): Promise<{ length: number; seen: Seen }> {
  const uri = await shrinkProfileImage(await noise(width, height, "image/png"));
  return { length: uri.length, seen: await look(await fromUri(uri)) };
}

export async function shrinkNonsense(): Promise<string> {
  try {
    await shrinkPicture(new Blob(["<svg xmlns='http://www.w3.org/2000/svg'/>"], { type: "image/png" }));
    return "shrunk";
  } catch (error) {
    return (error as Error).name;
  }
}

/** A picture of a code, turned and with something around it. */
async function photograph(text: string, pixels: number, degrees: number): Promise<Blob> {
  const drawn = drawQr(text);
  if (!drawn) throw new Error("too long");
  const { canvas, context } = canvasOf(pixels * 2, pixels * 2);
  context.fillStyle = "#8a8";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.translate(pixels, pixels);
  context.rotate((degrees * Math.PI) / 180);
  context.translate(-pixels / 2, -pixels / 2);
  context.scale(pixels / drawn.size, pixels / drawn.size);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, drawn.size, drawn.size);
  context.fillStyle = "#000";
  context.clip(new Path2D(drawn.path));
  context.fillRect(0, 0, drawn.size, drawn.size);
  return blobOf(canvas, "image/png");
}

export async function drawAndRead(text: string, pixels: number, degrees: number): Promise<string | null> {
  return readQr(await photograph(text, pixels, degrees));
}

export async function readNothing(): Promise<string | null> {
  return readQr(await noise(300, 300, "image/png"));
}

export function isDrawn(text: string): boolean {
  return drawQr(text) !== null;
}

/** What the camera sees, and whether it is off afterwards. */
export async function scan(): Promise<{ text: string; isOff: boolean }> {
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  const text = await scanCamera(video, AbortSignal.timeout(20_000));
  return { text, isOff: video.srcObject === null };
}

export async function record(milliseconds: number): Promise<Recorded | null> {
  const recorder = await recordVoice();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  const recording = await recorder.stop();
  if (!recording) return null;
  const { file, blob, seconds } = recording;
  const { duration } = await new OfflineAudioContext(1, 1, 48_000).decodeAudioData(await blob.arrayBuffer());
  return { name: file.name, type: blob.type, size: (await bytesOf(file)).length, seconds, duration };
}

export async function recordAndCancel(): Promise<string> {
  const recorder = await recordVoice();
  recorder.cancel();
  return "cancelled";
}
