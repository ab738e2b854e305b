import { qrDecoder } from "./qr-decode.ts";

/** Between two looks at what the camera sees, in milliseconds. */
const PAUSE = 120;

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, PAUSE);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}

/**
 * Shows what the camera sees, and looks for a code in it until one is found. The camera is off afterwards.
 * @throws DOMException "NotAllowedError" or "NotFoundError" without a camera, "AbortError" when it is ended
 */
export async function scanCamera(video: HTMLVideoElement, signal: AbortSignal): Promise<string> {
  const media = (navigator as Partial<Navigator>).mediaDevices;
  if (!media) throw new DOMException("this browser gives no camera to pages", "NotFoundError");
  // Before the camera, which nobody would turn off again if this failed.
  const decode = await qrDecoder();
  signal.throwIfAborted();
  const stream = await media.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false });
  try {
    signal.throwIfAborted();
    video.srcObject = stream;
    await video.play();
    for (;;) {
      signal.throwIfAborted();
      const found = video.readyState >= video.HAVE_CURRENT_DATA ? await decode(video) : null;
      if (found !== null) return found;
      await pause(signal);
    }
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
}
