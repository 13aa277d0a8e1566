/* SPDX-License-Identifier: Apache-2.0 */
/* TabBar: views of the same thing, chosen by pointer or arrow keys; scrolls sideways where there is no room, and fades where there is more. */
import { useEffect, useId, useRef, type KeyboardEvent, type ReactNode } from 'react';

interface TabBarProps<K extends string> {
  label: string;
  value: K;
  tabs: readonly { key: K; label: string }[];
  onChange: (key: K) => void;
  children: ReactNode;
}

export function TabBar<K extends string>({ label, value, tabs, onChange, children }: TabBarProps<K>) {
  const id = useId();
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    bar.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [value]);
  useEffect(() => {
    const place = bar.current;
    if (place === null) return;
    const mark = (): void => {
      const [before, after] = [place.scrollLeft > 1, place.scrollLeft + place.clientWidth < place.scrollWidth - 1];
      place.dataset['more'] = before ? (after ? 'both' : 'start') : after ? 'end' : 'none';
    };
    const observer = new ResizeObserver(mark);
    observer.observe(place);
    place.addEventListener('scroll', mark, { passive: true });
    return () => {
      observer.disconnect();
      place.removeEventListener('scroll', mark);
    };
  }, []);
  const pressed = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = tabs.findIndex((tab) => tab.key === value);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (next === undefined) return;
    onChange(next.key);
    document.getElementById(`${id}-${next.key}`)?.focus();
  };
  return (
    <>
      <div ref={bar} className="tab-bar" role="tablist" aria-label={label} onKeyDown={pressed}>
        {tabs.map((tab) => (
          <button
            key={tab.key} type="button" role="tab" id={`${id}-${tab.key}`} aria-selected={tab.key === value} aria-controls={`${id}-panel`}
            tabIndex={tab.key === value ? 0 : -1} onClick={() => onChange(tab.key)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${value}`}>{children}</div>
    </>
  );
}
