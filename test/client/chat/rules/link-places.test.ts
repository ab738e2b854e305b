import { describe, expect, it } from "vitest";
import { contactForm, type Contact } from "../../../../client/chat/records.ts";
import { checkPlaces, placesOf } from "../../../../client/chat/rules/link-places.ts";
import { contactOf, updateContact } from "../../../../client/chat/rules/records.ts";
import { RuleWorld } from "./world.ts";

const HASH = "A".repeat(43);
const KEY = `${"B".repeat(42)}E`;
const SHORT = `https://relay.example.org/a#${KEY}?c=${HASH}`;

describe("where a link leads", () => {
  it("does not hang on how it is written, and nothing else leads anywhere", () => {
    const [place] = placesOf(SHORT);
    expect(place).toMatch(/^[\da-f]{64}$/u);
    expect(placesOf(`simplex:/a#${KEY}?h=relay.example.org&c=${HASH}`, SHORT, null)).toEqual([place]);
    expect(placesOf(`simplex:/a#${KEY.replace("B", "C")}?h=relay.example.org&c=${HASH}`)).not.toEqual([place]);
    expect(placesOf("https://example.org", "")).toEqual([]);
  });

  it.each<[Contact["origin"], Contact["status"], string | null]>([
    ["address", "connected", "Bob is your contact already"],
    ["address", "pending", "you are connecting through this link already: Bob"],
    ["invitation", "left", "this is your own invitation"],
    ["address", "left", null],
    ["link", "failed", null],
    ["address", "leaving", null],
  ])("is remembered of a contact (%s, %s): %s", async (origin, status, message) => {
    const world = await RuleWorld.open();
    await world.run(async (step) => updateContact(step, await contactOf(step, "c"), { origin, status, places: placesOf(SHORT) }));
    const check = world.run((step) => checkPlaces(step, "u", placesOf(SHORT)));
    if (message === null) await check;
    else await expect(check).rejects.toMatchObject({ refusal: "PROHIBITED", message, contact: "c" });
  });

  it("is not known of contacts from before it was kept", async () => {
    const world = await RuleWorld.open();
    const contact = await world.run((step) => contactOf(step, "c"));
    const { places: _, ...before } = contactForm.plain(contact) as Contact;
    expect(contactForm.check(before)).toEqual({ ...contact, places: [] });
  });
});
