import type { OutgoingFile } from "../../chat/files.ts";
import type { MsgContent } from "../../chat/wire/content.ts";
import { displayLine } from "../../chat/wire/rules/display.ts";
import { shrinkPicture } from "../media/picture.ts";
import type { Recording } from "../media/voice.ts";

/** What goes along with a message. */
export interface Attachment {
  readonly kind: "picture" | "file" | "voice";
  readonly name: string;
  readonly size: number;
  /** A picture of it, to be revoked. */
  readonly url?: string;
  readonly file?: OutgoingFile;
  content(text: string): MsgContent;
}

const isPicture = ({ type }: File): boolean => type.startsWith("image/") && type !== "image/svg+xml";

/** Pictures are made small enough to travel; everything else goes as it is. */
export async function prepare(file: File): Promise<Attachment> {
  if (!isPicture(file)) return plainFile(file);
  const picture = await shrinkPicture(file).catch((error: unknown) => {
    // A picture of a kind that this browser cannot read: others may.
    if (error instanceof DOMException) return null;
    throw error;
  });
  if (!picture) return plainFile(file);
  return {
    kind: "picture",
    name: displayLine(file.name),
    size: picture.file.size,
    url: URL.createObjectURL(picture.blob),
    file: picture.file,
    content: (text) => ({ type: "image", text, image: picture.preview }),
  };
}

function plainFile(file: File): Attachment {
  const { name, size } = file;
  return {
    kind: "file",
    name: displayLine(name),
    size,
    file: { name, size, bytes: async () => new Uint8Array(await file.arrayBuffer()) },
    content: (text) => ({ type: "file", text }),
  };
}

export function voiceAttachment({ file, seconds }: Recording): Attachment {
  const { name, size } = file;
  return { kind: "voice", name, size, file, content: (text) => ({ type: "voice", text, duration: seconds }) };
}
