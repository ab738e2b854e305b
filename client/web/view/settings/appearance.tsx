import type { VNode } from "preact";
import { chooseTheme, theme, type Theme } from "../../state/theme.ts";
import { words } from "../../words/words.ts";
import { Choice } from "../controls.tsx";
import { Group } from "../page.tsx";

const { settings: said } = words;

const THEMES: readonly (readonly [Theme, string])[] = [
  ["system", said.themeSystem],
  ["light", said.themeLight],
  ["dark", said.themeDark],
];

export function Appearance(): VNode {
  return (
    <Group note={said.appearanceNote}>
      <Choice label={said.theme} value={theme.value} options={THEMES} onChange={chooseTheme} />
    </Group>
  );
}
