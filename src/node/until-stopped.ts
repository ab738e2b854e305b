/** Resolves at the first signal that asks this process to end. A second one ends it at once. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      // The simulator's own handlers would end the process with the signal's exit code and leave the folder taken.
      process.removeAllListeners(signal);
      process.once(signal, () => resolve());
    }
  });
}
