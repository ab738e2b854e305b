import type { VNode } from "preact";
import { words } from "../../words/words.ts";

const { settings: said } = words;

export function Shortcuts(): VNode {
  return (
    <dl class="shortcuts">
      {said.keys.map(([keys, what]) => (
        <div key={what}>
          <dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
  );
}
