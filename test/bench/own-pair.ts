import { randomBytes } from "#crypto/random";
import { messagePaddedLength } from "../../client/agent/wire/padded-lengths.ts";
import { AGENT_VERSIONS } from "../../client/agent/versions.ts";
import { e2eParamsOf, generateE2eKeys, generateReplyKeys } from "../../client/ratchet/agree.ts";
import { decrypt } from "../../client/ratchet/decrypt.ts";
import { encryptBody, encryptHeader } from "../../client/ratchet/encrypt.ts";
import { E2E_VERSIONS } from "../../client/ratchet/parameters.ts";
import { initInitiator, initJoiner, type RatchetState } from "../../client/ratchet/state.ts";
import { BODY, expectWhole, type Pair } from "./pair.ts";

/** Who joined, then who made the link. */
type Parties = [RatchetState, RatchetState];

/** The project's ratchet. Measured twice: on node's crypto, and bundled as for browsers on noble's. */
export class OwnPair implements Pair {
  readonly #pq: boolean;
  readonly #plaintext: Uint8Array;
  readonly #paddedLength: number;
  readonly #parties: Parties;
  #sender: 0 | 1 = 0;

  constructor(pq: boolean) {
    this.#pq = pq;
    this.#plaintext = randomBytes(pq ? BODY.pq : BODY.classical);
    this.#paddedLength = messagePaddedLength(AGENT_VERSIONS.max, pq);
    this.#parties = this.#begun();
    // With the first reply both sides have encapsulated.
    for (let i = 0; i < 4; i++) this.reply();
    if (this.#parties.some(({ sndKem, rcvKem }) => sndKem !== pq || rcvKem !== pq)) {
      throw new Error(`the ratchet is ${pq ? "not " : ""}post-quantum`);
    }
  }

  within(): void {
    this.#send(this.#parties, this.#sender);
  }

  reply(): void {
    this.#sender = this.#sender === 0 ? 1 : 0;
    this.#send(this.#parties, this.#sender);
  }

  begin(): void {
    this.#begun();
  }

  #begun(): Parties {
    const version = E2E_VERSIONS.max;
    const linkKeys = generateE2eKeys(this.#pq);
    const link = e2eParamsOf(linkKeys, version);
    const replyKeys = generateReplyKeys(link, this.#pq);
    const joiner = initJoiner(replyKeys, link);
    const initiator = initInitiator(linkKeys, e2eParamsOf(replyKeys, version), this.#pq);
    const parties: Parties = [joiner, initiator];
    this.#send(parties, 0);
    return parties;
  }

  #send(parties: Parties, sender: 0 | 1): void {
    const recipient = sender === 0 ? 1 : 0;
    const { state, key } = encryptHeader(parties[sender]);
    const message = encryptBody(key, this.#plaintext, this.#paddedLength);
    const decrypted = decrypt(parties[recipient], [], message);
    if (!decrypted.result.ok) throw decrypted.result.error;
    expectWhole(decrypted.result.plaintext.length, this.#plaintext.length);
    parties[sender] = state;
    parties[recipient] = decrypted.state;
  }
}
