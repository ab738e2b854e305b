import { concat, EMPTY, utf8 } from "./bytes.ts";
import { hkdf } from "./hash.ts";
import { native } from "#native";

/** A keyed permutation of byte strings of one even length. */
export interface Permutation {
  forward(input: Uint8Array): Uint8Array;
  backward(output: Uint8Array): Uint8Array;
}

const ROUNDS = 4;
const ROUND_KEY_LENGTH = 32;

function xorInto(target: Uint8Array, mask: Uint8Array): Uint8Array {
  return target.map((byte, i) => byte ^ (mask[i] ?? 0));
}

/**
 * Four Feistel rounds with HMAC-SHA256 as round function: a strong pseudorandom permutation by Luby and Rackoff
 * ("How to construct pseudorandom permutations from pseudorandom functions", 1988) for as long as far fewer than 2^48
 * values of 24 bytes are seen. Its round keys are derived from `secret` for one `purpose`. NIST's FF1 would serve
 * as well, at more than ten times the cost for each id.
 */
export function permutation(secret: Uint8Array, purpose: string): Permutation {
  const material = hkdf(EMPTY, secret, utf8(purpose), ROUNDS * ROUND_KEY_LENGTH);
  const keys = Array.from({ length: ROUNDS }, (_, i) => material.slice(i * ROUND_KEY_LENGTH, (i + 1) * ROUND_KEY_LENGTH));
  const run = (input: Uint8Array, order: readonly Uint8Array[]): [Uint8Array, Uint8Array] => {
    const half = input.length / 2;
    let left: Uint8Array = input.slice(0, half);
    let right: Uint8Array = input.slice(half);
    for (const key of order) [left, right] = [right, xorInto(left, native.hmacSha256(key, right))];
    return [left, right];
  };
  const backwardKeys = keys.toReversed();
  return {
    forward: (input) => concat(...run(input, keys)),
    backward: (output) => {
      const half = output.length / 2;
      const swapped = concat(output.subarray(half), output.subarray(0, half));
      const [right, left] = run(swapped, backwardKeys);
      return concat(left, right);
    },
  };
}
