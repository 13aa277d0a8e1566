/* SPDX-License-Identifier: Apache-2.0 */
/* KindChooser: which kind of definition it shall be, with one line of what each does. Arrow keys choose. */
import type { KeyboardEvent } from 'react';

interface KindChooserProps {
  label: string;
  value: string;
  kinds: readonly { value: string; name: string; help: string }[];
  onChange: (value: string) => void;
}

export function KindChooser({ label, value, kinds, onChange }: KindChooserProps) {
  const pressed = (event: KeyboardEvent<HTMLDivElement>): void => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = kinds.findIndex((one) => one.value === value);
    const next = (at + step + kinds.length) % kinds.length;
    onChange(kinds[next]?.value ?? value);
    event.currentTarget.querySelectorAll<HTMLElement>('[role="radio"]')[next]?.focus();
  };
  return (
    <div className="kinds" role="radiogroup" aria-label={label} onKeyDown={pressed}>
      {kinds.map((one) => (
        <button key={one.value} type="button" role="radio" className="kind" aria-checked={one.value === value} tabIndex={one.value === value ? 0 : -1} onClick={() => onChange(one.value)}>
          <strong>{one.name}</strong><span>{one.help}</span>
        </button>
      ))}
    </div>
  );
}
