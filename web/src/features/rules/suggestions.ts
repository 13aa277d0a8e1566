/* SPDX-License-Identifier: Apache-2.0 */
/* suggestions: values that occur, for a trait, a property or a tag: from the tracking plan, the sizes of tags, the objects, and
 * from what came in last.
 */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useMay, useSession } from '@/app/session';
import { useDebounced } from '@/lib/hooks';
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

/* By its own name, or by a path into what is nested: 'result.face.type'. */
function within(members: Record<string, unknown> | undefined, path: string): unknown {
  if (members === undefined || Object.hasOwn(members, path)) return members?.[path];
  return path.split('.').reduce<unknown>((at, part) => (typeof at === 'object' && at !== null && !Array.isArray(at) ? (at as Record<string, unknown>)[part] : undefined), members);
}

function fromRaw(raw: string, name: string, into: Map<string, number>): void {
  let item: unknown;
  try {
    item = JSON.parse(raw);
  } catch {
    return; /* cut at 16 KB */
  }
  const parts = item as Record<string, Record<string, unknown> | undefined>;
  const value = within(parts['properties'], name) ?? within(parts['traits'], name);
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

/* The kind of objects whose ids the subject has; null when it has none. */
export function objectKindOf(subject: Subject, objects: Vocabulary['catalogue']['objects']): string | null {
  if (subject.name === '') return null;
  if (subject.form === 'trait' || subject.form === 'relation') return objects.find((one) => one.traits.includes(subject.name))?.kind ?? null;
  if (subject.form !== 'prop') return null;
  if (subject.object !== null) {
    if (subject.name === 'id') return subject.object;
    const leadsTo = objects.find((one) => one.kind === subject.object)?.properties.find((one) => one.name === subject.name)?.object ?? '';
    return leadsTo === '' ? null : leadsTo;
  }
  const isAny = subject.events.length === 0 || subject.events.includes('*');
  return objects.find((one) => one.vias.some((way) => way.via === subject.name && (isAny || subject.events.includes(way.event))))?.kind ?? null;
}

function nameOf(object: Schemas['Object']): string {
  const { name, title } = object.props as { name?: unknown; title?: unknown };
  return typeof name === 'string' ? name : typeof title === 'string' ? title : '';
}

/* Objects by what is typed of their id or name: the server looks, however many there are. null: the subject names none. */
function useObjects(subject: Subject, enabled: boolean, typed: string): Suggestion[] | null {
  const v = useVocabulary();
  const isWhole = useSession().user.team === null;
  const may = useMay('object.see');
  const kind = may && isWhole ? objectKindOf(subject, v.catalogue.objects) : null;
  const query = useDebounced(typed.trim(), 200);
  const found = useQuery({
    queryKey: ['objects', 'suggested', kind, query],
    queryFn: ({ signal }) => api.get('/objects/{kind}', { path: { kind: kind ?? '' }, query: { query: query === '' ? undefined : query, limit: shown }, signal }),
    enabled: enabled && kind !== null, placeholderData: keepPreviousData, staleTime: 30_000,
  });
  return useMemo(() => (kind === null ? null : (found.data?.items ?? []).map((one) => ({ value: one.id, label: nameOf(one) || one.id }))), [kind, found.data]);
}

export interface Suggested {
  items: Suggestion[];
  /* the server has looked already: what came is not sifted again */
  isSearched: boolean;
}

/* `typed` is what has been typed so far. */
export function useSuggestions(subject: Subject, enabled: boolean, typed: string): Suggested {
  const v = useVocabulary();
  const objects = useObjects(subject, enabled, typed);
  const isChannel = subject.form === 'prop' && (subject.name === 'channel' || subject.name === '$channel');
  const known = knownValues(subject, v);
  const oneEvent = subject.events.length === 1 && subject.events[0] !== '*' ? subject.events[0] : undefined;
  const isLive = enabled && !isChannel && objects === null && subject.name !== '' && (subject.form === 'trait' || (subject.form === 'prop' && subject.object === null));
  const live = useQuery({ ...queries.recentEvents(subject.form === 'trait' ? 'Identify' : (oneEvent ?? '')), enabled: isLive });
  const tag = useQuery({ ...queries.definition('tags', subject.name), enabled: enabled && subject.form === 'tag' && subject.object === null && subject.name !== '', refetchInterval: false, retry: false });
  return useMemo((): Suggested => {
    if (objects !== null) return { items: objects, isSearched: true };
    const came = live.data === undefined ? [] : valuesIn(live.data.items.map((one) => one.raw), subject.name);
    const sizes = subject.form === 'tag' ? (tag.data?.sizes ?? []).map((one) => one.value) : [];
    const all = [...new Set([...known, ...sizes, ...came])].slice(0, shown);
    return { items: all.map((value) => ({ value, label: isChannel ? labelIn(v.channels, value) : value })), isSearched: false };
  }, [objects, known, live.data, tag.data, subject.form, subject.name, isChannel, v]);
}
