/* SPDX-License-Identifier: Apache-2.0 */
/* ConsentDialog: write down that she agreed to something, or took it back: for what, and how that is known. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, AutoComplete, Form, Input, Modal, Radio } from 'antd';
import { api, type Schemas } from '@/api/client';
import { useText } from '@/app/preferences';
import { words } from '@/lib/words';
import { useProblemNotice } from '@/ui/Controls';
import { customerTexts } from './texts';

interface Fields { purpose: string; granted: boolean; evidence: string; text_version?: string }

const purposePattern = /^[a-z][a-z0-9_]{0,39}$/;

interface ConsentDialogProps {
  open: boolean;
  customer: Schemas['Customer'];
  /* what the form begins with */
  begin?: { purpose: string; granted: boolean } | null;
  onClose: () => void;
}

export function ConsentDialog({ open, customer, begin = null, onClose }: ConsentDialogProps) {
  const t = useText(customerTexts).consent;
  const common = useText(words);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const [form] = Form.useForm<Fields>();
  const record = useMutation({
    mutationFn: ({ purpose, granted, evidence, text_version: text = '' }: Fields) =>
      api.put('/customers/{one_id}/consent/{purpose}', { path: { one_id: customer.one_id, purpose }, body: { granted, evidence, ...(text.trim() === '' ? {} : { text_version: text.trim() }) } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['customers', customer.one_id] });
      void message.success(t.done);
      onClose();
    },
    onError: notice,
  });
  const known = Object.entries(common.consent).map(([value, label]) => ({ value, label: `${label} (${value})` }));
  return (
    <Modal
      open={open} onCancel={onClose} title={t.title} okText={t.save} cancelText={common.action.cancel} confirmLoading={record.isPending}
      onOk={() => void form.validateFields().then((fields) => record.mutate(fields), () => undefined)} destroyOnHidden
    >
      <p className="soft" style={{ marginBottom: 12 }}>{t.hint}</p>
      <Form form={form} layout="vertical" initialValues={{ purpose: '', granted: true, ...begin, evidence: '', text_version: '' }} preserve={false}>
        <Form.Item
          name="purpose" label={t.purpose} extra={t.purposeHint}
          rules={[{ required: true, message: t.purposeMissing }, { pattern: purposePattern, message: t.purposeForm }]}
        >
          <AutoComplete options={known} showSearch={{ filterOption: (typed, option) => option?.label.toLowerCase().includes(typed.toLowerCase()) === true }} />
        </Form.Item>
        <Form.Item name="granted" label={t.what}>
          <Radio.Group options={[{ value: true, label: t.granted }, { value: false, label: t.withdrawn }]} />
        </Form.Item>
        <Form.Item name="evidence" label={t.evidence} extra={t.evidenceHint} rules={[{ required: true, whitespace: true, message: t.evidenceMissing }]}>
          <Input.TextArea rows={3} maxLength={2000} showCount />
        </Form.Item>
        <Form.Item name="text_version" label={t.textVersion} extra={t.textVersionHint}><Input maxLength={100} /></Form.Item>
      </Form>
    </Modal>
  );
}
