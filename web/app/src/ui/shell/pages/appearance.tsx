import { NAMES, words } from "../../../i18n";
import { Choice, Group, Page, Switch } from "../../kit";
import { Wallpapers } from "../../chat/wallpapers";
import { change, settings } from "../settings";

/** How it looks, and in which language. */
export function Appearance() {
  const w = words().shell;
  const { theme, text, language, enterSends, oneSide, plainKeys, wallpaper } = settings.value;
  const languages = [
    { value: "system", label: w.systemLanguage },
    ...Object.entries(NAMES).map(([value, label]) => ({ value, label })),
  ];
  return (
    <Page title={w.appearance}>
      <Group>
        <div class="settings-inner">
          <Choice
            label={w.theme}
            value={theme}
            options={[
              { value: "system", label: w.themeSystem },
              { value: "light", label: w.themeLight },
              { value: "dark", label: w.themeDark },
            ]}
            onChange={(value) => change({ theme: value })}
          />
          <Choice
            label={w.textSize}
            value={text}
            options={[
              { value: "small", label: w.textSmall },
              { value: "normal", label: w.textNormal },
              { value: "large", label: w.textLarge },
              { value: "largest", label: w.textLargest },
            ]}
            onChange={(value) => change({ text: value })}
          />
          <Choice label={w.languageLabel} value={language} options={languages} onChange={(value) => change({ language: value })} />
        </div>
      </Group>
      <Group>
        <div class="settings-inner">
          <Wallpapers label={w.wallpaper} value={wallpaper} onChange={(value) => change({ wallpaper: value })} />
        </div>
        <Switch label={w.oneSide} hint={w.oneSideHint} on={oneSide} onChange={(on) => change({ oneSide: on })} />
      </Group>
      <Group title={w.writing}>
        <Switch
          label={w.enterSends}
          hint={enterSends ? w.enterSendsOn : w.enterSendsOff}
          on={enterSends}
          onChange={(on) => change({ enterSends: on })}
        />
        <Switch label={w.plainKeys} hint={w.plainKeysHint} on={plainKeys} onChange={(on) => change({ plainKeys: on })} />
      </Group>
    </Page>
  );
}
