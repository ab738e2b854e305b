import { general } from "./general.ts";
import { notified } from "./notified.ts";
import { people } from "./people.ts";
import { settings } from "./settings.ts";
import { talk } from "./talk.ts";

/** Everything that the page says, in one place: another language is another set of the same words. */
export const words = { ...general, talk, people, settings, notified } as const;
