// What is not needed to chat, in a file of its own.

export { AddressPage } from "./address.tsx";
export { CodePage } from "./code.tsx";
export { DetailsPage } from "./details.tsx";
export { GroupLinkPage } from "./group-link.tsx";
export { MembersPage } from "./members.tsx";
export { NewGroupPage } from "./new-group.tsx";
export { PreferencesPage } from "./preferences.tsx";
export { ProfilePage, ProfilesPage } from "./profiles.tsx";
export { SectionPage, SettingsPage } from "./settings.tsx";
