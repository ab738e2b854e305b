import { signal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import type * as seldomViews from "./seldom-views.ts";

type Views = typeof seldomViews;

const loaded = signal<Views | null>(null);

/** Loads the views that are not needed to chat. @throws what the browser says when they cannot be */
export async function loadSeldom(): Promise<void> {
  loaded.value ??= await import("./seldom-views.ts");
}

/** One of the views that come when they are needed. */
export function Seldom({ show }: { readonly show: (views: Views) => VNode }): VNode {
  const app = useApp();
  const views = loaded.value;
  useEffect(() => void app.attempt(loadSeldom), []);
  return views ? show(views) : <p class="column soft" role="status">{words.loading}</p>;
}
