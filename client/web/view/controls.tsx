import type { ComponentChildren, TargetedInputEvent, VNode } from "preact";
import { useId, useState } from "preact/hooks";
import { words } from "../words/words.ts";
import { Icon, type IconName } from "./icon.tsx";

type Children = { readonly children?: ComponentChildren };

interface IconButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick?: (event: MouseEvent) => void;
  readonly class?: string;
  readonly disabled?: boolean;
  readonly isPressed?: boolean;
  readonly opens?: "dialog" | "menu";
}

/** A button that shows only a sign; its label is heard, and shown while one points at it. */
export function IconButton(props: IconButtonProps): VNode {
  const { icon, label, onClick, class: style = "", disabled, isPressed, opens } = props;
  return (
    <button
      type="button"
      class={`icon-button ${style}`}
      aria-label={label}
      title={label}
      onClick={onClick}
      disabled={disabled}
      aria-pressed={isPressed}
      aria-haspopup={opens}
    >
      <Icon name={icon} />
    </button>
  );
}

interface ButtonProps extends Children {
  readonly onClick?: () => unknown;
  readonly kind?: "main" | "plain" | "quiet" | "danger";
  readonly icon?: IconName;
  readonly type?: "button" | "submit";
  readonly disabled?: boolean;
  readonly class?: string;
}

/** While what it does goes on, it cannot be pressed again. */
export function Button(props: ButtonProps): VNode {
  const { onClick, kind = "plain", icon, type = "button", disabled = false, class: style = "", children } = props;
  const [isBusy, setBusy] = useState(false);
  const press = async (): Promise<void> => {
    if (!onClick || isBusy) return;
    const doing = onClick();
    if (!(doing instanceof Promise)) return;
    setBusy(true);
    await doing.finally(() => setBusy(false));
  };
  return (
    <button
      type={type}
      class={`button ${kind} ${style}`}
      onClick={() => void press()}
      disabled={disabled}
      aria-busy={isBusy}
    >
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </button>
  );
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly hint?: string | undefined;
  readonly trouble?: string | null;
  readonly type?: "text" | "search" | "password";
  readonly isLong?: boolean;
  readonly maxLength?: number;
  readonly placeholder?: string;
  readonly autoFocus?: boolean;
  readonly autoComplete?: string;
  readonly required?: boolean;
}

/** A labelled line or box to type in, with what is to be said of it. */
export function Field(props: FieldProps): VNode {
  const { label, value, onInput, hint, trouble = null, type = "text", isLong = false, autoFocus, ...rest } = props;
  const id = useId();
  const [isShown, show] = useState(false);
  const notes = [hint === undefined ? "" : `${id}-hint`, trouble === null ? "" : `${id}-trouble`].join(" ").trim();
  const common = {
    ...rest,
    id,
    value,
    dir: "auto" as const,
    "data-autofocus": autoFocus ? "" : undefined,
    "aria-describedby": notes === "" ? undefined : notes,
    "aria-invalid": trouble === null ? undefined : true,
  };
  const input = ({ currentTarget }: TargetedInputEvent<HTMLInputElement | HTMLTextAreaElement>): void =>
    onInput(currentTarget.value);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {isLong
        ? <textarea {...common} rows={3} onInput={input} />
        : type === "search"
          ? <input {...common} type="search" onInput={input} />
          : type === "password" && !isShown
            ? <input {...common} type="password" onInput={input} />
            : <input {...common} type="text" onInput={input} spellcheck={type === "text"} />}
      {type === "password" && (
        <label class="tick small">
          <input type="checkbox" checked={isShown} onChange={(event) => show(event.currentTarget.checked)} />
          {" "}{words.locked.show}
        </label>
      )}
      {hint !== undefined && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      {trouble !== null && <p class="trouble" id={`${id}-trouble`} role="alert">{trouble}</p>}
    </div>
  );
}

interface SwitchProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => unknown;
  readonly disabled?: boolean;
}

export function Switch({ label, hint, isOn, onChange, disabled = false }: SwitchProps): VNode {
  const id = useId();
  return (
    <div class="row switch">
      <label for={id}>
        <span>{label}</span>
        {hint !== undefined && <small id={`${id}-hint`}>{hint}</small>}
      </label>
      <input
        id={id}
        type="checkbox"
        role="switch"
        checked={isOn}
        disabled={disabled}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => {
          const wanted = event.currentTarget.checked;
          // It shows what is so, not what is wanted.
          event.currentTarget.checked = isOn;
          void onChange(wanted);
        }}
      />
    </div>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [T, string])[];
  readonly onChange: (value: T) => unknown;
  readonly disabled?: boolean;
}

/** A few possibilities of which one holds. */
export function Choice<T extends string>({ label, value, options, onChange, disabled = false }: ChoiceProps<T>): VNode {
  const name = useId();
  return (
    <fieldset class="choice" disabled={disabled}>
      <legend>{label}</legend>
      <div class="segments">
        {options.map(([one, text]) => (
          <label key={one} class={one === value ? "is-chosen" : ""}>
            <input type="radio" name={name} checked={one === value} onChange={() => void onChange(one)} />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** A line that leads to another place. */
export function RowLink({ icon, label, note, href, onClick }: {
  readonly icon: IconName;
  readonly label: string;
  readonly note?: string | undefined;
  readonly href: string;
  readonly onClick?: () => void;
}): VNode {
  return (
    <a class="row" href={href} onClick={onClick}>
      <Icon name={icon} />
      <span class="grow">{label}{note !== undefined && <small>{note}</small>}</span>
    </a>
  );
}

/** A line that does something. */
export function RowButton({ icon, label, note, isDangerous = false, onClick }: {
  readonly icon: IconName;
  readonly label: string;
  readonly note?: string | undefined;
  readonly isDangerous?: boolean;
  readonly onClick: () => unknown;
}): VNode {
  return (
    <button type="button" class={`row ${isDangerous ? "danger" : ""}`} onClick={() => void onClick()}>
      <Icon name={icon} />
      <span class="grow">{label}{note !== undefined && <small>{note}</small>}</span>
    </button>
  );
}
