/* SPDX-License-Identifier: Apache-2.0 */
/* ObjectDrawer: one object by hand: a field for each that its kind has. Properties without a field stay as they are. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Drawer, Form, Input, Select } from 'antd';
import { useState } from 'react';
import { api } from '@/api/client';
import { useText } from '@/app/preferences';
import type { JsonObject } from '@/features/rules/model';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { propsOf, titleOf, valueText, type Field, type Kind, type ObjectEntry, type ValueDraft } from './objects';
import { objectTexts } from './texts';

interface ObjectDrawerProps {
  open: boolean;
  kind: Kind;
  word: string;
  /* null: a new one */
  object: ObjectEntry | null;
  onClose: () => void;
}

export function ObjectDrawer({ open, kind, word, object, onClose }: ObjectDrawerProps) {
  const t = useText(objectTexts).object;
  return (
    <Drawer open={open} onClose={onClose} size={520} title={object === null ? t.newTitle(word) : t.editTitle(titleOf(object))} destroyOnHidden>
      <Editor kind={kind} object={object} onClose={onClose} />
    </Drawer>
  );
}

function Editor({ kind, object, onClose }: { kind: Kind; object: ObjectEntry | null; onClose: () => void }) {
  const texts = useText(objectTexts);
  const t = texts.object;
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const noRight = useRightReason('object.change');
  const before = (object?.props ?? {}) as JsonObject;
  const [id, setId] = useState(object?.id ?? '');
  const [draft, setDraft] = useState<ValueDraft>({});
  const { props, wrong } = propsOf(draft, kind.fields, before);
  const label = (name: string): string => kind.fields.find((one) => one.name === name)?.label || name;
  const isSame = object !== null && JSON.stringify(props) === JSON.stringify(before);
  const why = noRight ?? (id.trim() === '' ? texts.drawer.problems.empty : wrong.length > 0 ? t.wrong(wrong.map(label).join(', ')) : isSame ? t.nothing : null);
  const save = useMutation({
    mutationFn: () => api.put('/objects/{kind}/{id}', { path: { kind: kind.kind, id: id.trim() }, body: { props: props as Record<string, never> } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['objects'] });
      void client.invalidateQueries({ queryKey: ['rules', 'catalogue'] });
      void message.success(t.saved);
      onClose();
    },
    onError: notice,
  });
  return (
    <Form layout="vertical" component="div">
      {object === null && <Form.Item label={texts.id} htmlFor="object-id"><Input id="object-id" className="mono" autoFocus maxLength={200} value={id} onChange={(event) => setId(event.target.value)} /></Form.Item>}
      {kind.fields.map((field) => (
        <Form.Item key={field.name} label={field.label === '' ? <span className="mono">{field.name}</span> : field.label} htmlFor={`object-${field.name}`} extra={field.description || (field.type === 'list' ? t.listHelp : field.type === 'object' ? t.jsonHelp : undefined)} validateStatus={wrong.includes(field.name) ? 'error' : ''}>
          <ValueInput field={field} value={draft[field.name] ?? valueText(before[field.name], field.type)} onChange={(value) => setDraft({ ...draft, [field.name]: value })} />
        </Form.Item>
      ))}
      <div className="drawer-actions"><ActionButton type="primary" reason={why} loading={save.isPending} onClick={() => save.mutate()}>{t.save}</ActionButton></div>
    </Form>
  );
}

function ValueInput({ field, value, onChange }: { field: Field; value: string; onChange: (value: string) => void }) {
  const t = useText(objectTexts).object;
  const id = `object-${field.name}`;
  if (field.type === 'boolean') return <Select id={id} allowClear style={{ width: 120 }} value={value === '' ? undefined : value} onChange={(next: string | undefined) => onChange(next ?? '')} options={[{ value: 'true', label: t.yes }, { value: 'false', label: t.no }]} />;
  if (field.type === 'object') return <Input.TextArea id={id} className="mono" autoSize={{ minRows: 2, maxRows: 10 }} value={value} onChange={(event) => onChange(event.target.value)} />;
  return <Input id={id} prefix={field.type === 'money' ? '¥' : undefined} inputMode={field.type === 'number' || field.type === 'money' ? 'decimal' : undefined} value={value} onChange={(event) => onChange(event.target.value)} />;
}
