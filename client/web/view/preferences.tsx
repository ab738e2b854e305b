import type { VNode } from "preact";
import type { Contact } from "../../chat/records.ts";
import type { Agreement } from "../../chat/rules/preferences.ts";
import type { Allow, Feature, Preferences } from "../../chat/wire/preferences.ts";
import { duration } from "../state/dates.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Button, Choice } from "./controls.tsx";
import { Group, Page } from "./page.tsx";

const { people: said } = words;

/** Features of this program, in the order in which they are shown. */
export const FEATURES = [
  "timedMessages", "fullDelete", "reactions", "voice", "files", "calls",
] as const satisfies readonly Feature[];

export const ALLOWS: readonly (readonly [Allow, string])[] = [
  ["always", words.always],
  ["yes", words.yes],
  ["no", words.no],
];

const TTLS: readonly (readonly [string, string])[] = [0, 3600, 86_400, 604_800, 2_592_000].map((ttl) =>
  [String(ttl), ttl === 0 ? said.ttlNone : duration(ttl)] as const);

/** What one wants with a contact, what the contact wants, and what follows. */
export function PreferencesPage(): VNode | null {
  const { talk } = useApp();
  const contact = talk.value?.line.value?.contact;
  const agreement = talk.value?.agreement.value;
  if (!contact || !agreement) return null;
  return <ContactPreferences contact={contact} agreement={agreement} />;
}

function outcome({ forMe, forContact }: { readonly forMe: boolean; readonly forContact: boolean }): string {
  if (forMe && forContact) return said.forBoth;
  if (forMe) return said.forMe;
  return forContact ? said.forContact : said.forNobody;
}

interface ContactPreferencesProps {
  readonly contact: Contact;
  readonly agreement: Agreement;
}

function ContactPreferences({ contact, agreement }: ContactPreferencesProps): VNode {
  const app = useApp();
  const set = (part: Preferences): Promise<boolean> =>
    app.attempt(() => app.chat.contacts.setPreferences(contact.id, { ...contact.preferences, ...part }));
  const isTimedUnused = agreement.timed.isOn && agreement.timed.ttl === null;
  const isDefault = Object.keys(contact.preferences).length === 0;
  return (
    <Page title={said.preferences}>
      <p class="lead">{said.preferencesLead}</p>
      {FEATURES.map((feature) => {
        const mine = agreement.mine[feature];
        const theirs = agreement.theirs[feature];
        return (
          <Group key={feature} note={said.featureNotes[feature]}>
            <Choice
              label={said.features[feature]}
              value={mine.allow}
              options={ALLOWS}
              onChange={(allow) => set({ [feature]: { ...mine, allow } })}
            />
            {feature === "timedMessages" && mine.allow !== "no" && (
              <Choice
                label={said.ttl}
                value={String(agreement.mine.timedMessages.ttl ?? 0)}
                options={TTLS}
                onChange={(ttl) => set({
                  timedMessages: { allow: mine.allow, ...(ttl !== "0" && { ttl: Number(ttl) }) },
                })}
              />
            )}
            <p class="row outcome">
              <span>{said.theyWant(words[theirs.allow])}</span>
              <strong>
                {feature === "timedMessages" && isTimedUnused ? said.timedUnused : outcome(agreement.effective[feature])}
              </strong>
            </p>
          </Group>
        );
      })}
      {!isDefault && (
        <Button onClick={() => app.attempt(() => app.chat.contacts.setPreferences(contact.id, {}))}>
          {said.asForAll}
        </Button>
      )}
    </Page>
  );
}
