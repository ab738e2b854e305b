import { app } from "./http/app.ts";
import { connect } from "./objects/connect.ts";
import type { Env } from "./objects/env.ts";
import { report } from "./objects/log.ts";

export { Connection } from "./objects/connection.ts";
export { Destination } from "./objects/destination.ts";
export { Device } from "./objects/device.ts";
export { DeviceTokens } from "./objects/device-tokens.ts";
export { Follower } from "./objects/follower.ts";
export { Link } from "./objects/link.ts";
export { NtfConnection } from "./objects/ntf-connection.ts";
export { Queue } from "./objects/queue.ts";
export { Relay } from "./objects/relay-object.ts";
export { Service } from "./objects/service.ts";

function isUpgrade(request: Request): boolean {
  return request.headers.get("upgrade")?.toLowerCase() === "websocket";
}

/** A WebSocket is a client's connection; everything else gets pages. */
const worker: ExportedHandler<Env> = {
  async fetch(request, env, context) {
    if (!isUpgrade(request)) return app.fetch(request, env, context);
    try {
      return await connect(request, env);
    } catch (error) {
      report("a connection could not be opened", error);
      return new Response("The relay cannot take connections now. See its log.", { status: 503 });
    }
  },
};

// The platform finds its entry point only as the default export.
export { worker as default };
