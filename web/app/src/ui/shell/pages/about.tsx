import { VERSION } from "../../../build";
import { words } from "../../../i18n";
import { useStore } from "../../../state/use";
import { Group, Page, Row } from "../../kit";
import { Fish } from "../fish";

/** What this is, which version of it, and what it stands on. */
export function About() {
  const store = useStore();
  const w = words().shell;
  const device = store.account.value?.device;
  return (
    <Page title={w.about}>
      <div class="about-fish">
        <Fish size={96} />
        <p class="about-name">Clownfish</p>
        <p>{w.aboutText}</p>
      </div>
      <Group>
        <Row icon="info" label={w.version} end={VERSION} />
        {device !== undefined && device !== null && <Row icon="device" label={w.deviceNumber} end={device} />}
        <Row icon="lock" label={w.encryption} hint={w.encryptionHint} />
        <Row icon="file" label={w.licence} end="MIT / Apache-2.0" />
      </Group>
      <p class="settings-text">{w.aboutOwn}</p>
    </Page>
  );
}
