/* SPDX-License-Identifier: Apache-2.0 */
/* Merges: which customers became this one, by what evidence; each can be taken back. */
import { MergeOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Modal } from 'antd';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useClock } from '@/app/clock';
import { useLanguage, useText } from '@/app/preferences';
import { dateTime } from '@/lib/format';
import { wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { IdentifierMark, OneId, Time } from '@/ui/Marks';
import { Bones, Empty, Loaded } from '@/ui/States';
import { identityWords } from '../identity/words';
import { customerTexts } from './texts';

type Merge = Schemas['Merge'];

export function Merges({ oneId, onJoin }: { oneId: string; onJoin: () => void }) {
  const texts = useText(customerTexts);
  const t = texts.merges;
  const noRole = useRightReason('customer.change');
  const merges = useQuery(queries.merges(oneId));
  const join = <ActionButton size="small" icon={<MergeOutlined />} reason={noRole} onClick={onJoin}>{texts.merge}</ActionButton>;
  return (
    <Loaded query={merges} skeleton={<Bones rows={4} inset={0} />} isEmpty={(data) => data.items.length === 0} empty={<Empty title={t.emptyTitle} action={join}>{t.empty}</Empty>}>
      {(data) => (
        <>
          <div className="row between" style={{ marginBottom: 12 }}><span className="small faint">{t.purpose}</span>{join}</div>
          <MergeItems items={data.items} oneId={oneId} />
        </>
      )}
    </Loaded>
  );
}

export function MergeItems({ items, oneId }: { items: readonly Merge[]; oneId?: string }) {
  const t = useText(customerTexts).merges;
  const identity = useText(identityWords);
  const language = useLanguage();
  const { zone } = useClock();
  const noSplit = useRightReason('customer.change');
  const [asked, setAsked] = useState<Merge | null>(null);
  return (
    <>
      <ol className="merges">
        {items.map((merge) => (
          <li key={merge.id} className={merge.undone_at === null ? '' : 'undone'}>
            <div className="row between">
              <span className="row wrap" style={{ gap: 6 }}>
                <span className="faint small">{t.kept}</span><OneId id={merge.survivor} copy={false} />
                <span className="faint" aria-hidden="true">←</span>
                <span className="faint small">{t.absorbed}</span><OneId id={merge.absorbed} copy={false} />
              </span>
              {merge.undone_at === null && oneId !== undefined && (
                <ActionButton size="small" danger reason={noSplit} onClick={() => setAsked(merge)}>{t.split}</ActionButton>
              )}
            </div>
            <p className="soft">{wordFor(identity.merge, merge.cause)}</p>
            <div className="row wrap" style={{ gap: 6 }}>
              {merge.identifier !== null && <IdentifierMark {...merge.identifier} />}
              {merge.identifier !== null && merge.with !== null && <span className="faint">+</span>}
              {merge.with !== null && <IdentifierMark {...merge.with} />}
            </div>
            <p className="small faint">
              <Time at={merge.at} exact />{merge.source !== '' && <> · {t.source} {merge.source}</>}
              {merge.undone_at !== null && <> · {t.undone(merge.undone_by ?? '', dateTime(merge.undone_at, language, zone))}</>}
            </p>
          </li>
        ))}
      </ol>
      {oneId !== undefined && <SplitDialog merge={asked} oneId={oneId} onClose={() => setAsked(null)} />}
    </>
  );
}

function SplitDialog({ merge, oneId, onClose }: { merge: Merge | null; oneId: string; onClose: () => void }) {
  const t = useText(customerTexts).merges;
  const common = useText(words);
  const navigate = useNavigate(); /* notices are drawn outside of the router: no Link in them */
  const client = useQueryClient();
  const { notification } = App.useApp();
  const notice = useProblemNotice();
  const split = useMutation({
    mutationFn: (merge_id: number) => api.post('/customers/{one_id}/split', { path: { one_id: oneId }, body: { merge_id } }),
    onSuccess: (result) => {
      void client.invalidateQueries({ queryKey: ['customers'] });
      void client.invalidateQueries({ queryKey: ['identity'] });
      void client.invalidateQueries({ queryKey: ['overview'] });
      notification.success({
        title: t.done, placement: 'bottomRight',
        description: (
          <span className="stack" style={{ gap: 4 }}>
            {[result.customer.one_id, result.other.one_id].map((id) => (
              <button key={id} type="button" className="link-button mono" onClick={() => void navigate(`/customers/${id}`)}>{id}</button>
            ))}
          </span>
        ),
      });
      onClose();
    },
    onError: notice,
  });
  return (
    <Modal
      open={merge !== null} title={t.confirmTitle} onCancel={onClose} destroyOnHidden
      footer={[
        <Button key="cancel" onClick={onClose} autoFocus>{common.action.cancel}</Button>,
        <Button key="split" type="primary" danger loading={split.isPending} onClick={() => merge !== null && split.mutate(merge.id)}>{t.confirmButton}</Button>,
      ]}
    >
      {merge !== null && (
        <>
          <p style={{ marginBottom: 8 }}>{t.confirm(merge.survivor, merge.absorbed)}</p>
          <ul className="effects">{t.effects.map((effect) => <li key={effect}>{effect}</li>)}</ul>
        </>
      )}
    </Modal>
  );
}
