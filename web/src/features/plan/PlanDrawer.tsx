/* SPDX-License-Identifier: Apache-2.0 */
/* PlanDrawer: what is expected of one event. */
import { PlusOutlined } from '@ant-design/icons';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Checkbox, Drawer, Form, Input, Radio, Select } from 'antd';
import { useState } from 'react';
import { api } from '@/api/client';
import { useText } from '@/app/preferences';
import { useLasting } from '@/lib/hooks';
import { wordFor } from '@/lib/text';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { draftOf, nameProblem, planStatuses, planTypes, putOf, type PlanDraft, type PlanEvent, type PropertyDraft } from './plan';
import { planTexts } from './texts';

const fresh: PlanEvent = { name: '', status: 'planned', properties: [] };

export function PlanDrawer({ event, isNew, onClose }: { event: PlanEvent | null; isNew: boolean; onClose: () => void }) {
  const t = useText(planTexts).drawer;
  const asked = event ?? (isNew ? fresh : null);
  const shown = useLasting(asked);
  return (
    <Drawer open={asked !== null} onClose={onClose} size={720} title={shown === null || shown.name === '' ? t.newTitle : t.title(shown.name)} destroyOnHidden>
      {shown !== null && <PlanEditor key={shown.name} event={shown} onClose={onClose} />}
    </Drawer>
  );
}

function PlanEditor({ event, onClose }: { event: PlanEvent; onClose: () => void }) {
  const t = useText(planTexts);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const noRole = useRightReason('plan.change');
  const [name, setName] = useState(event.name);
  const [draft, setDraft] = useState<PlanDraft>(() => draftOf(event));
  const save = useMutation({
    mutationFn: () => api.put('/plan/events/{name}', { path: { name: name.trim() }, body: putOf(draft) }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['plan'] });
      void message.success(t.drawer.saved);
      onClose();
    },
    onError: notice,
  });
  const setProperty = (at: number, change: Partial<PropertyDraft>): void => {
    setDraft({ ...draft, properties: draft.properties.map((property, index) => (index === at ? { ...property, ...change } : property)) });
  };
  return (
    <Form layout="vertical" component="div">
      {event.name === '' && <Form.Item label={t.drawer.name} extra={t.drawer.nameHelp} htmlFor="plan-name"><Input id="plan-name" autoFocus maxLength={200} value={name} onChange={(change) => setName(change.target.value)} /></Form.Item>}
      <Form.Item label={t.statusHead} extra={t.statusHelp[draft.status]}>
        <Radio.Group aria-label={t.statusHead} optionType="button" value={draft.status} onChange={(change) => setDraft({ ...draft, status: change.target.value as PlanDraft['status'] })} options={planStatuses.map((status) => ({ value: status, label: t.status[status] }))} />
      </Form.Item>
      <Form.Item label={t.description} htmlFor="plan-description"><Input.TextArea id="plan-description" placeholder={t.drawer.descriptionHelp} autoSize={{ minRows: 2, maxRows: 6 }} maxLength={1000} value={draft.description} onChange={(change) => setDraft({ ...draft, description: change.target.value })} /></Form.Item>
      <h2 className="detail-head">{t.properties} <span className="faint small">{t.drawer.strictHint}</span></h2>
      {draft.properties.length === 0 && <p className="faint small">{t.drawer.noProperties}</p>}
      {draft.properties.length > 0 && (
        <table className="plan-properties">
          <thead><tr><th scope="col">{t.drawer.addName}</th><th scope="col">{t.drawer.type}</th><th scope="col">{t.drawer.required}</th><th scope="col">{t.drawer.values}</th></tr></thead>
          <tbody>{draft.properties.map((property, at) => <PropertyRow key={property.name} property={property} onChange={(change) => setProperty(at, change)} />)}</tbody>
        </table>
      )}
      <AddProperty draft={draft} onAdd={(added) => setDraft({ ...draft, properties: [...draft.properties, added] })} />
      <div className="drawer-actions">
        <ActionButton type="primary" reason={noRole ?? (name.trim() === '' ? t.drawer.nameMissing : null)} loading={save.isPending} onClick={() => save.mutate()}>{t.drawer.save}</ActionButton>
      </div>
    </Form>
  );
}

function PropertyRow({ property, onChange }: { property: PropertyDraft; onChange: (change: Partial<PropertyDraft>) => void }) {
  const t = useText(planTexts);
  return (
    <tr>
      <th scope="row" className="mono">{property.name}</th>
      <td>
        <Select
          size="small" style={{ width: 150 }} aria-label={`${property.name} ${t.drawer.type}`} value={property.type} onChange={(type) => onChange({ type })}
          options={[{ value: '', label: t.drawer.auto(wordFor(t.types, property.learnt)) }, ...planTypes.map((type) => ({ value: type as string, label: t.types[type] }))]}
        />
      </td>
      <td><Checkbox aria-label={`${property.name} ${t.drawer.required}`} checked={property.required} onChange={(event) => onChange({ required: event.target.checked })} /></td>
      <td><Select size="small" mode="tags" open={false} suffixIcon={null} style={{ width: '100%', minWidth: 140 }} aria-label={`${property.name} ${t.drawer.values}`} placeholder={t.drawer.valuesHelp} value={property.values} onChange={(values) => onChange({ values })} /></td>
    </tr>
  );
}

function AddProperty({ draft, onAdd }: { draft: PlanDraft; onAdd: (property: PropertyDraft) => void }) {
  const t = useText(planTexts).drawer;
  const [name, setName] = useState('');
  const problem = nameProblem(name, draft);
  const add = (): void => {
    if (problem !== null) return;
    onAdd({ name: name.trim(), learnt: 'unknown', type: 'text', required: false, values: [] });
    setName('');
  };
  return (
    <div className="row" style={{ marginTop: 12 }}>
      <Input size="small" className="mono" style={{ width: 200 }} aria-label={t.addName} placeholder={t.addName} value={name} onChange={(event) => setName(event.target.value)} onPressEnter={add} />
      <ActionButton size="small" icon={<PlusOutlined />} reason={problem === null ? null : t[problem]} onClick={add}>{t.add}</ActionButton>
    </div>
  );
}
