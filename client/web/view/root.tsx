import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import type { App } from "../state/app.ts";
import type { Route } from "../state/route.ts";
import { words } from "../words/words.ts";
import { AppProvider, useApp } from "./app-context.ts";
import { Conversation } from "./conversation.tsx";
import { ConnectPage } from "./connect.tsx";
import { Asker, Notices } from "./dialog.tsx";
import { InvitePage } from "./invite.tsx";
import { List } from "./list.tsx";
import { NewPage } from "./new.tsx";
import { RequestPage } from "./request.tsx";
import { Seldom } from "./seldom.tsx";
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
      return <Seldom key={route.chat} show={({ DetailsPage }) => <DetailsPage />} />;
    case "code":
      return <Seldom key={route.chat} show={({ CodePage }) => <CodePage />} />;
    case "preferences":
      return <Seldom key={route.chat} show={({ PreferencesPage }) => <PreferencesPage />} />;
    case "members":
      return <Seldom key={route.chat} show={({ MembersPage }) => <MembersPage />} />;
    case "groupLink":
      return <Seldom key={route.chat} show={({ GroupLinkPage }) => <GroupLinkPage />} />;
    case "request":
      return <RequestPage key={route.request} id={route.request} />;
    case "new":
      return <NewPage />;
    case "invite":
      return <InvitePage />;
    case "connect":
      return <ConnectPage />;
    case "newGroup":
      return <Seldom show={({ NewGroupPage }) => <NewGroupPage />} />;
    case "address":
      return <Seldom show={({ AddressPage }) => <AddressPage />} />;
    case "profiles":
      return <Seldom show={({ ProfilesPage }) => <ProfilesPage />} />;
    case "profile":
      return <Seldom show={({ ProfilePage }) => <ProfilePage />} />;
    case "settings":
      return <Seldom show={({ SettingsPage }) => <SettingsPage />} />;
    case "section":
      return <Seldom key={route.section} show={({ SectionPage }) => <SectionPage section={route.section} />} />;
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
