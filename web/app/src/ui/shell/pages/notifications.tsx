import { words } from "../../../i18n";
import { Button, Group, Page, Row, Switch } from "../../kit";
import { askPermission, chime, permission } from "../notify";
import { change, settings } from "../settings";

/** When to interrupt, and how much of a message is shown then. */
export function Notifications() {
  const w = words().shell;
  const { notify, notifyText, sound } = settings.value;
  const allowed = permission.value;
  return (
    <Page title={w.notifications}>
      <Group>
        <Row
          icon={allowed === "granted" ? "bell" : "bellOff"}
          label={w.permission[allowed]}
          hint={w.permissionHint[allowed]}
          end={
            allowed === "default" && (
              <Button kind="plain" onClick={() => void askPermission()}>
                {w.allow}
              </Button>
            )
          }
        />
      </Group>
      <Group>
        <Switch label={w.notify} hint={w.notifyHint} on={notify} onChange={(on) => change({ notify: on })} />
        <Switch
          label={w.notifyText}
          hint={w.notifyTextHint}
          on={notifyText}
          disabled={!notify}
          onChange={(on) => change({ notifyText: on })}
        />
        <Switch
          label={w.sound}
          on={sound}
          disabled={!notify}
          onChange={(on) => {
            change({ sound: on });
            if (on) chime();
          }}
        />
      </Group>
      <p class="settings-text">{w.notifyOpen}</p>
    </Page>
  );
}
