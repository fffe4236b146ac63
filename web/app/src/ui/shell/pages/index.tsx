import type { ComponentChildren } from "preact";

import { words } from "../../../i18n";
import { go, route } from "../../../route";
import { useStore } from "../../../state/use";
import { Address, Avatar, Group, Icon, Page, phone, type IconName } from "../../kit";
import { openHelp } from "../keys";
import { About } from "./about";
import { AccountPage } from "./account";
import { Appearance } from "./appearance";
import { Invite } from "./invite";
import { Notifications } from "./notifications";
import { PEOPLE_PAGES } from "./people-pages";
import { Privacy } from "./privacy";
import { StoragePage } from "./storage";
import "./pages.css";

/** Every page of the settings; those of the profile and the devices bring their own frame. */
const PAGES: Record<string, () => ComponentChildren> = {
  appearance: () => <Appearance />,
  notifications: () => <Notifications />,
  privacy: () => <Privacy />,
  storage: () => <StoragePage />,
  invite: () => <Invite />,
  account: () => <AccountPage />,
  about: () => <About />,
  ...PEOPLE_PAGES,
};

/** The page that is shown beside the list of them when none was chosen. */
const FIRST = "appearance";

export function SettingsPage({ page }: { page: string | null }) {
  const draw = PAGES[page ?? FIRST] ?? PAGES[FIRST];
  return <>{draw?.()}</>;
}

/** The list of the pages. */
export function SettingsIndex() {
  const store = useStore();
  const w = words().shell;
  const account = store.account.value;
  const at = route.value;
  const chosen = at.at === "settings" ? (at.page ?? (phone.value ? null : FIRST)) : null;
  const line = (page: string, icon: IconName, label: string) => (
    <PageLine page={page} icon={icon} label={label} chosen={chosen === page} />
  );
  return (
    <Page title={w.settings} onBack={() => go({ at: "list" }, true)}>
      <div class="settings-index">
        {account && PEOPLE_PAGES["profile"] && (
          <button
            type="button"
            class="settings-self"
            aria-current={chosen === "profile" ? "page" : undefined}
            onClick={() => open("profile")}
          >
            <Avatar address={account.address} name={account.nickname ?? account.address} avatar={account.avatar} size={60} />
            <span class="settings-self-words">
              <bdi class="settings-self-name">{account.nickname ?? account.address.split("@")[0]}</bdi>
              <Address class="settings-self-address" text={account.address} />
            </span>
          </button>
        )}
        <Group>
          {line("appearance", "palette", w.appearance)}
          {line("notifications", "bell", w.notifications)}
          {line("privacy", "shield", w.privacy)}
          {line("storage", "storage", w.storage)}
        </Group>
        <Group>
          {PEOPLE_PAGES["devices"] && line("devices", "device", w.devices)}
          {line("invite", "share", w.inviteSomebody)}
          {line("account", "key", w.account)}
        </Group>
        <Group>
          {!phone.value && (
            <button type="button" class="settings-line" onClick={openHelp}>
              <Icon name="keyboard" size={22} />
              <span>{w.keyboard}</span>
            </button>
          )}
          {line("about", "info", w.about)}
        </Group>
      </div>
    </Page>
  );
}

function open(page: string): void {
  const at = route.value;
  const within = at.at === "settings" && at.page !== null;
  go({ at: "settings", page }, within && !phone.value);
}

interface PageLineProps {
  page: string;
  icon: IconName;
  label: string;
  chosen: boolean;
}

function PageLine({ page, icon, label, chosen }: PageLineProps) {
  return (
    <button type="button" class="settings-line" aria-current={chosen ? "page" : undefined} onClick={() => open(page)}>
      <Icon name={icon} size={22} />
      <span>{label}</span>
      {phone.value && <Icon name="chevron" size={18} />}
    </button>
  );
}
