import { qrDecoder } from "./qr-decode.ts";

/** The text of the code in a picture; null when none is found. @throws DOMException when it is no picture */
export async function readQr(picture: Blob): Promise<string | null> {
  const [decode, bitmap] = await Promise.all([qrDecoder(), createImageBitmap(picture)]);
  try {
    return await decode(bitmap);
  } finally {
    bitmap.close();
  }
}
