/* SPDX-License-Identifier: Apache-2.0 */
/* NewSource: asks the few things that matter, then shows a server's key this once. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Form, Input, Modal, Radio, Select, Switch } from 'antd';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { api, type Schemas } from '@/api/client';
import { useText } from '@/app/preferences';
import { knownChannels } from '@/lib/channels';
import { words } from '@/lib/words';
import { useProblemNotice } from '@/ui/Controls';
import { useChannelName } from '@/ui/Marks';
import { OnceDialog } from './OnceDialog';
import { sourceTexts } from './texts';

/* ids typed for people become keys: "微信 Mini" → "mini" */
export function keyFromName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9_-]+/g, '-').replace(/^[-_]+|[-_]+$/g, '').slice(0, 40);
}

const keyPattern = /^[a-z0-9][a-z0-9_-]*$/;

export function NewSource({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useText(sourceTexts);
  const common = useText(words);
  const channelName = useChannelName();
  const client = useQueryClient();
  const navigate = useNavigate();
  const notice = useProblemNotice();
  const [form] = Form.useForm<Schemas['SourcePost']>();
  const [made, setMade] = useState<Schemas['NewSource'] | null>(null);
  const [keyTouched, setKeyTouched] = useState(false);
  const create = useMutation({
    mutationFn: (body: Schemas['SourcePost']) => api.post('/sources', { body }),
    onSuccess: (source) => {
      void client.invalidateQueries({ queryKey: ['sources'] });
      if (source.kind === 'server') setMade(source);
      else void navigate(`/data/sources/${source.key}`);
    },
    onError: notice,
  });
  return (
    <>
      <Modal
        open={open && made === null} onCancel={onClose} title={t.form.title} okText={t.form.submit} cancelText={common.action.cancel} confirmLoading={create.isPending} destroyOnHidden width={560}
        onOk={() => void form.validateFields().then((values) => create.mutate(values), () => {})}
      >
        <Form
          form={form} layout="vertical" requiredMark={false} initialValues={{ kind: 'server', protocol: 'segment', channel: '', strict: false, name: '', key: '' }}
          onValuesChange={(changed: Partial<Schemas['SourcePost']>) => {
            if (changed.name === undefined) return;
            /* a Chinese name gives no key; what it says of its channel does */
            const named = knownChannels.find((one) => changed.name?.includes(channelName(one)) === true);
            if (named !== undefined && !form.isFieldTouched('channel')) form.setFieldValue('channel', named);
            if (!keyTouched) form.setFieldValue('key', keyFromName(changed.name) || (changed.name.trim() === '' ? '' : named ?? 'source'));
          }}
        >
          <Form.Item name="name" label={t.form.name} extra={t.form.nameHelp} rules={[{ required: true, message: t.form.missing }]}><Input autoFocus maxLength={100} /></Form.Item>
          <Form.Item name="key" label={t.form.key} extra={t.form.keyHelp} rules={[{ required: true, message: t.form.missing }, { pattern: keyPattern, message: t.form.keyBad }]}>
            <Input className="mono" maxLength={40} onChange={() => setKeyTouched(true)} />
          </Form.Item>
          <Form.Item name="kind" label={t.form.kind}>
            <Radio.Group className="stack" style={{ gap: 8 }}>
              <Radio value="server">{t.form.server}<div className="small faint">{t.form.serverHelp}</div></Radio>
              <Radio value="public">{t.form.public}<div className="small faint">{t.form.publicHelp}</div></Radio>
            </Radio.Group>
          </Form.Item>
          <div className="row" style={{ gap: 16, alignItems: 'flex-start' }}>
            <Form.Item name="protocol" label={t.form.protocol} style={{ flex: 1 }}>
              <Select options={(['segment', 'sensors', 'files', 'other'] as const).map((value) => ({ value, label: t.protocols[value] }))} />
            </Form.Item>
            <Form.Item name="channel" label={t.form.channel} extra={t.form.channelHelp} style={{ flex: 1 }}>
              <Select showSearch={{ optionFilterProp: 'label' }} options={[{ value: '', label: t.fromEvent }, ...knownChannels.map((value) => ({ value, label: channelName(value) }))]} />
            </Form.Item>
          </div>
          <div className="row"><Form.Item name="strict" valuePropName="checked" noStyle><Switch id="new-source-strict" size="small" /></Form.Item><label htmlFor="new-source-strict">{t.form.strict}</label></div>
        </Form>
      </Modal>
      <OnceDialog
        secret={made?.write_key ?? null} title={t.keyOnce.title} text={t.keyOnce.text}
        onClose={() => { const key = made?.key ?? ''; setMade(null); void navigate(`/data/sources/${key}`); }}
      />
    </>
  );
}
