import type { ForeignPackage } from "./packages.ts";
import { BODY, expectWhole, type Pair } from "./pair.ts";

/** What is used of the package. */
interface Olm {
  init(): Promise<void>;
  readonly Account: new () => Account;
  readonly Session: new () => Session;
}

interface Account {
  create(): void;
  /** JSON, as the next one. */
  identity_keys(): string;
  one_time_keys(): string;
  generate_one_time_keys(count: number): void;
  mark_keys_as_published(): void;
  remove_one_time_keys(session: Session): void;
}

interface Session {
  create_outbound(account: Account, identityKey: string, oneTimeKey: string): void;
  create_inbound_from(account: Account, identityKey: string, message: string): void;
  encrypt(plaintext: string): { readonly type: number; readonly body: string };
  decrypt(type: number, message: string): string;
  free(): void;
}

type Parties = readonly [Session, Session];

export const OLM: ForeignPackage = { name: "@matrix-org/olm", version: "3.2.15" };

function identityOf(account: Account): string {
  return (JSON.parse(account.identity_keys()) as { readonly curve25519: string }).curve25519;
}

/** libolm in WebAssembly. */
export class OlmPair implements Pair {
  readonly #olm: Olm;
  readonly #plaintext = "a".repeat(BODY.classical);
  readonly #accounts: readonly [Account, Account];
  readonly #parties: Parties;
  #sender: 0 | 1 = 0;

  private constructor(olm: Olm) {
    this.#olm = olm;
    this.#accounts = [new olm.Account(), new olm.Account()];
    for (const account of this.#accounts) account.create();
    this.#parties = this.#begun();
    for (let i = 0; i < 4; i++) this.reply();
  }

  static async make(module: unknown): Promise<OlmPair> {
    const olm = module as Olm;
    await olm.init();
    return new OlmPair(olm);
  }

  within(): void {
    this.#send(this.#parties, this.#sender);
  }

  reply(): void {
    this.#sender = this.#sender === 0 ? 1 : 0;
    this.#send(this.#parties, this.#sender);
  }

  begin(): void {
    // Its memory is not collected.
    for (const session of this.#begun()) session.free();
  }

  #begun(): Parties {
    const [joiner, initiator] = this.#accounts;
    initiator.generate_one_time_keys(1);
    const { curve25519 } = JSON.parse(initiator.one_time_keys()) as { readonly curve25519: Record<string, string> };
    initiator.mark_keys_as_published();
    const [oneTimeKey = ""] = Object.values(curve25519);
    const parties: Parties = [new this.#olm.Session(), new this.#olm.Session()];
    parties[0].create_outbound(joiner, identityOf(initiator), oneTimeKey);
    const { type, body } = parties[0].encrypt(this.#plaintext);
    parties[1].create_inbound_from(initiator, identityOf(joiner), body);
    initiator.remove_one_time_keys(parties[1]);
    expectWhole(parties[1].decrypt(type, body).length, this.#plaintext.length);
    return parties;
  }

  #send(parties: Parties, sender: 0 | 1): void {
    const { type, body } = parties[sender].encrypt(this.#plaintext);
    expectWhole(parties[sender === 0 ? 1 : 0].decrypt(type, body).length, this.#plaintext.length);
  }
}
