import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { App } from "../state/app.ts";

const AppContext = createContext<App | null>(null);
export const AppProvider = AppContext.Provider;

/** The program that a view belongs to. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error("a view stands outside of the program");
  return app;
}
