/* SPDX-License-Identifier: Apache-2.0 */
/* KindDrawer: what a kind of objects is called, which fields it has and where they lead; its tags and lists. */
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Drawer, Form, Input, Select } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';
import { api } from '@/api/client';
import { useLanguage, useText } from '@/app/preferences';
import { useLasting } from '@/lib/hooks';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Pill, QuietHead } from '@/ui/Marks';
import { draftOf, fieldProblem, fieldTypes, kindProblem, settingsOf, type Field, type Kind, type KindDraft } from './objects';
import { objectTexts } from './texts';
import type { Kinds } from './useKinds';

interface KindDrawerProps {
  /* a kind, '+' for a new one, null while closed */
  asked: string | null;
  all: Kinds;
  onClose: () => void;
  onMade: (kind: string) => void;
  onGone: () => void;
}

const fresh: Kind = { kind: '', name: '', description: '', fields: [], count: null, isDescribed: false, changedAt: null, settings: {} };

export function KindDrawer({ asked, all, onClose, onMade, onGone }: KindDrawerProps) {
  const t = useText(objectTexts).drawer;
  const shown = useLasting(asked);
  const kind = shown === null ? null : (all.kinds?.find((one) => one.kind === shown) ?? fresh);
  return (
    <Drawer open={asked !== null} onClose={onClose} size={760} title={kind === null || kind.kind === '' ? t.newTitle : t.title(all.word(kind.kind))} destroyOnHidden>
      {kind !== null && <Editor key={kind.kind} kind={kind} all={all} onMade={onMade} onGone={onGone} />}
    </Drawer>
  );
}

function Editor({ kind, all, onMade, onGone }: { kind: Kind; all: Kinds; onMade: (kind: string) => void; onGone: () => void }) {
  const texts = useText(objectTexts);
  const t = texts.drawer;
  const language = useLanguage();
  const client = useQueryClient();
  const { message, modal } = App.useApp();
  const notice = useProblemNotice();
  const noRight = useRightReason('object.change');
  const [key, setKey] = useState(kind.kind);
  const [draft, setDraft] = useState<KindDraft>(() => draftOf(kind));
  const isNew = kind.kind === '';
  const problem = isNew ? kindProblem(key.trim(), (all.kinds ?? []).map((one) => one.kind)) : null;
  const save = useMutation({
    mutationFn: () => api.put('/object-kinds/{kind}', { path: { kind: key.trim() }, body: settingsOf(draft, kind.settings, language) }),
    onSuccess: async () => {
      await Promise.all([client.invalidateQueries({ queryKey: ['objects'] }), client.invalidateQueries({ queryKey: ['rules', 'catalogue'] })]);
      void message.success(t.saved);
      onMade(key.trim());
    },
    onError: notice,
  });
  const remove = useMutation({
    mutationFn: () => api.delete('/object-kinds/{kind}', { path: { kind: kind.kind } }),
    onSuccess: async () => {
      void message.success(t.removed);
      onGone();
      await Promise.all([client.invalidateQueries({ queryKey: ['objects'] }), client.invalidateQueries({ queryKey: ['rules', 'catalogue'] })]);
    },
    onError: notice,
  });
  const askRemove = (): void => void modal.confirm({ title: texts.object.removeTitle(all.word(kind.kind)), content: t.removeText, okText: texts.object.remove, cancelText: texts.object.keep, okButtonProps: { danger: true }, onOk: () => remove.mutateAsync().catch(() => undefined) });
  const setField = (at: number, change: Partial<Field>): void => setDraft({ ...draft, fields: draft.fields.map((one, index) => (index === at ? { ...one, ...change, isSeen: false } : one)) });
  return (
    <Form layout="vertical" component="div">
      {isNew && <Form.Item label={t.kind} extra={problem === null || problem === 'empty' ? t.kindHelp : t.problems[problem]} validateStatus={problem === null || problem === 'empty' ? '' : 'error'} htmlFor="kind-key"><Input id="kind-key" className="mono" autoFocus maxLength={40} value={key} onChange={(event) => setKey(event.target.value)} /></Form.Item>}
      <Form.Item label={t.name} htmlFor="kind-name"><Input id="kind-name" maxLength={60} placeholder={isNew ? '' : all.word(kind.kind)} value={draft.name} onChange={(event) => setDraft({ ...draft, name: event.target.value })} /></Form.Item>
      <Form.Item label={t.description} htmlFor="kind-description"><Input.TextArea id="kind-description" autoSize={{ minRows: 1, maxRows: 4 }} maxLength={400} value={draft.description} onChange={(event) => setDraft({ ...draft, description: event.target.value })} /></Form.Item>
      <h2 className="detail-head">{t.fields} <span className="faint small">{t.hint}</span></h2>
      {draft.fields.length > 0 && (
        <div className="scroll-x" tabIndex={0} role="group" aria-label={t.fields}>
          <table className="plan-properties">
            <thead><tr><th scope="col">{t.field}</th><th scope="col">{t.label}</th><th scope="col">{t.type}</th><th scope="col">{t.leadsTo}</th><th scope="col"><QuietHead>{texts.object.remove}</QuietHead></th></tr></thead>
            <tbody>{draft.fields.map((field, at) => <FieldRow key={field.name} field={field} all={all} onChange={(change) => setField(at, change)} onRemove={() => setDraft({ ...draft, fields: draft.fields.filter((_, index) => index !== at) })} />)}</tbody>
          </table>
        </div>
      )}
      <AddField fields={draft.fields} onAdd={(field) => setDraft({ ...draft, fields: [...draft.fields.filter((one) => one.name !== field.name), field] })} />
      {!isNew && <Tags kind={kind} all={all} />}
      <div className="drawer-actions">
        {!isNew && kind.isDescribed && <ActionButton danger type="text" reason={noRight ?? (kind.count !== null && kind.count > 0 ? t.stillHas(kind.count) : null)} onClick={askRemove}>{t.removeKind}</ActionButton>}
        <ActionButton type="primary" reason={noRight ?? (problem === null ? null : t.problems[problem])} loading={save.isPending} onClick={() => save.mutate()}>{t.save}</ActionButton>
      </div>
    </Form>
  );
}

function FieldRow({ field, all, onChange, onRemove }: { field: Field; all: Kinds; onChange: (change: Partial<Field>) => void; onRemove: () => void }) {
  const { drawer: t, types } = useText(objectTexts);
  const known = (all.kinds ?? []).map((one) => ({ value: one.kind, label: all.word(one.kind) }));
  const kinds = field.object === '' || known.some((one) => one.value === field.object) ? known : [...known, { value: field.object, label: all.word(field.object) }];
  if (field.isSeen) {
    return (
      <tr>
        <th scope="row" className="mono">{field.name}</th>
        <td><span className="faint">{t.seen}</span></td>
        <td>{types[field.type]}</td>
        <td>{field.object === '' ? '' : all.word(field.object)}</td>
        <td className="right"><Button size="small" type="link" aria-label={`${t.adopt} ${field.name}`} onClick={() => onChange({})}>{t.adopt}</Button></td>
      </tr>
    );
  }
  return (
    <tr>
      <th scope="row" className="mono">{field.name}</th>
      <td><Input size="small" style={{ minWidth: 110 }} maxLength={60} aria-label={`${field.name} ${t.label}`} value={field.label} onChange={(event) => onChange({ label: event.target.value })} /></td>
      <td><Select size="small" style={{ width: 104 }} aria-label={`${field.name} ${t.type}`} value={field.type} onChange={(type) => onChange({ type })} options={fieldTypes.map((type) => ({ value: type, label: types[type] }))} /></td>
      <td><Select size="small" style={{ width: 130 }} aria-label={`${field.name} ${t.leadsTo}`} value={field.object} onChange={(object) => onChange({ object })} options={[{ value: '', label: t.nothing }, ...kinds]} showSearch={{ optionFilterProp: 'label' }} disabled={field.type !== 'text' && field.type !== 'list'} /></td>
      <td className="right"><Button size="small" type="text" icon={<DeleteOutlined />} aria-label={t.remove(field.name)} onClick={onRemove} /></td>
    </tr>
  );
}

function AddField({ fields, onAdd }: { fields: readonly Field[]; onAdd: (field: Field) => void }) {
  const t = useText(objectTexts).drawer;
  const [name, setName] = useState('');
  const problem = fieldProblem(name, fields);
  const add = (): void => {
    if (problem !== null) return;
    onAdd({ name: name.trim(), label: '', type: 'text', description: '', object: '', isSeen: false });
    setName('');
  };
  return (
    <div className="row" style={{ marginTop: 12 }}>
      <Input size="small" className="mono" style={{ width: 200 }} aria-label={t.addField} placeholder={t.addField} value={name} onChange={(event) => setName(event.target.value)} onPressEnter={add} />
      <ActionButton size="small" icon={<PlusOutlined />} reason={problem === null ? null : t.problems[problem]} onClick={add}>{t.add}</ActionButton>
    </div>
  );
}

/* Tags and lists that stand on objects of this kind. */
function Tags({ kind, all }: { kind: Kind; all: Kinds }) {
  const t = useText(objectTexts).drawer;
  const names = all.names.find((one) => one.kind === kind.kind);
  if (names === undefined) return null;
  const defined = (what: string, of: string): string => `/new/${what}?define=${encodeURIComponent(JSON.stringify({ on: of, ...(what === 'segment' ? { rule: { all: [] } } : {}) }))}`;
  return (
    <section style={{ marginTop: 20 }}>
      <h2 className="detail-head">{t.tags} <span className="faint small">{t.tagsHint}</span></h2>
      <div className="row wrap" style={{ gap: 6, marginBottom: 8 }}>
        {names.tags.map((tag) => <Link key={`t-${tag.key}`} to={`/tags/${tag.key}`}><Pill tone="accent">{tag.name || tag.key}</Pill></Link>)}
        {names.segments.map((list) => <Link key={`s-${list.key}`} to={`/segments/${list.key}`}><Pill>{list.name || list.key}</Pill></Link>)}
      </div>
      <div className="row wrap">
        <Link to={defined('tag', kind.kind)}>{t.newTag}</Link>
        <Link to={defined('segment', kind.kind)}>{t.newSegment}</Link>
      </div>
    </section>
  );
}
