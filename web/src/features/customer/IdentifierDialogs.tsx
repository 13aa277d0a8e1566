/* SPDX-License-Identifier: Apache-2.0 */
/* IdentifierDialogs: an identifier is given to a customer by hand, or a wrong one taken off; both with a reason. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Checkbox, Form, Input, Modal, Select } from 'antd';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { words } from '@/lib/words';
import { useProblemNotice } from '@/ui/Controls';
import { useIdentifierName } from '@/ui/Marks';
import { identifierTexts } from './identifierTexts';

type Customer = Schemas['Customer'];
type Identifier = Customer['identifiers'][number];

/* Who she is has changed: her page, lists, and what identity tells of her. */
function useChanged(): () => void {
  const client = useQueryClient();
  return () => {
    void client.invalidateQueries({ queryKey: ['customers'] });
    void client.invalidateQueries({ queryKey: ['identity'] });
  };
}

interface AddFields { type: string; value: string; namespace?: string; verified: boolean; reason: string }

export function AddIdentifierDialog({ open, customer, onClose }: { open: boolean; customer: Customer; onClose: () => void }) {
  const t = useText(identifierTexts);
  const common = useText(words);
  const name = useIdentifierName();
  const changed = useChanged();
  const notice = useProblemNotice();
  const { message } = App.useApp();
  const [form] = Form.useForm<AddFields>();
  const types = useQuery({ ...queries.identityTypes(), enabled: open });
  const add = useMutation({
    mutationFn: ({ namespace = '', ...fields }: AddFields) =>
      api.post('/customers/{one_id}/identifiers', { path: { one_id: customer.one_id }, body: { ...fields, ...(namespace.trim() === '' ? {} : { namespace: namespace.trim() }) } }),
    onSuccess: (result) => {
      changed();
      void message.success(result.added ? t.added : t.known);
      onClose();
    },
    onError: notice,
  });
  return (
    <Modal
      open={open} onCancel={onClose} title={t.addTitle} okText={t.add} cancelText={common.action.cancel} confirmLoading={add.isPending}
      onOk={() => void form.validateFields().then((fields) => add.mutate(fields), () => undefined)} destroyOnHidden
    >
      <p className="soft" style={{ marginBottom: 12 }}>{t.addHint}</p>
      <Form form={form} layout="vertical" initialValues={{ verified: false, value: '', namespace: '', reason: '' }} preserve={false}>
        <Form.Item name="type" label={t.type} rules={[{ required: true, message: t.typeMissing }]}>
          <Select loading={types.isPending} showSearch={{ optionFilterProp: 'label' }} options={(types.data?.items ?? []).map((one) => ({ value: one.name, label: name(one.name) }))} />
        </Form.Item>
        <Form.Item name="value" label={t.value} rules={[{ required: true, whitespace: true, message: t.valueMissing }]}><Input maxLength={255} autoComplete="off" /></Form.Item>
        <Form.Item name="namespace" label={t.namespace} extra={t.namespaceHint}><Input maxLength={100} /></Form.Item>
        <Form.Item name="verified" valuePropName="checked" extra={t.verifiedHint}><Checkbox>{t.verified}</Checkbox></Form.Item>
        <ReasonField />
      </Form>
    </Modal>
  );
}

export function PartIdentifierDialog({ identifier, customer, onClose }: { identifier: Identifier | null; customer: Customer; onClose: () => void }) {
  const t = useText(identifierTexts);
  const common = useText(words);
  const name = useIdentifierName();
  const changed = useChanged();
  const notice = useProblemNotice();
  const { message } = App.useApp();
  const [form] = Form.useForm<{ reason: string }>();
  const part = useMutation({
    mutationFn: ({ row, reason }: { row: number; reason: string }) =>
      api.delete('/customers/{one_id}/identifiers/{row}', { path: { one_id: customer.one_id, row }, query: { reason } }),
    onSuccess: (result) => {
      changed();
      void message.success(result.other === null ? t.partedNobody : t.parted(result.other.one_id));
      onClose();
    },
    onError: notice,
  });
  return (
    <Modal
      open={identifier !== null} onCancel={onClose} title={t.partTitle} okText={t.part} okButtonProps={{ danger: true }} cancelText={common.action.cancel} confirmLoading={part.isPending}
      onOk={() => void form.validateFields().then(({ reason }) => identifier !== null && part.mutate({ row: identifier.row, reason }), () => undefined)} destroyOnHidden
    >
      {identifier !== null && <p><span className="faint">{name(identifier.type)}</span> <span className="mono">{identifier.value}</span></p>}
      <ul className="soft" style={{ margin: '0 0 12px', paddingInlineStart: 20 }}>{t.partEffects.map((line) => <li key={line}>{line}</li>)}</ul>
      <Form form={form} layout="vertical" initialValues={{ reason: '' }} preserve={false}><ReasonField /></Form>
    </Modal>
  );
}

function ReasonField() {
  const t = useText(identifierTexts);
  return (
    <Form.Item name="reason" label={t.reason} extra={t.reasonHint} rules={[{ required: true, whitespace: true, message: t.reasonMissing }]}>
      <Input.TextArea rows={2} maxLength={500} showCount />
    </Form.Item>
  );
}
