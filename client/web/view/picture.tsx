import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { MessageItem } from "../../chat/records.ts";
import { pictureHeader } from "../media/picture-size.ts";
import { safeImage } from "../state/rich-text.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Button } from "./controls.tsx";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icon.tsx";
import { fileNote, saveBytes } from "./message-file.tsx";

const { talk: said } = words;

/** Of a picture that somebody opens; what is larger can only be saved. */
const MAX_PIXELS = 16_000_000;

/** What is shown of a whole picture; null: nothing. */
function pictureKind(bytes: Uint8Array): string | null {
  const header = pictureHeader(bytes);
  return header && header.pixels <= MAX_PIXELS ? header.type : null;
}

interface PictureProps {
  readonly item: MessageItem;
  /** The preview. */
  readonly image: string;
  readonly isVideo?: boolean;
}

/** The preview of a picture; a press shows the whole one. */
export function Picture({ item, image, isVideo = false }: PictureProps): VNode {
  const [isOpen, open] = useState(false);
  const source = safeImage(image);
  const announced = item.body.container.file;
  const note = announced && !isVideo ? fileNote(item.file, announced.fileSize) : null;
  const isMoving = item.file?.state === "receiving" || item.file?.state === "sending";
  return (
    <figure class="picture">
      <button
        type="button"
        onClick={() => open(true)}
        aria-label={said.openPicture}
        disabled={isVideo || source === null}
      >
        {source === null
          ? <Icon name="picture" />
          : <img src={source} alt={isVideo ? said.video : said.photo} decoding="async" />}
        {isVideo && <Icon name="play" class="over" />}
      </button>
      {isMoving && <figcaption class="small">{note}</figcaption>}
      {isOpen && <WholePicture item={item} preview={source} onClose={() => open(false)} />}
    </figure>
  );
}

function WholePicture({ item, preview, onClose }: {
  readonly item: MessageItem;
  readonly preview: string | null;
  readonly onClose: () => void;
}): VNode {
  const app = useApp();
  const [whole, setWhole] = useState<{ readonly bytes: Uint8Array; readonly url: string | null } | null>(null);
  const name = item.body.container.file?.fileName ?? "picture";
  useEffect(() => {
    if (!item.body.container.file) return;
    let url: string | null = null;
    let isWanted = true;
    void app.attempt(async () => {
      const bytes = await app.chat.files.bytes(item.id);
      if (!bytes || !isWanted) return;
      const type = pictureKind(bytes);
      url = type === null ? null : URL.createObjectURL(new Blob([bytes as BlobPart], { type }));
      setWhole({ bytes, url });
    });
    return () => {
      isWanted = false;
      if (url !== null) URL.revokeObjectURL(url);
    };
  }, [item.id, item.file?.state]);
  const source = whole?.url ?? preview;
  return (
    <Dialog title={said.photo} onClose={onClose} class="viewer">
      {source !== null && <img src={source} alt={said.photo} />}
      <div class="answers">
        {whole && <Button icon="save" onClick={() => saveBytes(whole.bytes, name)}>{said.actions.save}</Button>}
        {!whole && <p class="hint">{said.previewOnly}</p>}
      </div>
    </Dialog>
  );
}
