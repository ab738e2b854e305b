import { useEffect } from "preact/hooks";
import type { App } from "../state/app.ts";

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}

/** The conversation above or below the open one. */
function neighbour(app: App, by: number): void {
  const shown = app.people.shown.value;
  const route = app.route.value;
  const now = shown.findIndex(({ id }) => "chat" in route && route.chat === id);
  const next = shown[now < 0 ? 0 : (now + by + shown.length) % shown.length];
  if (next) app.go({ page: "chat", chat: next.id });
}

function withModifier(app: App, event: KeyboardEvent): boolean {
  if (event.key === "k") {
    if (!app.isWide.value) app.go({ page: "list" });
    setTimeout(() => document.querySelector<HTMLElement>("#search")?.focus());
    return true;
  }
  return false;
}

function withAlt(app: App, event: KeyboardEvent): boolean {
  if (event.key === "ArrowDown") neighbour(app, 1);
  else if (event.key === "ArrowUp") neighbour(app, -1);
  else if (event.code === "KeyN") app.go({ page: "new" });
  else return false;
  return true;
}

/** Keys that work everywhere; they are listed in the settings. */
export function useShortcuts(app: App): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
      const isDone = event.ctrlKey || event.metaKey
        ? withModifier(app, event)
        : event.altKey ? withAlt(app, event) : plain(app, event);
      if (isDone) event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [app]);
}

function plain(app: App, event: KeyboardEvent): boolean {
  if (event.key === "Escape" && app.route.value.page !== "list") {
    app.back();
    return true;
  }
  if (event.key === "?" && !isTyping(event.target)) {
    app.go({ page: "section", section: "shortcuts" });
    return true;
  }
  return false;
}
