import { listRecords } from "../../store/record.ts";
import type { Change, StoreReader } from "../../store/store.ts";
import { TABLE } from "../tables.ts";
import { followedChange } from "./book.ts";
import { startOver } from "./plan.ts";
import { checkFollowed, DEVICE_KEY } from "./records.ts";

/**
 * What a profile that came from another device is to be changed by, before an agent opens it: the token of that device
 * is forgotten here. Its server is not told, as the token is not this copy's to delete. What the queues tell the
 * other device ends with their notifiers: this device makes its own once it registers, and removes them until then.
 */
export async function leaveDevice(store: StoreReader): Promise<Change[]> {
  const followed = await listRecords(store, TABLE.followed, checkFollowed);
  return [
    { table: TABLE.device, key: DEVICE_KEY, value: null },
    ...followed.map(({ value }) => followedChange(value, { ...startOver(value), notBefore: 0, told: null })),
  ];
}
