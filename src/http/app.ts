import { Hono } from "hono";
import type { Env } from "../objects/env.ts";
import { report } from "../objects/log.ts";
import { admin } from "./admin.ts";
import { health } from "./health.ts";
import { landing } from "./landing.ts";
import { LINK_PATHS, linkPage, onlyLook } from "./link/page.ts";
import { relayInfo } from "./relay-info.ts";
import { onlyRead, toWebClient, webClient, WEB_PATH } from "./web.ts";

/** Everything that is not a socket: what people and monitors see. */
export const app = new Hono<{ Bindings: Env }>()
  .get("/", landing)
  .on("GET", [...LINK_PATHS], linkPage)
  .on("ALL", [...LINK_PATHS], onlyLook)
  .get(WEB_PATH.slice(0, -1), toWebClient)
  .get(`${WEB_PATH}*`, webClient)
  .all(`${WEB_PATH}*`, onlyRead)
  .get("/relay.json", relayInfo)
  .get("/health", health)
  .route("/admin", admin)
  .notFound((c) => c.text("Nothing here. The relay's page is at /", 404))
  .onError((error, c) => {
    report("a request failed", error);
    return c.text("The relay could not do this. See its log.", 500);
  });
