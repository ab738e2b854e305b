const HOUR = 3_600_000;

/**
 * Milliseconds after sending in which a message can be changed. Who receives the change does not look at the time.
 */
export const EDIT_WINDOW = 24 * HOUR;
/** Milliseconds after sending in which a message can be deleted for all. */
export const DELETE_WINDOW = 24 * HOUR;
/** By this much less than {@link DELETE_WINDOW} there is no doubt that the deletion comes in time. */
export const DELETE_MARGIN = 6 * HOUR;
/** Milliseconds between the relay's times of a message and of its deletion up to which the recipient obeys. */
export const RECEIVED_DELETE_WINDOW = 78 * HOUR;

/** Invitations to a call that are older are not rung for. Milliseconds. */
export const CALL_RINGING_WINDOW = 180_000;

/** Whether a message that was sent at `sentAt` can still be edited; milliseconds since 1970. */
export function canEdit(sentAt: number, now: number): boolean {
  return now - sentAt < EDIT_WINDOW;
}

/** Whether a message that was sent at `sentAt` can still be deleted for all; milliseconds since 1970. */
export function canDelete(sentAt: number, now: number): boolean {
  return now - sentAt < DELETE_WINDOW;
}

/** Whether to obey a deletion; both times are the relay's, in milliseconds since 1970. */
export function obeysDeletion(itemAt: number, deletedAt: number): boolean {
  return deletedAt - itemAt < RECEIVED_DELETE_WINDOW;
}

/** Characters of a file's description in one `x.msg.file.descr`. */
export const MAX_FILE_DESCR_PART = 14_000;
/** Characters of the preview of an image in official clients, data URI included. */
export const MAX_PREVIEW_LENGTH = 14_000;
/** Characters of the image of a profile in official clients, data URI included. */
export const MAX_PROFILE_IMAGE_LENGTH = 12_500;
/** Characters of the short description of a profile. */
export const MAX_SHORT_DESCR_LENGTH = 160;
