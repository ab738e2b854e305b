import { connecting } from "./connecting.ts";
import { restarts } from "./restarts.ts";
import type { Story } from "./stage.ts";
import { upkeep } from "./upkeep.ts";

/** What two agents and a relay can do together, on any platform and any store. */
export const stories: readonly Story[] = [...connecting, ...restarts, ...upkeep];
