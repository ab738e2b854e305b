import type { VNode } from "preact";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Button } from "./controls.tsx";
import { QrCode } from "./qr-code.tsx";

interface LinkBoxProps {
  readonly link: string;
  /** What the code is of. */
  readonly label: string;
  /** What goes along with the link when it is shared. */
  readonly invitation: string;
}

/** A link as a code, as a text, and on its way to somebody. */
export function LinkBox({ link, label, invitation }: LinkBoxProps): VNode {
  const { questions } = useApp();
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(link);
      questions.tell(words.copied);
    } catch {
      document.querySelector<HTMLInputElement>(".link-text")?.select();
      questions.tell(words.people.copyByHand, { isTrouble: true });
    }
  };
  const share = async (): Promise<void> => {
    try {
      await navigator.share({ text: `${invitation}\n${link}` });
    } catch (error) {
      // Whoever thinks better of it is told nothing.
      if (!(error instanceof DOMException && error.name === "AbortError")) await copy();
    }
  };
  return (
    <div class="link-box">
      <QrCode text={link} label={label} />
      <input
        class="link-text"
        readOnly
        value={link}
        aria-label={words.people.theLink}
        onFocus={(event) => event.currentTarget.select()}
      />
      <div class="answers">
        <Button kind="main" icon="copy" onClick={copy}>{words.people.copyLink}</Button>
        {"share" in navigator && <Button icon="share" onClick={share}>{words.share}</Button>}
      </div>
    </div>
  );
}
