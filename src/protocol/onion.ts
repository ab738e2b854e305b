/** Onion hosts of the routers that existed before an address could name several hosts. */
const KNOWN: Readonly<Record<string, string>> = {
  "smp4.simplex.im": "o5vmywmrnaxalvz6wi3zicyftgio6psuvyniis6gco6bp6ekl4cqj4id.onion",
  "smp5.simplex.im": "jjbyvoemxysm7qxap7m5d5m35jzv5qq6gnlv7s4rsn7tdwwmuqciwpid.onion",
  "smp6.simplex.im": "bylepyau3ty4czmn77q4fglvperknl4bi2eb2fdy2bh4jxtf32kf73yd.onion",
  "smp8.simplex.im": "beccx4yfxxbvyhqypaavemqurytl6hozr47wfc7uuecacjqdvwpw2xid.onion",
  "smp9.simplex.im": "jssqzccmrcws6bhmn77vgmhfjmhwlyr3u7puw4erkyoosywgl67slqqd.onion",
  "smp10.simplex.im": "rb2pbttocvnbrngnwziclp2f4ckjq65kebafws6g4hy22cdaiv5dwjqd.onion",
};

/** Adds the onion host that the only host of an old address is known to have. */
export function withKnownOnion(hosts: readonly string[]): readonly string[] {
  const [only = "", ...others] = hosts;
  const onion = others.length === 0 && Object.hasOwn(KNOWN, only) ? KNOWN[only] : undefined;
  return onion === undefined ? hosts : [only, onion];
}
