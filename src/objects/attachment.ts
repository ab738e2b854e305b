import type { Session } from "../relay/session.ts";

/** Layout of what is attached to a socket. A connection that an older deployment left behind is closed, not guessed. */
const LAYOUT = 2;

interface Attachment {
  readonly layout: typeof LAYOUT;
  readonly session: Session;
}

/**
 * The state of a connection lives in its socket, so that the object can leave memory between any two blocks. Well
 * below 1 KB, with all the sessions that a client of the proxy may have 2.5 KB; the platform allows 16 KB.
 */
export function saveSession(socket: WebSocket, session: Session): void {
  socket.serializeAttachment({ layout: LAYOUT, session } satisfies Attachment);
}

/** Null when the attachment is of another layout. */
export function loadSession(socket: WebSocket): Session | null {
  const attachment = socket.deserializeAttachment() as Partial<Attachment> | null;
  return attachment?.layout === LAYOUT && attachment.session ? attachment.session : null;
}
