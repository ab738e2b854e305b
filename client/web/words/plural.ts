const rules = new Intl.PluralRules("en");

/** "1 message", "2 messages". */
export function plural(count: number, one: string, many: string): string {
  const number = new Intl.NumberFormat("en").format(count);
  return `${number} ${rules.select(count) === "one" ? one : many}`;
}
