/* SPDX-License-Identifier: Apache-2.0 */
/* Belongs: the tags of a customer by folder and the segments she is in, each by its name, with a way to it and why. */
import { QuestionCircleOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useMemo } from 'react';
import { Link } from 'react-router';
import { queries, type AudienceKind } from '@/api/queries';
import { useClock } from '@/app/clock';
import { useText } from '@/app/preferences';
import { nameOf, type Definition } from '@/features/audience/audience';
import { audienceTexts } from '@/features/audience/texts';
import type { WhyAsked } from '@/features/audience/WhyDrawer';
import { relativeTime } from '@/lib/format';
import { wordFor } from '@/lib/text';
import { Money } from '@/ui/Marks';
import { words } from '@/lib/words';
import { TraitValue } from './Profile';
import { customerTexts } from './texts';

interface ListProps {
  oneId: string;
  onWhy: (asked: WhyAsked) => void;
}

function useDefinitions(kind: AudienceKind): ReadonlyMap<string, Definition> {
  const list = useQuery({ ...queries.definitions(kind), refetchInterval: false });
  return new Map((list.data?.items ?? []).map((one) => [one.key, one]));
}

/* Since when it is as it is, and by what: of each tag and segment, by 'tag KEY' or 'segment KEY'. */
type Memberships = ReadonlyMap<string, { since: string | null; cause: string }>;

export function useMemberships(oneId: string): Memberships {
  const list = useQuery({ ...queries.memberships(oneId), staleTime: 10_000, retry: false });
  return useMemo(() => new Map((list.data?.items ?? []).map((one) => [`${one.kind} ${one.key}`, one])), [list.data]);
}

function Since({ kind, definitionKey, oneId }: { kind: AudienceKind; definitionKey: string; oneId: string }) {
  const t = useText(customerTexts).profile;
  const common = useText(words);
  const { zone, nowMs } = useClock();
  const one = useMemberships(oneId).get(`${kind === 'tags' ? 'tag' : 'segment'} ${definitionKey}`);
  if (one === undefined) return null;
  return <span className="belongs-since faint small">{t.since(one.since === null ? t.longAgo : relativeTime(one.since, nowMs, zone, common.time), one.cause === '' ? '' : wordFor(t.causes, one.cause))}</span>;
}

function Line({ kind, definition, definitionKey, value, oneId, onWhy }: ListProps & { kind: AudienceKind; definition: Definition | undefined; definitionKey: string; value?: unknown }) {
  const t = useText(audienceTexts);
  const name = definition === undefined ? definitionKey : nameOf(definition);
  return (
    <li>
      <div className="belongs">
      <Link to={`/${kind}/${definitionKey}`} className="cut" title={`${name} (${definitionKey})`}>{name}</Link>
      {value !== undefined && <span className="belongs-value">{definition?.value_type === 'money' && typeof value === 'number' ? <Money minor={value} currency="CNY" /> : <TraitValue value={value} />}</span>}
      <Button type="text" size="small" className="copy" icon={<QuestionCircleOutlined />} aria-label={t.explainOf(name)} title={t.explain} onClick={() => onWhy({ kind, key: definitionKey, name, oneId })} />
      </div>
      <Since kind={kind} definitionKey={definitionKey} oneId={oneId} />
    </li>
  );
}

export function TagList({ tags, ...rest }: ListProps & { tags: readonly (readonly [string, unknown])[] }) {
  const t = useText(audienceTexts);
  const definitions = useDefinitions('tags');
  const folderOf = (key: string): string => definitions.get(key)?.folder ?? '';
  const folders = [...new Set(tags.map(([key]) => folderOf(key)))].sort((a, b) => a.localeCompare(b, 'zh-CN'));
  return (
    <>
      {folders.map((folder) => (
        <section key={folder}>
          {folders.length > 1 && <h3 className="small faint" style={{ fontWeight: 400, marginTop: 4 }}>{folder === '' ? t.noFolder : folder}</h3>}
          <ul>{tags.filter(([key]) => folderOf(key) === folder).map(([key, value]) => <Line key={key} kind="tags" definition={definitions.get(key)} definitionKey={key} value={value} {...rest} />)}</ul>
        </section>
      ))}
    </>
  );
}

export function SegmentList({ segments, ...rest }: ListProps & { segments: readonly string[] }) {
  const definitions = useDefinitions('segments');
  return <ul>{segments.map((key) => <Line key={key} kind="segments" definition={definitions.get(key)} definitionKey={key} {...rest} />)}</ul>;
}
