/* SPDX-License-Identifier: Apache-2.0 */
/* MergeDialog: join another customer by hand: find, make sure, join. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Input, Modal, Radio } from 'antd';
import { useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useDebounced } from '@/lib/hooks';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice } from '@/ui/Controls';
import { Avatar, IdentifierMark } from '@/ui/Marks';
import { Bones } from '@/ui/States';
import { customerTexts } from './texts';

export function MergeDialog({ open, customer, onClose }: { open: boolean; customer: Schemas['Customer']; onClose: () => void }) {
  const t = useText(customerTexts);
  const common = useText(words);
  const [query, setQuery] = useState('');
  const [other, setOther] = useState<string | null>(null);
  const asked = useDebounced(query.trim(), 250);
  const client = useQueryClient();
  const navigate = useNavigate();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const found = useQuery({ ...queries.customers({ query: asked, identifierType: '', cursor: '', limit: 8 }), enabled: open && asked.length >= 2 });
  useEffect(() => {
    if (!open) {
      setQuery('');
      setOther(null);
    }
  }, [open]);
  const merge = useMutation({
    mutationFn: (one: string) => api.post('/customers/{one_id}/merge', { path: { one_id: customer.one_id }, body: { other: one } }),
    onSuccess: (result) => {
      void client.invalidateQueries({ queryKey: ['customers'] });
      void client.invalidateQueries({ queryKey: ['identity'] });
      void message.success(t.mergeDialog.done);
      onClose();
      void navigate(`/customers/${result.one_id}/merges`);
    },
    onError: notice,
  });
  return (
    <Modal
      open={open} onCancel={onClose} title={t.mergeDialog.title} destroyOnHidden width={560}
      footer={[
        <ActionButton key="cancel" onClick={onClose}>{common.action.cancel}</ActionButton>,
        <ActionButton key="merge" type="primary" loading={merge.isPending} reason={other === null ? t.mergeDialog.notChosen : null} onClick={() => other !== null && merge.mutate(other)}>{t.mergeDialog.confirm}</ActionButton>,
      ]}
    >
      <p className="soft" style={{ marginBottom: 12 }}>{t.mergeDialog.hint}</p>
      <Input.Search value={query} onChange={(event) => { setQuery(event.target.value); setOther(null); }} placeholder={t.mergeDialog.search} aria-label={t.mergeDialog.search} allowClear autoFocus loading={found.isFetching} />
      <Radio.Group value={other} onChange={(event) => setOther(event.target.value as string)} style={{ display: 'block', marginTop: 8, minHeight: 120 }}>
        {asked.length >= 2 && found.isPending && <Bones rows={3} inset={0} />}
        {found.data?.items.length === 0 && <p className="faint" style={{ padding: '16px 0' }}>{t.mergeDialog.none}</p>}
        {found.data?.items.map((one) => {
          const isSelf = one.one_id === customer.one_id;
          return (
            <Radio key={one.one_id} value={one.one_id} disabled={isSelf} style={{ display: 'flex', padding: '8px 0' }}>
              <span className="row" style={{ gap: 10 }}>
                <Avatar name={one.name} seed={one.one_id} size={28} />
                <span>
                  <span>{one.name === '' ? t.unnamed : one.name} <span className="mono faint">{one.one_id}</span>{isSelf && <span className="faint"> · {t.mergeDialog.self}</span>}</span>
                  <span className="row wrap" style={{ gap: 4, marginTop: 2 }}>{one.identifiers.map((identifier) => <IdentifierMark key={`${identifier.type} ${identifier.value}`} {...identifier} />)}</span>
                </span>
              </span>
            </Radio>
          );
        })}
      </Radio.Group>
      {other !== null && <div className="notice">{t.mergeDialog.effects}</div>}
    </Modal>
  );
}
