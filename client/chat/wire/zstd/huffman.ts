/** The longest code that Zstandard allows for a literal. Bits. */
const MAX_LENGTH = 11;

interface Package {
  readonly weight: number;
  readonly symbols: readonly number[];
}

const byWeight = (a: Package, b: Package): number => a.weight - b.weight;

/**
 * Lengths of the codes that make the shortest text, none longer than 11 bits (package-merge). The index is the byte;
 * 0 for bytes that do not occur. Of the bytes two or more have to occur.
 */
export function codeLengths(counts: readonly number[]): number[] {
  const leaves = counts
    .flatMap((weight, symbol) => (weight > 0 ? [{ weight, symbols: [symbol] }] : []))
    .toSorted(byWeight);
  let packages: Package[] = leaves;
  for (let level = 1; level < MAX_LENGTH; level++) {
    const pairs: Package[] = [];
    for (let i = 0; i + 1 < packages.length; i += 2) {
      const [a, b] = packages.slice(i, i + 2);
      if (a && b) pairs.push({ weight: a.weight + b.weight, symbols: [...a.symbols, ...b.symbols] });
    }
    packages = [...leaves, ...pairs].toSorted(byWeight);
  }
  const lengths = counts.map(() => 0);
  for (const { symbols } of packages.slice(0, 2 * leaves.length - 2)) {
    for (const symbol of symbols) lengths[symbol] = (lengths[symbol] ?? 0) + 1;
  }
  return lengths;
}

/** The codes of these lengths: the longest come first, and bytes of one length in their order (RFC 8878, 4.2.1). */
export function codesOf(lengths: readonly number[]): number[] {
  const codes = lengths.map(() => 0);
  let code = 0;
  for (let length = MAX_LENGTH; length > 0; length--) {
    for (const [symbol, own] of lengths.entries()) {
      if (own !== length) continue;
      codes[symbol] = code;
      code++;
    }
    code >>= 1;
  }
  return codes;
}
