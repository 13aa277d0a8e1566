/* SPDX-License-Identifier: Apache-2.0 */
/* StopPanel: the red button, and what is stopped at the moment. */
import { StopOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Input, Modal, Tooltip } from 'antd';
import { useState } from 'react';
import { api } from '@/api/client';
import { useText } from '@/app/preferences';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Time } from '@/ui/Marks';
import { type Stop, touchQueries } from './model';
import { touchTexts } from './texts';

function useStop(done: (said: string) => void) {
  const t = useText(touchTexts);
  const client = useQueryClient();
  const notice = useProblemNotice();
  return useMutation({
    mutationFn: (what: { scope: Stop['scope']; value?: string; why?: string; active: boolean }) => api.post('/stop', { body: what }),
    onSuccess: (_, what) => {
      void client.invalidateQueries({ queryKey: ['touches'] });
      done(what.active ? t.stopDone : t.goDone);
    },
    onError: notice,
  });
}

export function StopButton({ isSmall = false }: { isSmall?: boolean }) {
  const t = useText(touchTexts);
  const common = useText(words);
  const noRole = useRightReason('stop.change');
  const stops = useQuery(touchQueries.stops());
  const { message } = App.useApp();
  const [isAsking, setAsking] = useState(false);
  const [why, setWhy] = useState('');
  const stop = useStop((said) => {
    setAsking(false);
    setWhy('');
    void message.success(said);
  });
  if (stops.data?.some((one) => one.scope === 'all') ?? true) return null;
  return (
    <>
      {isSmall
        ? <Tooltip title={t.stopTitle}><Button danger type="text" icon={<StopOutlined />} aria-label={t.stop} onClick={() => setAsking(true)}><span className="wide-only">{t.stop}</span></Button></Tooltip>
        : <ActionButton danger type="primary" icon={<StopOutlined />} reason={noRole} onClick={() => setAsking(true)}>{t.stop}</ActionButton>}
      <Modal
        open={isAsking} title={t.stopTitle} okText={t.stop} okButtonProps={{ danger: true }} cancelText={common.action.cancel} confirmLoading={stop.isPending}
        onCancel={() => setAsking(false)} onOk={() => stop.mutate({ scope: 'all', why, active: true })}
      >
        <p>{t.stopText}</p>
        <Input value={why} onChange={(event) => setWhy(event.target.value)} placeholder={t.stopWhy} aria-label={t.stopWhy} maxLength={200} />
      </Modal>
    </>
  );
}

export function StopNotice() {
  const t = useText(touchTexts);
  const noRole = useRightReason('stop.change');
  const stops = useQuery(touchQueries.stops());
  const { message } = App.useApp();
  const stop = useStop((said) => void message.success(said));
  const items = stops.data ?? [];
  if (items.length === 0) return null;
  return (
    <div className="notice bad" role="alert">
      <div className="stack" style={{ gap: 6, width: '100%' }}>
        <strong>{items.some((one) => one.scope === 'all') ? t.stoppedSince : t.stoppedPart}</strong>
        {items.map((one) => (
          <div className="row wrap" key={`${one.scope} ${one.value}`}>
            <span>{t.scopes[one.scope]} {one.value}</span>
            <span className="soft"><Time at={one.since} /></span>
            {one.why !== '' && <span className="soft">{one.why}</span>}
            <ActionButton size="small" reason={noRole} loading={stop.isPending} onClick={() => stop.mutate({ scope: one.scope, value: one.value, active: false })}>{t.go}</ActionButton>
          </div>
        ))}
      </div>
    </div>
  );
}
