/* SPDX-License-Identifier: Apache-2.0 */
/* hooks: values that follow slowly or last, and filters that live in the address. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useNavigation, useSearchParams } from 'react-router';

/* The value as it was once it has stood still for `delay` ms. */
export function useDebounced<T>(value: T, delay: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), delay);
    return () => clearTimeout(timer);
  }, [value, delay]);
  return settled;
}

/* Filters kept in the query part of the address: `defaults` names them; what equals its default is left
 * out. A change replaces the entry in the history, unless `push`. Once the person is on the way to another page, a
 * filter that was typed a moment before does not call her back. */
export function useFilters<K extends string>(
  defaults: Readonly<Record<K, string>>,
): [Record<K, string>, (change: Partial<Record<K, string>>, push?: boolean) => void] {
  const [params, setParams] = useSearchParams();
  const { state } = useNavigation();
  const isLeaving = useRef(false);
  isLeaving.current = state === 'loading';
  const keys = Object.keys(defaults).join(' ');
  const filters = useMemo(() => {
    const entries = keys.split(' ').map((key) => [key, params.get(key) ?? defaults[key as K]]);
    return Object.fromEntries(entries) as Record<K, string>;

  }, [params, keys]);
  const change = useCallback(
    (next: Partial<Record<K, string>>, push = false) => {
      if (isLeaving.current) return;
      setParams((before) => {
        const after = new URLSearchParams(before);
        for (const [key, value] of Object.entries(next) as [K, string][]) {
          if (value === defaults[key]) after.delete(key);
          else after.set(key, value);
        }
        return after;
      }, { replace: !push });
    },

    [setParams, keys],
  );
  return [filters, change];
}

/* The last value that was not null: what a drawer or dialog goes on showing while it closes, so that neither its name nor
 * its content is lost on the way. */
export function useLasting<T>(value: T | null): T | null {
  const [last, setLast] = useState(value);
  if (value !== null && value !== last) setLast(value);
  return value ?? last;
}

/* Runs while the element with the returned ref is on screen: the next page of an endless list. */
export function useWhenVisible(run: () => void, enabled: boolean): (element: HTMLElement | null) => void {
  const [element, setElement] = useState<HTMLElement | null>(null);
  useEffect(() => {
    if (element === null || !enabled) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) run();
    }, { rootMargin: '400px' });
    observer.observe(element);
    return () => observer.disconnect();
  }, [element, enabled, run]);
  return setElement;
}
