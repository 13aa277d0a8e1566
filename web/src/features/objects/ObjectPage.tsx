/* SPDX-License-Identifier: Apache-2.0 */
/* ObjectPage: one product, store, adviser …: what is known of it, its tags and lists, whom it has to do with, and what leads to it. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import { Link, useNavigate, useParams } from 'react-router';
import { api, ApiProblem, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { exactCount } from '@/lib/format';
import { useFilters } from '@/lib/hooks';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Json } from '@/ui/Json';
import { Count, Pill, Time, useEventName } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bone, Bones, Empty, Failure } from '@/ui/States';
import { ObjectDrawer } from './ObjectDrawer';
import { pointers, pointsAt, titleOf, waysTo, type Field, type Kind, type ObjectEntry, type Way } from './objects';
import { objectTexts } from './texts';
import { useKinds, type Kinds } from './useKinds';
import { Value } from './Value';

const othersShown = 8;
const fresh: Omit<Kind, 'kind'> = { name: '', description: '', fields: [], count: null, isDescribed: false, changedAt: null, settings: {} };

export function ObjectPage() {
  const t = useText(objectTexts);
  const { kind: key = '', id = '' } = useParams();
  const all = useKinds();
  const object = useQuery({ queryKey: ['objects', 'one', key, id], queryFn: ({ signal }) => api.get('/objects/{kind}/{id}', { path: { kind: key, id }, signal }) });
  const back = <Link to={`/data/objects?kind=${encodeURIComponent(key)}`}>{t.object.back}</Link>;
  if (object.data === undefined || all.kinds === undefined) {
    const error = object.error ?? all.error;
    if (error instanceof ApiProblem && error.status === 404) return <Page title={id} actions={back}><Panel><Empty title={t.object.gone} action={back}>{t.object.goneHint}</Empty></Panel></Page>;
    if (error !== null) return <Page title={id} actions={back}><Panel><Failure error={error} retry={() => { void object.refetch(); all.retry(); }} /></Panel></Page>;
    return <Page title={id}><Panel><Bones rows={8} inset={0} /></Panel></Page>;
  }
  const kind = all.kinds.find((one) => one.kind === key) ?? { ...fresh, kind: key };
  return <One object={object.data} kind={kind} all={all} />;
}

function One({ object, kind, all }: { object: ObjectEntry; kind: Kind; all: Kinds }) {
  const t = useText(objectTexts).object;
  const [filters, setFilters] = useFilters({ edit: '' });
  const noRight = useRightReason('object.change');
  const remove = useRemoval(object);
  return (
    <Page
      title={titleOf(object)} purpose={<><Link to={`/data/objects?kind=${encodeURIComponent(kind.kind)}`} style={{ textDecoration: 'underline' }}>{all.word(kind.kind)}</Link> <span className="mono">{object.id}</span></>}
      actions={<><ActionButton danger reason={noRight} onClick={remove}>{t.remove}</ActionButton><ActionButton type="primary" reason={noRight} onClick={() => setFilters({ edit: '1' })}>{t.edit}</ActionButton></>}
    >
      <div className="split-2">
        <div className="stack">
          <Facts object={object} kind={kind} all={all} />
          <People object={object} all={all} />
        </div>
        <div className="stack">
          <Tags object={object} />
          {pointers(all.kinds ?? [], kind.kind).map(({ kind: other, field }) => <Others key={`${other.kind} ${field.name}`} of={object} kind={other} field={field} word={all.word} />)}
          <Panel title={t.raw}><Json value={object.props} /></Panel>
        </div>
      </div>
      <ObjectDrawer open={filters.edit === '1'} kind={kind} word={all.word(kind.kind)} object={object} onClose={() => setFilters({ edit: '' })} />
    </Page>
  );
}

function useRemoval(object: ObjectEntry): () => void {
  const texts = useText(objectTexts);
  const t = texts.object;
  const { modal, message } = App.useApp();
  const client = useQueryClient();
  const navigate = useNavigate();
  const notice = useProblemNotice();
  const remove = useMutation({
    mutationFn: () => api.delete('/objects/{kind}/{id}', { path: { kind: object.kind, id: object.id } }),
    onSuccess: () => {
      void message.success(t.removed);
      void navigate(`/data/objects?kind=${encodeURIComponent(object.kind)}`);
      client.removeQueries({ queryKey: ['objects', 'one', object.kind, object.id] });
      void client.invalidateQueries({ queryKey: ['objects'] });
    },
    onError: notice,
  });
  return () => void modal.confirm({ title: t.removeTitle(titleOf(object)), content: t.removeText, okText: t.remove, cancelText: t.keep, okButtonProps: { danger: true }, onOk: () => remove.mutateAsync().catch(() => undefined) });
}

function Facts({ object, kind, all }: { object: ObjectEntry; kind: Kind; all: Kinds }) {
  const texts = useText(objectTexts);
  const fields = kind.fields.filter((field) => object.props[field.name as never] !== undefined);
  return (
    <Panel title={texts.object.facts} note={<><span>{texts.changed} </span><Time at={object.updated_at} /></>}>
      {fields.length === 0 ? <p className="faint">{texts.object.unknown}</p> : (
        <dl className="facts">
          {fields.map((field) => <div key={field.name} style={{ display: 'contents' }}><dt title={field.name}>{field.label || <span className="mono">{field.name}</span>}</dt><dd><Value value={object.props[field.name as never]} field={field} word={all.word} /></dd></div>)}
        </dl>
      )}
    </Panel>
  );
}

/* Whom it has to do with: one line for each way that leads to it, counted by the rule that the line stands for. */
function People({ object, all }: { object: ObjectEntry; all: Kinds }) {
  const t = useText(objectTexts).object;
  const may = useMay('segment.see');
  const ways = waysTo(all.names.find((one) => one.kind === object.kind), object.id);
  return (
    <Panel title={t.people} note={t.peopleHint}>
      {!may ? <p className="faint">{t.noRight}</p> : ways.length === 0 ? <p className="faint">{t.noPeople}</p> : <ul>{ways.map((way) => <PeopleBy key={`${way.form} ${way.via}`} way={way} name={titleOf(object)} />)}</ul>}
    </Panel>
  );
}

function PeopleBy({ way, name }: { way: Way; name: string }) {
  const t = useText(objectTexts).object;
  const eventName = useEventName();
  const preview = useQuery(queries.rulePreview(JSON.stringify({ rule: way.rule })));
  const said = way.form === 'trait' ? t.has(way.via) : way.events.length === 1 ? t.didOne(eventName(way.events[0] ?? ''), way.via) : t.did(way.via);
  const rule = JSON.stringify(way.rule);
  return (
    <li className="feed-row">
      <span className="cut grow">{said}{way.events.length > 1 && <span className="faint small"> · {t.events(exactCount(way.events.length))}</span>}</span>
      <span className="right tabular" style={{ minWidth: 56 }}>{preview.data !== undefined ? <Count value={preview.data.count} /> : preview.isError ? '—' : <Bone width={32} />}</span>
      <Link to={`/customers?rule=${encodeURIComponent(rule)}`} className="nowrap">{t.see}</Link>
      <Link to={`/new/segment?define=${encodeURIComponent(JSON.stringify({ name, rule: way.rule }))}`} className="nowrap">{t.segment}</Link>
    </li>
  );
}

function Tags({ object }: { object: ObjectEntry }) {
  const t = useText(objectTexts).object;
  const [mayTags, maySegments] = [useMay('tag.see'), useMay('segment.see')];
  const said = useQuery({ queryKey: ['objects', 'tags', object.kind, object.id], queryFn: ({ signal }) => api.get('/objects/{kind}/{id}/tags', { path: { kind: object.kind, id: object.id }, signal }), retry: false });
  const tags = useQuery({ ...queries.definitions('tags'), enabled: mayTags, refetchInterval: false });
  const lists = useQuery({ ...queries.definitions('segments'), enabled: maySegments, refetchInterval: false });
  const nameIn = (items: readonly Schemas['Definition'][] | undefined, key: string): string => items?.find((one) => one.key === key)?.name || key;
  const entries = Object.entries(said.data?.tags ?? {}).filter(([, value]) => (value as unknown) !== false);
  const segments = said.data?.segments ?? [];
  return (
    <Panel title={t.tags}>
      {said.data === undefined && !said.isError ? <Bone width={160} /> : entries.length + segments.length === 0 ? <p className="faint">{t.noTags}</p> : (
        <div className="row wrap" style={{ gap: 6 }}>
          {entries.map(([key, value]) => <Link key={key} to={`/tags/${key}`}><Pill tone="accent">{nameIn(tags.data?.items, key)}{(value as unknown) === true ? '' : ` ${String(value)}`}</Pill></Link>)}
          {segments.map((key) => <Link key={key} to={`/segments/${key}`}><Pill>{nameIn(lists.data?.items, key)}</Pill></Link>)}
        </div>
      )}
    </Panel>
  );
}

/* Objects of another kind that have the id of this one: the groups of a store. */
function Others({ of, kind, field, word }: { of: ObjectEntry; kind: Kind; field: Field; word: (kind: string) => string }) {
  const t = useText(objectTexts).object;
  const found = useQuery({
    queryKey: ['objects', 'leading', kind.kind, field.name, of.id],
    queryFn: ({ signal }) => api.get('/objects/{kind}', { path: { kind: kind.kind }, query: { query: of.id, limit: 200 }, signal }),
  });
  const items = (found.data?.items ?? []).filter((one) => pointsAt(one, field, of.id));
  const isMore = items.length > othersShown || (found.data?.next_cursor ?? null) !== null;
  return (
    <Panel title={word(kind.kind)} note={t.othersHint(word(kind.kind), field.label || field.name)}>
      {found.data === undefined ? (found.isError ? <Failure error={found.error} retry={() => void found.refetch()} /> : <Bones rows={3} inset={0} />) : items.length === 0 && !isMore ? <p className="faint">{t.noOthers}</p> : (
        <>
          <ul>{items.slice(0, othersShown).map((one) => <li key={one.id} className="feed-row"><Link to={`/data/objects/${encodeURIComponent(one.kind)}/${encodeURIComponent(one.id)}`} className="cut grow">{titleOf(one)}</Link><span className="mono faint">{one.id}</span></li>)}</ul>
          {isMore && <Link to={`/data/objects?kind=${encodeURIComponent(kind.kind)}&query=${encodeURIComponent(of.id)}`} className="small">{t.inAll}</Link>}
        </>
      )}
    </Panel>
  );
}
