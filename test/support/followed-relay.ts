import { EMPTY } from "#crypto/bytes";
import { readCertificate } from "#crypto/certificate";
import { randomBytes } from "#crypto/random";
import { openClearBlock } from "#protocol/block";
import { encode } from "#protocol/codec";
import type { Message } from "#protocol/commands";
import { readServerHello, type ServerHello, serverHello } from "#protocol/handshake";
import { clearBlock } from "#protocol/block";
import { packBatches } from "#protocol/transmission";
import type { Proof } from "../../src/relay/destination.ts";
import { encodeFitting, readRequests, type Reply, type Request } from "../../src/relay/dispatch.ts";
import { identityFingerprint, makeIdentity } from "../../src/relay/identity.ts";
import { type FollowingSession, greetAsNotifier } from "../../src/relay/notification/following-session.ts";
import { acceptHello, openSession, type ReadySession, receiveBlock, sendBlock } from "../../src/relay/session.ts";

/** The relay's side of a session, which does what a test tells it: the real sessions, and nothing of queues. */
export class FarSide {
  session: ReadySession;

  constructor(session: ReadySession) {
    this.session = session;
  }

  /** The commands in a block. */
  read(block: Uint8Array): readonly Request[] {
    const { session, content } = receiveBlock(this.session, block);
    this.session = session;
    return readRequests(session, content).map((received) => {
      if ("reply" in received) throw new Error(`the relay refuses what it is sent: ${received.reply.message.tag}`);
      return received.request;
    });
  }

  /** The blocks that take replies, and events, to the client. */
  write(replies: readonly Reply[]): readonly Uint8Array[] {
    return packBatches(replies.map((reply) => encodeFitting(this.session, reply))).map((content) => this.block(content));
  }

  block(content: Uint8Array): Uint8Array {
    const { session, block } = sendBlock(this.session, content);
    this.session = session;
    return block;
  }
}

export function eventOf(entityId: Uint8Array, message: Message): Reply {
  return { corrId: EMPTY, entityId, message };
}

const NOW = Date.now();
export const own = makeIdentity("relay.example", NOW);

/** A relay that has said its hello, perhaps another one, to a web client or to one that came through TLS. */
export function hello(kind: Proof["kind"], change: (hello: ServerHello) => ServerHello = (same) => same) {
  const challenge = randomBytes(32);
  const { session, block } = openSession(own, { challenge, gateway: null });
  const said = change(readServerHello(openClearBlock(block)));
  const proof: Proof = kind === "web"
    ? { kind, challenge }
    : { kind, channelBinding: session.sessionId, leafKey: readCertificate(own.certificate).publicKey };
  const { min, max } = said.versions;
  return { session: { ...session, versions: { min, max } }, proof, block: clearBlock(encode(serverHello, said)) };
}

/** Both ends of a session in which this side follows queues. `version`: the newest that the relay speaks. */
export function followingSessions(version = 19): { readonly near: FollowingSession; readonly far: FarSide } {
  const { session, proof, block } = hello("tls", (said) => ({ ...said, versions: { min: 6, max: version } }));
  const { session: near, hello: answer } = greetAsNotifier(block, identityFingerprint(own), proof, NOW);
  return { near, far: new FarSide(acceptHello(session, answer, own, NOW).session) };
}
