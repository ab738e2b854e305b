import type { ComponentChildren, VNode } from "preact";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Button, IconButton } from "./controls.tsx";
import { Icon, type IconName } from "./icon.tsx";

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly class?: string;
  /** Its title is heard but not shown. */
  readonly isBare?: boolean;
  readonly children?: ComponentChildren;
}

/** Opens it; what comes back closes it and gives the focus back. */
function openModal(dialog: HTMLDialogElement): () => void {
  const before = document.activeElement;
  dialog.showModal();
  return () => {
    // While it is open nothing else takes the focus.
    dialog.close();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  };
}

/** A question or a closer look. The browser keeps the focus in it, and gives it back afterwards. */
export function Dialog({ title, onClose, class: style = "", isBare = false, children }: DialogProps): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    return dialog.current ? openModal(dialog.current) : undefined;
  }, []);
  return (
    <dialog
      ref={dialog}
      class={style}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="sheet">
        <div class={isBare ? "unseen" : "sheet-head"}>
          <h2 id={id}>{title}</h2>
          {!isBare && <IconButton icon="close" label={words.close} onClick={onClose} />}
        </div>
        {children}
      </div>
    </dialog>
  );
}

export interface MenuEntry {
  readonly icon: IconName;
  readonly label: string;
  readonly isDangerous?: boolean;
  /** Closes the menu as well. */
  readonly onChoose: () => unknown;
}

interface MenuProps {
  readonly title: string;
  readonly entries: readonly MenuEntry[];
  /** What it belongs to; on small screens it comes from below instead. */
  readonly beside: Element | null;
  readonly onClose: () => void;
  /** Stands above the entries. */
  readonly children?: ComponentChildren;
}

const GAP = 6;

/** Puts a menu below what it belongs to, or above when there is no room. */
function place(menu: HTMLElement, beside: Element): void {
  const [own, other] = [menu.getBoundingClientRect(), beside.getBoundingClientRect()];
  const below = other.bottom + GAP + own.height <= innerHeight;
  const above = Math.min(other.top, innerHeight) - GAP - own.height;
  const top = below ? other.bottom + GAP : Math.max(GAP, above);
  const inside = other.width > own.width ? other.left + other.width / 3 : other.left;
  const left = Math.max(GAP, Math.min(inside, innerWidth - own.width - GAP));
  menu.style.setProperty("top", `${top}px`);
  menu.style.setProperty("left", `${left}px`);
}

function step(list: HTMLElement, by: number | "first" | "last"): void {
  const all = [...list.querySelectorAll<HTMLElement>("button")];
  const now = all.indexOf(document.activeElement as HTMLElement);
  const next = by === "first" ? 0 : by === "last" ? all.length - 1 : (now + by + all.length) % all.length;
  all[next]?.focus();
}

const STEPS: Readonly<Record<string, number | "first" | "last">> = {
  ArrowDown: 1, ArrowUp: -1, Home: "first", End: "last",
};

export function Menu({ title, entries, beside, onClose, children }: MenuProps): VNode {
  const { isWide } = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  const isPlaced = isWide.value && beside !== null;
  useLayoutEffect(() => {
    if (!dialog.current) return;
    const close = openModal(dialog.current);
    dialog.current.querySelector<HTMLElement>(".menu button")?.focus();
    return close;
  }, []);
  useLayoutEffect(() => {
    if (!dialog.current) return;
    if (isPlaced) place(dialog.current, beside);
    else for (const side of ["top", "left"]) dialog.current.style.removeProperty(side);
  }, [isPlaced]);
  return (
    <dialog
      ref={dialog}
      class={`menu-dialog ${isPlaced ? "is-placed" : ""}`}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="sheet">
        {children}
        <div
          class="menu"
          role="menu"
          aria-label={title}
          tabIndex={-1}
          onKeyDown={(event) => {
            const by = STEPS[event.key];
            if (by === undefined) return;
            event.preventDefault();
            step(event.currentTarget, by);
          }}
        >
          {entries.map((entry) => (
            <button
              key={entry.label}
              type="button"
              role="menuitem"
              class={entry.isDangerous ? "danger" : ""}
              onClick={() => void entry.onChoose()}
            >
              <Icon name={entry.icon} />
              <span>{entry.label}</span>
            </button>
          ))}
        </div>
      </div>
    </dialog>
  );
}

/** What the program asks before it does something. */
export function Asker(): VNode | null {
  const { questions } = useApp();
  const asked = questions.asked.value;
  if (!asked) return null;
  return (
    <Dialog title={asked.title} onClose={() => asked.answer(null)} class="question" key={asked.title}>
      {asked.text !== undefined && <p>{asked.text}</p>}
      <div class="answers">
        {asked.answers.map(({ id, label, isDangerous = false }) => (
          <Button key={id} kind={isDangerous ? "danger" : "main"} onClick={() => asked.answer(id)}>{label}</Button>
        ))}
        <Button onClick={() => asked.answer(null)}>{words.cancel}</Button>
      </div>
    </Dialog>
  );
}

/** What is said in passing. */
export function Notices(): VNode {
  const { questions } = useApp();
  const notices = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Above open dialogs as well.
    const shown = notices.current;
    if (!shown || questions.notices.value.length === 0) return;
    if (shown.matches(":popover-open")) shown.hidePopover();
    shown.showPopover();
  }, [questions.notices.value]);
  return (
    <div class="notices" ref={notices} popover="manual" role="status" aria-live="polite">
      {questions.notices.value.map(({ id, text, isTrouble }) => (
        <div key={id} class={`notice ${isTrouble ? "is-trouble" : ""}`}>
          {isTrouble && <Icon name="warning" />}
          <span>{text}</span>
          <IconButton icon="close" label={words.close} onClick={() => questions.drop(id)} />
        </div>
      ))}
    </div>
  );
}
