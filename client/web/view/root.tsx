import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import type { App } from "../state/app.ts";
import type { Route } from "../state/route.ts";
import { words } from "../words/words.ts";
import { AddressPage } from "./address.tsx";
import { AppProvider, useApp } from "./app-context.ts";
import { Conversation } from "./conversation.tsx";
import { CodePage } from "./code.tsx";
import { ConnectPage } from "./connect.tsx";
import { DetailsPage } from "./details.tsx";
import { Asker, Notices } from "./dialog.tsx";
import { GroupLinkPage } from "./group-link.tsx";
import { InvitePage } from "./invite.tsx";
import { List } from "./list.tsx";
import { MembersPage } from "./members.tsx";
import { NewGroupPage } from "./new-group.tsx";
import { NewPage } from "./new.tsx";
import { PreferencesPage } from "./preferences.tsx";
import { ProfilePage, ProfilesPage } from "./profiles.tsx";
import { RequestPage } from "./request.tsx";
import { SectionPage, SettingsPage } from "./settings.tsx";
import { useShortcuts } from "./shortcuts.ts";
import { Broken, Locked, Opening, Welcome } from "./start.tsx";
import { EmptyPane } from "./empty-pane.tsx";

function placeOf(route: Route): VNode {
  switch (route.page) {
    case "list":
      return <EmptyPane />;
    case "chat":
      return <Conversation key={route.chat} />;
    case "details":
      return <DetailsPage key={route.chat} />;
    case "code":
      return <CodePage key={route.chat} />;
    case "preferences":
      return <PreferencesPage key={route.chat} />;
    case "members":
      return <MembersPage key={route.chat} />;
    case "groupLink":
      return <GroupLinkPage key={route.chat} />;
    case "request":
      return <RequestPage key={route.request} id={route.request} />;
    case "new":
      return <NewPage />;
    case "invite":
      return <InvitePage />;
    case "connect":
      return <ConnectPage />;
    case "newGroup":
      return <NewGroupPage />;
    case "address":
      return <AddressPage />;
    case "profiles":
      return <ProfilesPage />;
    case "profile":
      return <ProfilePage />;
    case "settings":
      return <SettingsPage />;
    case "section":
      return <SectionPage key={route.section} section={route.section} />;
  }
}

function Panes(): VNode {
  const app = useApp();
  useShortcuts(app);
  const route = app.route.value;
  const hasList = app.isWide.value || route.page === "list";
  const hasPlace = app.isWide.value || route.page !== "list";
  return (
    <div class="panes">
      {hasList && hasPlace && (
        <a class="skip" href="#main" onClick={(event) => {
          event.preventDefault();
          document.querySelector<HTMLElement>("main textarea, main h1")?.focus();
        }}>{words.skip}</a>
      )}
      {hasList && (hasPlace ? <List /> : <main class="pane"><List /></main>)}
      {hasPlace && <main id="main" class="pane">{placeOf(route)}</main>}
    </div>
  );
}

function Stages(): VNode {
  const app = useApp();
  const stage = app.stage.value;
  switch (stage.is) {
    case "opening":
      return <Opening />;
    case "locked":
      return <Locked wasWrong={stage.wasWrong} />;
    case "broken":
      return <Broken error={stage.error} />;
    case "welcome":
      return <Welcome />;
    case "open":
      return <Panes />;
  }
}

function Title(): null {
  const app = useApp();
  const unread = app.stage.value.is === "open" ? app.unread.value : 0;
  useEffect(() => {
    // No names: the browser keeps titles in its history.
    document.title = unread > 0 ? `(${unread}) ${words.product}` : words.product;
    // On the icon of the installed app.
    if ("setAppBadge" in navigator) void app.attempt(() => navigator.setAppBadge(unread));
  }, [unread]);
  return null;
}

/** Everything that is seen. */
export function Root({ app }: { readonly app: App }): VNode {
  return (
    <AppProvider value={app}>
      <Title />
      <Stages />
      <Asker />
      <Notices />
      <div class="unseen" role="log" aria-live="polite">
        {app.stage.value.is === "open" && app.heard.value.map(({ id, text }) => <p key={id}>{text}</p>)}
      </div>
    </AppProvider>
  );
}
