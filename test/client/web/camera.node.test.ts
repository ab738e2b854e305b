import { afterEach, expect, test, vi } from "vitest";
import { scanCamera } from "../../../client/web/media/camera.ts";

afterEach(() => void vi.unstubAllGlobals());

test("the camera is not turned on when codes cannot be read, or nobody waits any more", async () => {
  const getUserMedia = vi.fn();
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia } });
  const getSupportedFormats = vi.fn().mockRejectedValueOnce(new Error("no decoder")).mockResolvedValueOnce(["qr_code"]);
  vi.stubGlobal("BarcodeDetector", Object.assign(vi.fn(), { getSupportedFormats }));
  const video = {} as HTMLVideoElement;
  await expect(scanCamera(video, new AbortController().signal)).rejects.toThrow("no decoder");
  await expect(scanCamera(video, AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
  expect(getUserMedia).not.toHaveBeenCalled();
});
