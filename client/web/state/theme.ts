import { signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const KEY = "theme";

function stored(): Theme {
  const value = localStorage.getItem(KEY);
  return value === "light" || value === "dark" ? value : "system";
}

/** How bright the page is. It is no secret, and is needed before anything is unlocked. */
export const theme = signal<Theme>(stored());

export function chooseTheme(wanted: Theme): void {
  theme.value = wanted;
  if (wanted === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, wanted);
  showTheme();
}

export function showTheme(): void {
  if (theme.value === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.value;
}
