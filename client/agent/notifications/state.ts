import type { Server } from "#protocol/address";
import type { SubscriptionStatus, TokenStatus } from "#protocol/ntf/status";
import type { NotificationMode } from "./records.ts";

/** How it stands with the notifications of this device. */
export interface NotificationsState {
  /** `instant`: a push for every message; `periodic`: only a reminder every 20 minutes. Null: off. */
  readonly mode: NotificationMode | null;
  /** As `formatDeviceToken` writes it. */
  readonly token: string | null;
  /** The notification server. */
  readonly server: Server | null;
  /** `ACTIVE`: it works. `REGISTERED`: a push with a code is on its way. Invalid: the platform has to give another token. */
  readonly status: TokenStatus | null;
}

/** A queue of which the notification server tells this device. */
export interface FollowedQueue {
  readonly connection: string;
  /** Number of the receive queue within the connection. */
  readonly queue: number;
  /** Null: not asked for yet, or not accepted. */
  readonly status: SubscriptionStatus | null;
}
