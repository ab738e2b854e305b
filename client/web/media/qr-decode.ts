/** What a browser brings itself, where it does. */
interface Detector {
  detect(image: ImageBitmapSource): Promise<readonly { readonly rawValue: string }[]>;
}

interface DetectorClass {
  new (options: { readonly formats: readonly string[] }): Detector;
  getSupportedFormats(): Promise<readonly string[]>;
}

/** Finds the text of a code in a picture; null when there is none. */
export type Decode = (picture: ImageBitmap | HTMLVideoElement) => Promise<string | null>;

/** For pictures with a small code in much else, and for those with a large one that is out of focus. Pixels. */
const SIZES = [1600, 800, 400] as const;
const VIDEO_SIZES = [800] as const;
/** How long one size may take, in milliseconds: between frames of a camera the page goes on. */
const PATIENCE = { picture: 1000, video: 60 } as const;

function sizeOf(picture: ImageBitmap | HTMLVideoElement): { readonly width: number; readonly height: number } {
  if (picture instanceof ImageBitmap) return picture;
  return { width: picture.videoWidth, height: picture.videoHeight };
}

function pixels(picture: ImageBitmap | HTMLVideoElement, longest: number): ImageData | null {
  const { width, height } = sizeOf(picture);
  const scale = Math.min(1, longest / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context || canvas.width === 0 || canvas.height === 0) return null;
  // A code on a clear ground would be black on black.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

async function native(): Promise<Decode | null> {
  const { BarcodeDetector } = globalThis as { readonly BarcodeDetector?: DetectorClass };
  if (!BarcodeDetector || !(await BarcodeDetector.getSupportedFormats()).includes("qr_code")) return null;
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  return async (picture) => (await detector.detect(picture))[0]?.rawValue ?? null;
}

/** Loaded when it is needed: only some browsers do. */
async function portable(): Promise<Decode> {
  const { decodeQR } = await import("qr/decode.js");
  return async (picture) => {
    const isVideo = picture instanceof HTMLVideoElement;
    for (const size of isVideo ? VIDEO_SIZES : SIZES) {
      const image = pixels(picture, size);
      if (!image) continue;
      try {
        return decodeQR(image, { timeLimit: isVideo ? PATIENCE.video : PATIENCE.picture });
      } catch {
        // It throws when it finds none, which most pictures have.
      }
    }
    return null;
  };
}

let chosen: Promise<Decode> | null = null;

/** The browser's own decoder, or ours where it has none. */
export function qrDecoder(): Promise<Decode> {
  chosen ??= native().then((found) => found ?? portable());
  // When it could not be loaded, the next one tries again.
  chosen.catch(() => (chosen = null));
  return chosen;
}
