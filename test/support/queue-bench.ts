import { EMPTY } from "#crypto/bytes";
import { type AuthAlgorithm, dh, generateKeyPair, type KeyPair, type SecretKey } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { type AuthContext, type AuthSecretKey, authorize } from "#protocol/authorize";
import { encodeCommand, type Message } from "#protocol/commands";
import type { NEW, QueueMode } from "#protocol/commands/queue";
import { openReceivedMessage, type ReceivedMessage } from "#protocol/message";
import { authorizedBytes } from "#protocol/transmission";
import { create, prepareQueue, type QueueIds } from "../../src/relay/create.ts";
import { execute, type QueueCommand, type QueueRequest } from "../../src/relay/execute.ts";
import { idScheme } from "../../src/relay/ids.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/relay/limits.ts";
import { newId } from "../../src/relay/messages.ts";
import type { Caller, Outcome, QueueLink } from "../../src/relay/ports.ts";
import { MemoryQueueStore } from "./memory-queue.ts";

const session = { id: randomBytes(32), key: generateKeyPair("X25519") };

/** The client's half of a key pair, as the type of keys that authorize commands. */
export function authSecret(pair: KeyPair<AuthAlgorithm>): AuthSecretKey {
  return pair.secretKey as AuthSecretKey;
}

/** What a router knows of a command that `key` authorized; null: no authorization. */
export function authorized(command: QueueCommand | NEW, entityId: Uint8Array, key: AuthSecretKey | null, corrId = randomBytes(24)): AuthContext {
  const message = authorizedBytes(session.id, corrId, entityId, encodeCommand(command, 19));
  return {
    authorization: key
      ? { kind: key.algorithm, bytes: authorize(key, session.key.publicKey, corrId, message) }
      : null,
    authorized: message,
    corrId,
    sessionKey: session.key.secretKey,
  };
}

export function caller(connection: string, version = 19, serviceId: Uint8Array | null = null): Caller {
  return { connection, version, serviceId };
}

interface BenchOptions {
  readonly mode?: QueueMode | null;
  readonly subscribe?: boolean;
  readonly recipient?: KeyPair<AuthAlgorithm>;
  readonly link?: QueueLink | null;
  readonly limits?: Partial<Limits>;
  readonly ntf?: boolean;
}

const scheme = idScheme(randomBytes(32));

/** One queue under the rules, with its keys at hand: every command is properly authorized unless a test says not. */
export class QueueBench {
  readonly store = new MemoryQueueStore();
  readonly recipient: KeyPair<AuthAlgorithm>;
  readonly recipientDh = generateKeyPair("X25519");
  readonly sender = generateKeyPair("X25519");
  readonly notifier = generateKeyPair("Ed25519");
  readonly notifierDh = generateKeyPair("X25519");
  readonly ids: QueueIds = { senderId: randomBytes(24), recipientId: randomBytes(24), notifierId: randomBytes(24) };
  readonly created: Outcome;
  readonly #limits: Limits;
  /** Seconds since 1970. */
  now = 1_700_000_000;

  constructor(options: BenchOptions = {}) {
    const { mode = "messaging", subscribe = true, link = null, ntf = false } = options;
    this.recipient = options.recipient ?? generateKeyPair("Ed25519");
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    const command: NEW = {
      tag: "NEW",
      rcvAuthKey: this.recipient.publicKey,
      rcvDhKey: this.recipientDh.publicKey,
      basicAuth: null,
      subscribe,
      queueReqData: mode === null ? null : { mode, data: null },
      ntfCreds: ntf ? { authKey: this.notifier.publicKey, dhKey: this.notifierDh.publicKey } : null,
    };
    const prepared = prepareQueue(command);
    if (!prepared) throw new Error("the keys are unusable");
    this.created = create(this.store, this.ids, prepared, link, caller("recipient"));
    this.store.writes = 0;
  }

  get secret(): Uint8Array {
    const { answer } = this.created;
    if (answer.tag !== "IDS") throw new Error(`no queue: ${answer.tag}`);
    return dh(this.recipientDh.secretKey, answer.rcvPublicDhKey);
  }

  entityOf(command: QueueCommand): Uint8Array {
    switch (command.tag) {
      case "SEND":
      case "SKEY":
        return this.ids.senderId;
      case "NSUB":
        return this.store.record()?.notifierId ?? this.ids.notifierId;
      case "LKEY":
      case "LGET":
        return this.store.record()?.link?.linkId ?? EMPTY;
      default:
        return this.ids.recipientId;
    }
  }

  /** `key` undefined: the right one. */
  run(command: QueueCommand, connection = "recipient", key?: AuthSecretKey | null, version = 19): Outcome {
    const entityId = this.entityOf(command);
    const auth = authorized(command, entityId, key === undefined ? this.#keyFor(command) : key);
    return this.execute({ command, entityId, auth }, caller(connection, version));
  }

  execute(request: QueueRequest, by = caller("recipient")): Outcome {
    return execute(this.store, by, request, {
      now: this.now,
      limits: this.#limits,
      nextNotifierId: (id) => scheme.nextNotifierId(id),
    });
  }

  #keyFor(command: QueueCommand): AuthSecretKey | null {
    switch (command.tag) {
      case "SEND":
        return this.store.record()?.senderKey ? authSecret(this.sender) : null;
      case "SKEY":
      case "LKEY":
        return authSecret(this.sender);
      case "LGET":
        return null;
      case "NSUB":
        return authSecret(this.notifier);
      default:
        return authSecret(this.recipient);
    }
  }

  send(body: string | Uint8Array, notification = false): Outcome {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    return this.run({ tag: "SEND", msgId: newId(), notification, body: bytes }, "sender");
  }

  /** What is inside a MSG. */
  open(message: Message | undefined): ReceivedMessage & { readonly text?: string; readonly msgId: Uint8Array } {
    if (message?.tag !== "MSG") throw new Error(`not a MSG: ${message?.tag}`);
    const received = openReceivedMessage(this.secret, message.msgId, message.encBody);
    return received.type === "message"
      ? { ...received, text: new TextDecoder().decode(received.body), msgId: message.msgId }
      : { ...received, msgId: message.msgId };
  }

  ack(message: Message | undefined, connection = "recipient"): Outcome {
    return this.run({ tag: "ACK", msgId: this.open(message).msgId }, connection);
  }
}

export function otherKey(): SecretKey<"Ed25519"> {
  return generateKeyPair("Ed25519").secretKey;
}
