const language = (): string[] => [...navigator.languages];

const time = new Intl.DateTimeFormat(language(), { hour: "numeric", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(language(), { weekday: "long" });
const shortWeekday = new Intl.DateTimeFormat(language(), { weekday: "short" });
const day = new Intl.DateTimeFormat(language(), { day: "numeric", month: "long" });
const dayWithYear = new Intl.DateTimeFormat(language(), { day: "numeric", month: "long", year: "numeric" });
const shortDay = new Intl.DateTimeFormat(language(), { day: "numeric", month: "short" });
const shortDayWithYear = new Intl.DateTimeFormat(language(), { day: "numeric", month: "short", year: "numeric" });
const whole = new Intl.DateTimeFormat(language(), { dateStyle: "full", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(language(), { numeric: "auto" });

const DAY = 86_400_000;

/** Calendar days of this place between two moments. */
function daysBetween(from: number, to: number): number {
  const midnight = (moment: number): number => new Date(moment).setHours(0, 0, 0, 0);
  return Math.round((midnight(to) - midnight(from)) / DAY);
}

export const isSameDay = (a: number, b: number): boolean => daysBetween(a, b) === 0;

export const clockTime = (moment: number): string => time.format(moment);

/** Everything, for whoever wants to know exactly. */
export const wholeTime = (moment: number): string => whole.format(moment);

const capital = (text: string): string => text.charAt(0).toLocaleUpperCase() + text.slice(1);
const yearOf = (moment: number): number => new Date(moment).getFullYear();
const isThisYear = (moment: number, now: number): boolean => yearOf(moment) === yearOf(now);

/** Over the messages of a day. */
export function dayTitle(moment: number, now = Date.now()): string {
  const days = daysBetween(moment, now);
  if (days === 0 || days === 1) return capital(relative.format(-days, "day"));
  if (days > 1 && days < 7) return capital(weekday.format(moment));
  return (isThisYear(moment, now) ? day : dayWithYear).format(moment);
}

/** In the list of conversations. */
export function shortMoment(moment: number, now = Date.now()): string {
  const days = daysBetween(moment, now);
  if (days <= 0) return time.format(moment);
  if (days < 7) return shortWeekday.format(moment);
  return (isThisYear(moment, now) ? shortDay : shortDayWithYear).format(moment);
}

const units = [["week", 604_800], ["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]] as const;

/** Seconds as the largest unit that divides them: "1 day". */
export function duration(seconds: number): string {
  const [unit, size] = units.find(([, length]) => seconds >= length && seconds % length === 0) ?? ["second", 1];
  return new Intl.NumberFormat(language(), { style: "unit", unit, unitDisplay: "long" }).format(seconds / size);
}

/** What is left until a moment, in one short unit: "5m". */
export function remaining(until: number, now = Date.now()): string {
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  const [unit, size] = units.find(([, length]) => seconds >= length) ?? ["second", 1];
  const format = new Intl.NumberFormat(language(), { style: "unit", unit, unitDisplay: "narrow" });
  return format.format(Math.ceil(seconds / size));
}

/** 75 as "1:15". */
export function playTime(seconds: number): string {
  const all = Math.max(0, Math.floor(seconds));
  return `${Math.floor(all / 60)}:${String(all % 60).padStart(2, "0")}`;
}

const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

export function byteSize(bytes: number): string {
  const step = bytes < 1000 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log10(bytes) / 3));
  const unit = SIZES[step] ?? "byte";
  const format = new Intl.NumberFormat(language(), { style: "unit", unit, maximumFractionDigits: step === 0 ? 0 : 1 });
  return format.format(bytes / 1000 ** step);
}

export const count = (value: number): string => new Intl.NumberFormat(language()).format(value);
