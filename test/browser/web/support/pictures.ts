import type { Page } from "playwright-core";

/** A PNG with colours in it, as a file that somebody picks. */
export async function pictureFile(
  page: Page,
  width: number,
  height: number,
): Promise<{ readonly name: string; readonly mimeType: string; readonly buffer: Buffer }> {
  const bytes = await page.evaluate(async ([w, h]) => {
    const canvas = new OffscreenCanvas(w, h);
    const context = canvas.getContext("2d");
    if (!context) throw new Error("no canvas");
    const sky = context.createLinearGradient(0, 0, 0, h);
    sky.addColorStop(0, "#2b5f9e");
    sky.addColorStop(0.6, "#f0b67f");
    sky.addColorStop(1, "#3c4f3a");
    context.fillStyle = sky;
    context.fillRect(0, 0, w, h);
    context.fillStyle = "#fff3d6";
    context.beginPath();
    context.arc(w * 0.7, h * 0.45, h * 0.09, 0, 7);
    context.fill();
    for (let at = 0; at < 9; at++) {
      context.fillStyle = `hsl(${150 + at * 4} 30% ${34 - at * 3}%)`;
      context.beginPath();
      context.moveTo(0, h);
      for (let x = 0; x <= w; x += w / 40) {
        const wave = Math.sin(x / (90 + at * 13) + at * 2) * 0.035;
        context.lineTo(x, h * (0.62 + at * 0.045 + wave));
      }
      context.lineTo(w, h);
      context.fill();
    }
    const blob = await canvas.convertToBlob({ type: "image/png" });
    return [...new Uint8Array(await blob.arrayBuffer())];
  }, [width, height] as const);
  return { name: "hills.png", mimeType: "image/png", buffer: Buffer.from(bytes) };
}
