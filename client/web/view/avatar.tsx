import type { VNode } from "preact";
import { safeImage } from "../state/rich-text.ts";
import { Icon, type IconName } from "./icon.tsx";

const HUES = 8;

/** The same one for the same name, everywhere. */
function hueOf(name: string): number {
  let sum = 7;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return sum % HUES;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function initial(name: string): string {
  const [first] = segmenter.segment(name.trim());
  return first ? first.segment.toLocaleUpperCase() : "?";
}

interface AvatarProps {
  /** As it is shown. */
  readonly name: string;
  readonly image?: string | undefined;
  /** In place of a letter. */
  readonly icon?: IconName | undefined;
  readonly size?: "small" | "normal" | "large";
}

/** The face of a person or a group; it says nothing that does not stand beside it. */
export function Avatar({ name, image, icon, size = "normal" }: AvatarProps): VNode {
  const source = safeImage(image);
  return (
    <span class={`avatar ${size} hue-${hueOf(name)}`} aria-hidden="true">
      {source !== null ? <img src={source} alt="" decoding="async" /> : icon ? <Icon name={icon} /> : initial(name)}
    </span>
  );
}
