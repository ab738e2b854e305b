import { randomBytes } from "#crypto/random";
import type { ForeignPackage } from "./packages.ts";
import { BODY, expectWhole, type Pair } from "./pair.ts";

export const SIGNAL: ForeignPackage = { name: "@signalapp/libsignal-client", version: "0.103.0" };

interface PublicKey {
  serialize(): Uint8Array;
}

interface PrivateKey {
  getPublicKey(): PublicKey;
  sign(message: Uint8Array): Uint8Array;
}

interface KeyPair {
  readonly publicKey: PublicKey;
  readonly privateKey: PrivateKey;
}

interface KemKeys {
  getPublicKey(): PublicKey;
}

/** Records, messages and addresses of the library, which are only passed on. */
type Opaque = object;
type Maker = { readonly "new": (...parts: unknown[]) => Opaque };
type Reader = { readonly deserialize: (bytes: Uint8Array) => Opaque };
type Store = new () => object;

/** What is used of the package. */
interface Signal {
  readonly ProtocolAddress: Maker;
  readonly PrivateKey: { generate(): PrivateKey };
  readonly IdentityKeyPair: { generate(): KeyPair };
  readonly KEMKeyPair: { generate(): KemKeys };
  readonly PreKeyBundle: Maker;
  readonly PreKeyRecord: Maker;
  readonly SignedPreKeyRecord: Maker;
  readonly KyberPreKeyRecord: Maker;
  readonly SignalMessage: Reader;
  readonly PreKeySignalMessage: Reader;
  readonly SessionStore: Store;
  readonly IdentityKeyStore: Store;
  readonly PreKeyStore: Store;
  readonly SignedPreKeyStore: Store;
  readonly KyberPreKeyStore: Store;
  processPreKeyBundle(bundle: Opaque, ...rest: readonly object[]): Promise<void>;
  signalEncrypt(message: Uint8Array, ...rest: readonly object[]): Promise<{ serialize(): Uint8Array }>;
  signalDecrypt(message: Opaque, ...rest: readonly object[]): Promise<Uint8Array>;
  signalDecryptPreKey(message: Opaque, ...rest: readonly object[]): Promise<Uint8Array>;
}

const REGISTRATION = 1;
const DEVICE = 1;
const ID = { preKey: 1, signedPreKey: 2, kyberPreKey: 3 } as const;

/** Everything in memory, as objects: nothing is serialized. */
function storesOf(signal: Signal, identity: KeyPair) {
  class Sessions extends signal.SessionStore {
    #record: Opaque | null = null;

    async getSession(): Promise<Opaque | null> {
      return this.#record;
    }

    async saveSession(_: Opaque, record: Opaque): Promise<void> {
      this.#record = record;
    }
  }
  class Identities extends signal.IdentityKeyStore {
    async getIdentityKey(): Promise<PrivateKey> {
      return identity.privateKey;
    }

    async getLocalRegistrationId(): Promise<number> {
      return REGISTRATION;
    }

    async saveIdentity(): Promise<number> {
      return 0;
    }

    async isTrustedIdentity(): Promise<boolean> {
      return true;
    }

    async getIdentity(): Promise<null> {
      return null;
    }
  }
  class PreKeys extends signal.PreKeyStore {
    record: Opaque | null = null;

    async getPreKey(): Promise<Opaque | null> {
      return this.record;
    }

    async removePreKey(): Promise<void> {
      this.record = null;
    }
  }
  class SignedPreKeys extends signal.SignedPreKeyStore {
    record: Opaque | null = null;

    async getSignedPreKey(): Promise<Opaque | null> {
      return this.record;
    }
  }
  class KyberPreKeys extends signal.KyberPreKeyStore {
    record: Opaque | null = null;

    async getKyberPreKey(): Promise<Opaque | null> {
      return this.record;
    }

    async markKyberPreKeyUsed(): Promise<void> {}
  }
  return {
    sessions: new Sessions(),
    identities: new Identities(),
    preKeys: new PreKeys(),
    signedPreKeys: new SignedPreKeys(),
    kyberPreKeys: new KyberPreKeys(),
  };
}

function newParty(signal: Signal, name: string, identity: KeyPair) {
  return { address: signal.ProtocolAddress.new(name, DEVICE), identity, ...storesOf(signal, identity) };
}

type Party = ReturnType<typeof newParty>;
type Parties = readonly [Party, Party];

/** libsignal: Rust, as a native module. */
export class SignalPair implements Pair {
  readonly #signal: Signal;
  readonly #plaintext = randomBytes(BODY.pq);
  readonly #identities: readonly [KeyPair, KeyPair];
  #parties: Parties | null = null;
  #sender: 0 | 1 = 0;

  private constructor(signal: Signal) {
    this.#signal = signal;
    this.#identities = [signal.IdentityKeyPair.generate(), signal.IdentityKeyPair.generate()];
  }

  static async make(module: unknown): Promise<SignalPair> {
    const pair = new SignalPair(module as Signal);
    pair.#parties = await pair.#begun();
    for (let i = 0; i < 4; i++) await pair.reply();
    return pair;
  }

  within(): Promise<void> {
    return this.#send();
  }

  reply(): Promise<void> {
    this.#sender = this.#sender === 0 ? 1 : 0;
    return this.#send();
  }

  async begin(): Promise<void> {
    await this.#begun();
  }

  async #begun(): Promise<Parties> {
    const signal = this.#signal;
    const joiner = newParty(signal, "joiner", this.#identities[0]);
    const initiator = newParty(signal, "initiator", this.#identities[1]);
    const { address, sessions, identities, preKeys, signedPreKeys, kyberPreKeys } = initiator;
    const joining = [address, joiner.address, joiner.sessions, joiner.identities];
    await signal.processPreKeyBundle(this.#offer(initiator), ...joining);
    const sent = await signal.signalEncrypt(this.#plaintext, ...joining);
    const message = signal.PreKeySignalMessage.deserialize(sent.serialize());
    const stores = [sessions, identities, preKeys, signedPreKeys, kyberPreKeys];
    const received = await signal.signalDecryptPreKey(message, joiner.address, address, ...stores);
    expectWhole(received.length, this.#plaintext.length);
    return [joiner, initiator];
  }

  /** Fresh keys for one connection; what the other side needs of them. */
  #offer({ identity, preKeys, signedPreKeys, kyberPreKeys }: Party): Opaque {
    const signal = this.#signal;
    const key = signal.PrivateKey.generate();
    const signedKey = signal.PrivateKey.generate();
    const kem = signal.KEMKeyPair.generate();
    const publicKey = key.getPublicKey();
    const signedPublicKey = signedKey.getPublicKey();
    const kemPublicKey = kem.getPublicKey();
    const signature = identity.privateKey.sign(signedPublicKey.serialize());
    const kemSignature = identity.privateKey.sign(kemPublicKey.serialize());
    const now = Date.now();
    preKeys.record = signal.PreKeyRecord.new(ID.preKey, publicKey, key);
    signedPreKeys.record = signal.SignedPreKeyRecord.new(ID.signedPreKey, now, signedPublicKey, signedKey, signature);
    kyberPreKeys.record = signal.KyberPreKeyRecord.new(ID.kyberPreKey, now, kem, kemSignature);
    return signal.PreKeyBundle.new(
      REGISTRATION,
      DEVICE,
      ID.preKey,
      publicKey,
      ID.signedPreKey,
      signedPublicKey,
      signature,
      identity.publicKey,
      ID.kyberPreKey,
      kemPublicKey,
      kemSignature,
    );
  }

  async #send(): Promise<void> {
    if (!this.#parties) throw new Error("the session is not there yet");
    const signal = this.#signal;
    const from = this.#parties[this.#sender];
    const to = this.#parties[this.#sender === 0 ? 1 : 0];
    const sending = [to.address, from.address, from.sessions, from.identities];
    const sent = await signal.signalEncrypt(this.#plaintext, ...sending);
    const message = signal.SignalMessage.deserialize(sent.serialize());
    const received = await signal.signalDecrypt(message, from.address, to.address, to.sessions, to.identities);
    expectWhole(received.length, this.#plaintext.length);
  }
}
