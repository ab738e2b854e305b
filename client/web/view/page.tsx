import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { IconButton } from "./controls.tsx";

interface PageProps {
  readonly title: string;
  readonly actions?: ComponentChildren;
  readonly children?: ComponentChildren;
  readonly class?: string;
}

/** A place of the right pane, or of the whole screen where there is only one. Its title takes the focus. */
export function Page({ title, actions, children, class: style = "" }: PageProps): VNode {
  const app = useApp();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const first = document.querySelector<HTMLElement>("main [data-autofocus]");
    (first ?? heading.current)?.focus({ preventScroll: true });
  }, []);
  return (
    <section class={`page ${style}`} aria-label={title}>
      <header class="bar">
        <IconButton icon="back" label={words.back} onClick={() => app.back()} class="back" />
        <h1 ref={heading} tabIndex={-1}>{title}</h1>
        {actions}
      </header>
      <div class="scroll">
        <div class="column">{children}</div>
      </div>
    </section>
  );
}

/** A part of a page with a heading. */
export function Group({ title, note, children }: {
  readonly title?: string;
  readonly note?: ComponentChildren;
  readonly children?: ComponentChildren;
}): VNode {
  return (
    <div class="group">
      {title !== undefined && <h2>{title}</h2>}
      <div class="card">{children}</div>
      {note !== undefined && <p class="hint">{note}</p>}
    </div>
  );
}
