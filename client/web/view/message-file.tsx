import type { VNode } from "preact";
import type { Item, MessageItem } from "../../chat/records.ts";
import { displayLine } from "../../chat/wire/rules/display.ts";
import { safeFileName } from "../../chat/wire/rules/names.ts";
import { byteSize } from "../state/dates.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { IconButton } from "./controls.tsx";
import { Icon } from "./icon.tsx";

const { talk: said } = words;

type FileState = NonNullable<Item["file"]>;

/** How far a file has come, in words; null when it is there. */
export function fileNote(file: FileState | null, size: number): string | null {
  switch (file?.state) {
    case "sent":
    case "received":
      return null;
    case "sending":
      return said.sendingFile;
    case "receiving":
      return said.receiving(byteSize(file.received), byteSize(size));
    case "cancelled":
      return said.fileCancelled;
    default:
      return said.fileUnsupported;
  }
}

/** Gives a file to whoever looks, to be kept where they want. Nothing of it is opened here. */
export function saveBytes(bytes: Uint8Array, name: string): void {
  const url = URL.createObjectURL(new Blob([bytes as BlobPart], { type: "application/octet-stream" }));
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = safeFileName(name);
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A file that goes along with a message. */
export function MessageFile({ item }: { readonly item: MessageItem }): VNode | null {
  const app = useApp();
  const announced = item.body.container.file;
  if (!announced) return null;
  const { fileName, fileSize } = announced;
  const name = displayLine(fileName);
  const note = fileNote(item.file, fileSize);
  const isMoving = item.file?.state === "sending" || item.file?.state === "receiving";
  const save = (): Promise<boolean> => app.attempt(async () => {
    const bytes = await app.chat.files.bytes(item.id);
    if (bytes) saveBytes(bytes, fileName);
    else app.questions.tell(said.fileUnsupported, { isTrouble: true });
  });
  return (
    <div class="file">
      <Icon name="file" />
      <span class="grow">
        <bdi class="file-name">{name}</bdi>
        <small>{byteSize(fileSize)}{note !== null && <> · {note}</>}</small>
        {item.file?.state === "receiving" && (
          <progress
            value={item.file.received}
            max={fileSize}
            aria-label={note ?? name}
          />
        )}
      </span>
      {note === null && <IconButton icon="save" label={said.saveFile(name)} onClick={() => void save()} />}
      {isMoving && (
        <IconButton
          icon="close"
          label={said.cancelFile}
          onClick={() => void app.attempt(() => app.chat.files.cancel(item.id))}
        />
      )}
    </div>
  );
}
