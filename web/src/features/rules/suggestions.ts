/* SPDX-License-Identifier: Apache-2.0 */
/* suggestions: values that occur, for a trait, a property or a tag: from the tracking plan, the sizes of tags, the objects, and
 * from what came in last.
 */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { queries } from '@/api/queries';
import { labelIn, useVocabulary, type Vocabulary } from './vocabulary';

/* What a value belongs to. */
export interface Subject {
  form: 'trait' | 'prop' | 'tag' | 'relation' | 'other';
  name: string;
  events: readonly string[];
  object: string | null;
}

export const noSubject: Subject = { form: 'other', name: '', events: [], object: null };

export interface Suggestion {
  value: string;
  label: string;
}

const shown = 60;

function fromRaw(raw: string, name: string, into: Map<string, number>): void {
  let item: unknown;
  try {
    item = JSON.parse(raw);
  } catch {
    return; /* cut at 16 KB */
  }
  const parts = item as Record<string, Record<string, unknown> | undefined>;
  const value = parts['properties']?.[name] ?? parts['traits']?.[name];
  for (const one of Array.isArray(value) ? value : [value]) {
    if (typeof one !== 'string' && typeof one !== 'number') continue;
    const text = String(one);
    if (text !== '' && text.length <= 80 && !text.includes('***')) into.set(text, (into.get(text) ?? 0) + 1);
  }
}

/* Values by how often they came. */
export function valuesIn(raws: readonly string[], name: string): string[] {
  const counts = new Map<string, number>();
  for (const raw of raws) fromRaw(raw, name, counts);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([value]) => value);
}

function knownValues(subject: Subject, v: Vocabulary): readonly string[] {
  if (subject.form === 'tag') return (subject.object === null ? v.tags : v.objectTags(subject.object)).find((one) => one.value === subject.name)?.values ?? [];
  if (subject.form !== 'prop') return [];
  const properties = subject.object === null ? v.propertiesOf(subject.events) : v.objectProperties(subject.object);
  return properties.find((one) => one.value === subject.name)?.values ?? [];
}

export function useSuggestions(subject: Subject, enabled: boolean): Suggestion[] {
  const v = useVocabulary();
  const isChannel = subject.form === 'prop' && (subject.name === 'channel' || subject.name === '$channel');
  const known = knownValues(subject, v);
  const oneEvent = subject.events.length === 1 && subject.events[0] !== '*' ? subject.events[0] : undefined;
  const isLive = enabled && !isChannel && subject.name !== '' && (subject.form === 'trait' || (subject.form === 'prop' && subject.object === null));
  const live = useQuery({ ...queries.recentEvents(subject.form === 'trait' ? 'Identify' : (oneEvent ?? '')), enabled: isLive });
  const tag = useQuery({ ...queries.definition('tags', subject.name), enabled: enabled && subject.form === 'tag' && subject.object === null && subject.name !== '', refetchInterval: false, retry: false });
  return useMemo(() => {
    const came = live.data === undefined ? [] : valuesIn(live.data.items.map((one) => one.raw), subject.name);
    const sizes = subject.form === 'tag' ? (tag.data?.sizes ?? []).map((one) => one.value) : [];
    const all = [...new Set([...known, ...sizes, ...came])].slice(0, shown);
    return all.map((value) => ({ value, label: isChannel ? labelIn(v.channels, value) : value }));
  }, [known, live.data, tag.data, subject.form, subject.name, isChannel, v]);
}
