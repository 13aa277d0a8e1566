/* SPDX-License-Identifier: Apache-2.0 */
/* CorrectDialog: mend an event that did not fit, then put it back through the log. */
import { DeleteOutlined, PlusOutlined, UndoOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, AutoComplete, Button, Input, Modal } from 'antd';
import { useEffect, useState } from 'react';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { exactCount } from '@/lib/format';
import { useLasting } from '@/lib/hooks';
import { catalogue, wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice } from '@/ui/Controls';
import { detailTexts, sayDetail } from './detail';
import { correctionOf, editOf, type EventEdit, type PropertyEdit } from './correction';

const texts = catalogue({
  zh: {
    title: '改正后重放', hint: '只改需要改的地方。原来的消息编号不变，所以重放只计一次。', event: '事件名称', time: '发生时间', name: '属性名', value: '取值',
    valueHint: '数字、true、列表按原样填；要强制为文字就加英文双引号。', add: '加一个属性', remove: '删除此属性', keep: '不删了', nothing: '还没有改动', replay: '改正并重放',
    done: (count: string) => `已改正并重放 ${count} 条`, newName: '新属性的名称', newValue: '新属性的取值', of: (name: string) => `${name} 的名称`, valueOf: (name: string) => `${name} 的取值`,
  },
  en: {
    title: 'Correct and replay', hint: 'Change only what is wrong. The message id stays, so a replay counts once.', event: 'Event', time: 'When it happened', name: 'Property', value: 'Value',
    valueHint: 'Numbers, true and lists as they are; double quotes make anything a text.', add: 'Add a property', remove: 'Remove this property', keep: 'Keep it', nothing: 'Nothing is changed yet', replay: 'Correct and replay',
    done: (count) => `${count} corrected and replayed`, newName: 'Name of the new property', newValue: 'Value of the new property', of: (name) => `Name of ${name}`, valueOf: (name) => `Value of ${name}`,
  },
});

type Item = Schemas['Quarantined'];

function propsOf(item: Item): Record<string, unknown> {
  const props = item.event['props'];
  return typeof props === 'object' && props !== null && !Array.isArray(props) ? (props as Record<string, unknown>) : {};
}

function startOf(item: Item): EventEdit {
  const time = item.event['time'];
  return editOf(item.type, typeof time === 'string' ? time : '', propsOf(item));
}

export function CorrectDialog({ item: asked, onClose }: { item: Item | null; onClose: () => void }) {
  const item = useLasting(asked);
  const t = useText(texts);
  const common = useText(words);
  const details = useText(detailTexts);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const [edit, setEdit] = useState<EventEdit | null>(null);
  const plan = useQuery({ ...queries.planEvents(), enabled: asked !== null });
  useEffect(() => {
    if (asked !== null) setEdit(startOf(asked));
  }, [asked]);
  const correction = edit === null ? null : correctionOf(edit);
  const replay = useMutation({
    mutationFn: (given: { id: number; correction: NonNullable<typeof correction> }) =>
      api.post('/quarantine/replay', { body: { ids: [given.id], correction: given.correction } }),
    onSuccess: (said) => {
      void client.invalidateQueries({ queryKey: ['quarantine'] });
      void client.invalidateQueries({ queryKey: ['overview'] });
      void message.success(t.done(exactCount(said.replayed)));
      onClose();
    },
    onError: notice,
  });
  const change = (at: number, part: Partial<PropertyEdit>): void => {
    if (edit === null) return;
    setEdit({ ...edit, properties: edit.properties.map((one, index) => (index === at ? { ...one, ...part } : one)) });
  };
  return (
    <Modal
      open={asked !== null} onCancel={onClose} title={t.title} width={680} destroyOnHidden
      footer={[
        <Button key="cancel" onClick={onClose}>{common.action.cancel}</Button>,
        <ActionButton
          key="replay" type="primary" loading={replay.isPending} reason={correction === null ? t.nothing : null}
          onClick={() => item !== null && correction !== null && replay.mutate({ id: item.id, correction })}
        >
          {t.replay}
        </ActionButton>,
      ]}
    >
      {item !== null && edit !== null && (
        <div className="stack">
          <div className="notice warn"><span><strong>{wordFor(common.planReason, item.reason)}</strong><br /><span className="soft">{sayDetail(item.detail, details)}</span></span></div>
          <p className="soft small">{t.hint}</p>
          <label className="field"><span>{t.event}</span>
            <AutoComplete
              value={edit.event} onChange={(event: string) => setEdit({ ...edit, event })} style={{ width: '100%' }} aria-label={t.event}
              options={(plan.data?.items ?? []).filter((one) => one.status !== 'blocked').map((one) => ({ value: one.name }))}
              showSearch={{ filterOption: (typed, option) => option?.value.toLowerCase().includes(typed.toLowerCase()) === true }}
            />
          </label>
          <label className="field"><span>{t.time}</span><Input className="mono" value={edit.time} onChange={(event) => setEdit({ ...edit, time: event.target.value })} /></label>
          <div>
            <p className="faint small">{t.valueHint}</p>
            {edit.properties.map((one, at) => (
              <div key={at} className="row" style={{ gap: 8, marginTop: 6, opacity: one.remove ? 0.5 : 1 }}>
                <Input className="mono" style={{ width: 220 }} aria-label={one.name === '' ? t.newName : t.of(one.name)} placeholder={t.name} disabled={one.remove} value={one.newName} onChange={(event) => change(at, { newName: event.target.value })} />
                <Input className="mono grow" aria-label={one.name === '' ? t.newValue : t.valueOf(one.name)} placeholder={t.value} disabled={one.remove} value={one.value} onChange={(event) => change(at, { value: event.target.value })} />
                <Button type="text" icon={one.remove ? <UndoOutlined /> : <DeleteOutlined />} aria-label={`${one.remove ? t.keep : t.remove} ${one.name}`} onClick={() => change(at, { remove: !one.remove })} />
              </div>
            ))}
            <Button
              size="small" type="dashed" icon={<PlusOutlined />} style={{ marginTop: 8 }}
              onClick={() => setEdit({ ...edit, properties: [...edit.properties, { name: '', newName: '', value: '', wasValue: '', remove: false }] })}
            >
              {t.add}
            </Button>
          </div>
        </div>
      )}
    </Modal>
  );
}
