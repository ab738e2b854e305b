import { EMPTY } from "#crypto/bytes";
import { type AuthAlgorithm, dh, generateKeyPair, type KeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { type AuthContext, type AuthSecretKey, authorize } from "#protocol/authorize";
import { describeError } from "#protocol/errors";
import { encodeNtfCommand } from "#protocol/ntf/commands";
import type { NtfQueue } from "#protocol/ntf/queue";
import type { DeviceToken } from "#protocol/ntf/token";
import { authorizedBytes } from "#protocol/transmission";
import { delivered, duePush, hear, nextPush } from "../../src/relay/notification/delivery.ts";
import { executeNtf, needsClaim, type NtfRequest } from "../../src/relay/notification/execute.ts";
import { newDevice, notificationIds } from "../../src/relay/notification/ids.ts";
import { DEFAULT_NOTIFICATION_LIMITS, type NotificationLimits } from "../../src/relay/notification/limits.ts";
import type { DeliveryResult, Effect, NtfOutcome, Push } from "../../src/relay/notification/ports.ts";
import { authSecret } from "./queue-bench.ts";
import { MemoryDeviceStore } from "./memory-device.ts";

const session = { id: randomBytes(32), key: generateKeyPair("X25519") };
const ids = notificationIds(randomBytes(32));

export const APNS: DeviceToken = { provider: "apns_prod", token: "ab".repeat(32) };
export const OTHER_APNS: DeviceToken = { provider: "apns_prod", token: "cd".repeat(32) };

/** What a server knows of a command that `key` authorized; null: no authorization. */
export function authorizedNtf(command: NtfRequest["command"], entityId: Uint8Array, key: AuthSecretKey | null): AuthContext {
  const corrId = randomBytes(24);
  const message = authorizedBytes(session.id, corrId, entityId, encodeNtfCommand(command, 3));
  return {
    authorization: key ? { kind: key.algorithm, bytes: authorize(key, session.key.publicKey, corrId, message) } : null,
    authorized: message,
    corrId,
    sessionKey: session.key.secretKey,
  };
}

let queues = 0;

export function someQueue(host = "smp.example.org"): NtfQueue {
  const notifierId = new Uint8Array(24).fill(7);
  new DataView(notifierId.buffer).setUint32(0, ++queues);
  return { server: { hosts: [host], port: "", keyHash: new Uint8Array(32).fill(1) }, notifierId };
}

export const tagOf = ({ answer }: NtfOutcome): string => {
  if (answer.tag === "ERR") return describeError(answer.error);
  return answer.tag === "TKN" || answer.tag === "SUB" ? answer.status : answer.tag;
};

/** One device under the rules, with its keys at hand: commands are properly authorized unless a test says not. */
export class DeviceBench {
  readonly store = new MemoryDeviceStore();
  readonly keys: KeyPair<AuthAlgorithm>;
  readonly dhKeys = generateKeyPair("X25519");
  readonly device = newDevice();
  readonly tokenId = ids.tokenId(this.device);
  readonly limits: NotificationLimits;
  effects: readonly Effect[] = [];
  refuses: (token: DeviceToken) => boolean = () => false;
  /** Milliseconds since 1970. */
  now = 1_800_000_000_000;

  constructor(options: { keys?: KeyPair<AuthAlgorithm>; limits?: Partial<NotificationLimits> } = {}) {
    this.keys = options.keys ?? generateKeyPair("Ed25519");
    this.limits = { ...DEFAULT_NOTIFICATION_LIMITS, ...options.limits };
  }

  /** The queue that must be claimed before the command. */
  claimFor(command: NtfRequest["command"], key?: AuthSecretKey): NtfQueue | null {
    const auth = authorizedNtf(command, EMPTY, key ?? authSecret(this.keys));
    return needsClaim(this.store, { command, entityId: EMPTY, auth }, this.limits);
  }

  /** `key` undefined: the right one; `entityId` too. */
  run(command: NtfRequest["command"], key?: AuthSecretKey | null, entityId?: Uint8Array): NtfOutcome {
    const entity = entityId ?? (command.tag === "TNEW" || command.tag === "SNEW" ? EMPTY : this.tokenId);
    const auth = authorizedNtf(command, entity, key === undefined ? authSecret(this.keys) : key);
    const outcome = executeNtf(this.store, { command, entityId: entity, auth }, {
      now: this.now,
      limits: this.limits,
      allows: (token) => !this.refuses(token),
      tokenId: this.tokenId,
      newSubId: () => ids.newSubId(this.device),
    });
    this.effects = outcome.effects;
    return outcome;
  }

  register(token: DeviceToken = APNS): NtfOutcome {
    return this.run({ tag: "TNEW", token, verifyKey: this.keys.publicKey, dhKey: this.dhKeys.publicKey });
  }

  get code(): Uint8Array {
    return this.store.record()?.regCode ?? EMPTY;
  }

  /** Registered, the verification push brought, and verified. */
  activate(): this {
    this.register();
    this.deliver();
    this.run({ tag: "TVFY", code: this.code });
    this.store.writes = 0;
    return this;
  }

  /** The secret as the device has it. */
  secret(outcome: NtfOutcome): Uint8Array {
    if (outcome.answer.tag !== "IDTKN") throw new Error(`no token: ${outcome.answer.tag}`);
    return dh(this.dhKeys.secretKey, outcome.answer.dhKey);
  }

  subscribe(queue = someQueue(), notifierKey: AuthSecretKey = generateKeyPair("Ed25519").secretKey): Uint8Array {
    const { answer } = this.run({ tag: "SNEW", tokenId: this.tokenId, queue, notifierKey });
    if (answer.tag !== "IDSUB") throw new Error(`no subscription: ${answer.tag}`);
    return answer.subId;
  }

  hear(subId: Uint8Array, urgent = false, nonce = randomBytes(24)): boolean {
    return hear(this.store, subId, { nonce, encMeta: new Uint8Array(144).fill(3), urgent }, this.now);
  }

  due(): Push | null {
    return duePush(this.store, this.limits, this.now);
  }

  /** Lets the time pass until something is due. */
  wait(): void {
    const next = this.nextAt();
    if (next === null) throw new Error("nothing will ever be due");
    this.now += next;
  }

  nextAt(): number | null {
    const next = nextPush(this.store, this.limits, this.now);
    return next && next.at - this.now;
  }

  /** Tells what became of the push that is due; undefined: none was. */
  deliver(result: DeliveryResult = { type: "sent" }): Push | undefined {
    const push = this.due();
    if (!push) return undefined;
    this.report(push, result);
    return push;
  }

  report(push: Push, result: DeliveryResult): void {
    this.effects = delivered(this.store, push, result, this.limits, this.now, 0);
  }

  /** Brings everything, waiting as long as the rules say, at most until `until`; what went when. */
  deliverAll(until = this.now + 3_600_000): { readonly at: number; readonly push: Push }[] {
    const sent: { at: number; push: Push }[] = [];
    for (;;) {
      const next = nextPush(this.store, this.limits, this.now);
      if (!next || next.at > until) return sent;
      this.now = Math.max(this.now, next.at);
      const push = this.deliver();
      if (!push || sent.length > 1000) throw new Error("what is due is not brought, or is always due again");
      sent.push({ at: this.now, push });
    }
  }
}
