/** The alerts of TLS 1.3 by their number on the wire (RFC 8446 section 6; 120 is of RFC 7301). */
export const ALERTS = {
  close_notify: 0,
  unexpected_message: 10,
  bad_record_mac: 20,
  record_overflow: 22,
  handshake_failure: 40,
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  inappropriate_fallback: 86,
  user_canceled: 90,
  missing_extension: 109,
  unsupported_extension: 110,
  unrecognized_name: 112,
  bad_certificate_status_response: 113,
  unknown_psk_identity: 115,
  certificate_required: 116,
  no_application_protocol: 120,
} as const;

export type AlertName = keyof typeof ALERTS;

/** The name of an alert; null for a number that RFC 8446 does not know. */
export function alertName(code: number): AlertName | null {
  return (Object.keys(ALERTS) as AlertName[]).find((name) => ALERTS[name] === code) ?? null;
}

/**
 * Why a connection failed.
 * - `protocol`: the server breaks TLS 1.3, or wants a part of it that SMP does not use.
 * - `identity`: it speaks TLS 1.3 but is not proven to be the server with the expected fingerprint.
 * - `refused`: the server itself ended the connection with an alert.
 * - `truncated`: the carrier ended without close_notify: bytes that were sent may be missing.
 */
export type TlsFailure = "protocol" | "identity" | "refused" | "truncated";

/** A connection failed for good. No text of it holds key material or application data. */
export class TlsError extends Error {
  override readonly name = "TlsError";
  readonly failure: TlsFailure;
  /** For `protocol` and `identity` the alert that the server gets, for `refused` the one that it sent, if known. */
  readonly alert: AlertName | null;

  constructor(failure: TlsFailure, alert: AlertName | null, message: string, options?: ErrorOptions) {
    super(alert === null ? message : `${message} (${alert})`, options);
    this.failure = failure;
    this.alert = alert;
  }
}

/** The caller asked for what a connection in its state cannot do. */
export class TlsUsageError extends Error {
  override readonly name = "TlsUsageError";
}

/** @throws TlsError that the server gets as this alert. */
export function refuse(alert: AlertName, message: string, options?: ErrorOptions): never {
  throw new TlsError("protocol", alert, message, options);
}

/** @throws TlsError for a server that is not the one expected. */
export function distrust(alert: AlertName, message: string, options?: ErrorOptions): never {
  throw new TlsError("identity", alert, message, options);
}
