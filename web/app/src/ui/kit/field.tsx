import type { AllHTMLAttributes, ComponentChildren, Ref } from "preact";
import { useId, useState } from "preact/hooks";

import { words } from "../../i18n";
import { IconButton } from "./button";
import { Icon } from "./icon";
import "./field.css";

type Native = Pick<
  AllHTMLAttributes<HTMLInputElement>,
  | "autocapitalize"
  | "autocomplete"
  | "autofocus"
  | "disabled"
  | "enterkeyhint"
  | "inputMode"
  | "maxLength"
  | "minLength"
  | "name"
  | "onBlur"
  | "onFocus"
  | "onKeyDown"
  | "placeholder"
  | "readOnly"
  | "required"
  | "spellcheck"
>;

export interface TextFieldProps extends Native {
  label: string;
  value: string;
  onInput: (value: string) => void;
  type?: "text" | "password" | "email" | "url" | "search" | "tel";
  /** Says what to put there. */
  hint?: ComponentChildren;
  /** Says what is wrong with it and what would be right. */
  error?: string | null;
  ref?: Ref<HTMLInputElement>;
}

/** A line of text with its label above. A password can be looked at. */
export function TextField(props: TextFieldProps) {
  const { label, value, onInput, hint, error, type = "text", ...rest } = props;
  const id = useId();
  const [seen, setSeen] = useState(false);
  const secret = type === "password";
  // The types of the library want to know the kind of input before it is drawn.
  const native: object = { ...rest, type: secret && seen ? "text" : type };
  const about = [error ? `${id}-error` : "", hint ? `${id}-hint` : ""].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
      </label>
      <div class={error ? "field-box field-box-wrong" : "field-box"}>
        <input
          dir="auto"
          {...native}
          id={id}
          class="field-input"
          value={value}
          onInput={(event) => onInput(event.currentTarget.value)}
          aria-invalid={Boolean(error)}
          aria-describedby={about || undefined}
        />
        {secret && (
          <IconButton
            icon={seen ? "eyeOff" : "eye"}
            label={seen ? words().shell.hidePassword : words().shell.showPassword}
            aria-pressed={seen}
            onClick={() => setSeen(!seen)}
          />
        )}
      </div>
      {error && (
        <p class="field-error" id={`${id}-error`} role="alert">
          <Icon name="alert" size={16} />
          <span>{error}</span>
        </p>
      )}
      {hint && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

export interface SwitchProps {
  label: string;
  /** One sentence more. */
  hint?: ComponentChildren;
  on: boolean;
  onChange: (on: boolean) => void;
  disabled?: boolean;
}

/** Something that is on or off, with its words; the whole line can be pressed. */
export function Switch({ label, hint, on, onChange, disabled = false }: SwitchProps) {
  const id = useId();
  return (
    <button
      type="button"
      class="switch"
      role="switch"
      aria-checked={on}
      aria-labelledby={`${id}-label`}
      aria-describedby={hint ? `${id}-hint` : undefined}
      disabled={disabled}
      onClick={() => onChange(!on)}
    >
      <span class="switch-words">
        <span id={`${id}-label`}>{label}</span>
        {hint && (
          <span class="switch-hint" id={`${id}-hint`}>
            {hint}
          </span>
        )}
      </span>
      <span class="switch-track" aria-hidden="true">
        <span class="switch-thumb" />
      </span>
    </button>
  );
}

export interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  /** `mark` stands before the label, for the eye alone. */
  options: readonly { value: T; label: string; mark?: ComponentChildren }[];
  onChange: (value: T) => void;
}

/** One of a few, side by side. */
export function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class="field-label">{label}</legend>
      <div class="choice-options">
        {options.map((option) => (
          <label class="choice-option" key={option.value}>
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            <span>
              {option.mark}
              {option.label}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
