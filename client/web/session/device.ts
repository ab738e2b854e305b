/** What this browser remembers of how the page looks, outside of the profile: it is needed before that is unlocked. */
export interface Device {
  readonly theme: "system" | "light" | "dark";
  /** Whether new messages are to be shown by the system. */
  readonly notifications: boolean;
}

const KEY = "smp-edge device";
const DEFAULT: Device = { theme: "system", notifications: false };

function check(value: unknown): Device {
  const { theme, notifications } = (typeof value === "object" && value !== null ? value : {}) as Partial<Device>;
  return {
    theme: theme === "light" || theme === "dark" ? theme : DEFAULT.theme,
    notifications: notifications === true,
  };
}

function parse(text: string | null): Device {
  if (text === null) return DEFAULT;
  try {
    return check(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return DEFAULT;
    throw error;
  }
}

const listeners = new Set<(device: Device) => void>();

export function device(): Device {
  return parse(localStorage.getItem(KEY));
}

/** Takes effect in all tabs. */
export function setDevice(part: Partial<Device>): void {
  localStorage.setItem(KEY, JSON.stringify({ ...device(), ...part }));
  for (const listener of listeners) listener(device());
}

export function subscribeDevice(listener: (device: Device) => void): () => void {
  const hear = ({ key }: StorageEvent): void => {
    // Null: everything was cleared.
    if (key === KEY || key === null) listener(device());
  };
  addEventListener("storage", hear);
  listeners.add(listener);
  return () => {
    removeEventListener("storage", hear);
    listeners.delete(listener);
  };
}
