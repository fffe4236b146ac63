import { useSignal } from "@preact/signals";

import { fill, language, words } from "../../../i18n";
import { Icon, IconButton, still } from "../../kit";
import { ending, kindOf, legible, moves, sized, typeOf } from "../logic/files";
import { FirstFrame } from "../media/first-frame";
import type { Composer, Quality } from "./state";
import { RenameDialog } from "../../people/rename";
import type { Attached } from "./tray-state";
import "./tray.css";

/** Files that wait to be sent, with what can be chosen about them. */
export function Tray({ composer }: { composer: Composer }) {
  const files = composer.files.value;
  if (files.length === 0) return null;
  return (
    <div class="tray" role="group" aria-label={words().chat.tray}>
      <ul class="tray-files scroll">
        {files.map((one) => (
          <Item key={one.key} composer={composer} attached={one} onRemove={() => composer.remove(one.key)} />
        ))}
      </ul>
      {composer.hasPictures.value && <QualityChoice composer={composer} />}
    </div>
  );
}

function Item({ composer, attached, onRemove }: { composer: Composer; attached: Attached; onRemove: () => void }) {
  const { file, url, description } = attached;
  const say = words().chat;
  const describing = useSignal(false);
  const name = legible(file.name);
  const kind = kindOf({ name: file.name, mediaType: file.type });
  const says = fill(description === "" ? say.describe : say.described, { name, text: description });
  return (
    <li class="tray-item">
      {url ? (
        <button
          type="button"
          class="tray-describe"
          // With the word on it: who says what to press says that.
          aria-label={`${say.describeMark}: ${says}`}
          title={say.describeTitle}
          onClick={() => (describing.value = true)}
        >
          {moves(typeOf({ name: file.name, mediaType: file.type }), still.value) ? (
            <FirstFrame blob={file} class="tray-picture" onReady={() => {}} onBroken={() => {}} />
          ) : (
            <img class="tray-picture" src={url} alt="" draggable={false} />
          )}
          <span class={description === "" ? "tray-alt" : "tray-alt tray-alt-there"} aria-hidden="true">
            {say.describeMark}
          </span>
        </button>
      ) : (
        <span class="tray-file">
          <Icon name={kind === "video" || kind === "audio" ? "play" : "file"} size={24} />
          <span class="tray-ending">{ending(name)}</span>
          <bdi class="tray-name" title={name}>
            {name}
          </bdi>
        </span>
      )}
      <span class="tray-size">{sized(file.size, language.value)}</span>
      <IconButton
        class="tray-remove"
        icon="close"
        size={16}
        label={fill(words().chat.trayRemove, { name })}
        onClick={onRemove}
      />
      {describing.value && (
        <RenameDialog
          title={say.describeTitle}
          label={say.describeLabel}
          hint={say.describeHint}
          name={description}
          longest={1000}
          busy={false}
          onSave={async (text) => {
            composer.describe(attached.key, text);
            describing.value = false;
          }}
          onClose={() => (describing.value = false)}
        />
      )}
    </li>
  );
}

function QualityChoice({ composer }: { composer: Composer }) {
  const say = words().chat;
  const quality = composer.quality.value;
  const options: [Quality, string][] = [
    ["smaller", say.qualitySmaller],
    ["original", say.qualityOriginal],
  ];
  return (
    <fieldset class="tray-quality">
      <legend class="hidden-text">{say.quality}</legend>
      <div class="tray-options">
        {options.map(([value, label]) => (
          <label key={value} class="tray-option">
            <input
              type="radio"
              name="quality"
              value={value}
              checked={quality === value}
              onChange={() => (composer.quality.value = value)}
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
      <p class="tray-hint">{quality === "smaller" ? say.qualitySmallerHint : say.qualityOriginalHint}</p>
    </fieldset>
  );
}
