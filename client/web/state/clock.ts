import { signal } from "@preact/signals";

const STEP = 10_000;

/** Milliseconds since 1970, to within some seconds: for what is shown of the time that is left. */
export const now = signal(Date.now());

setInterval(() => (now.value = Date.now()), STEP);
