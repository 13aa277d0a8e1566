/* SPDX-License-Identifier: Apache-2.0 */
/* DeleteDialog: says how many are in it, refuses while others use it and lists them, and asks for the key. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Input, Modal } from 'antd';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { api } from '@/api/client';
import type { AudienceKind } from '@/api/queries';
import { useText } from '@/app/preferences';
import { exactCount } from '@/lib/format';
import { words } from '@/lib/words';
import { useProblemNotice } from '@/ui/Controls';
import { nameOf, type Definition } from './audience';
import { UsageList } from './Marks';
import { audienceTexts } from './texts';

export function DeleteDialog({ kind, definition, open, onClose }: { kind: AudienceKind; definition: Definition; open: boolean; onClose: () => void }) {
  const t = useText(audienceTexts);
  const common = useText(words);
  const client = useQueryClient();
  const navigate = useNavigate();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const [typed, setTyped] = useState('');
  const isUsed = definition.used_by.length > 0;
  const remove = useMutation({
    mutationFn: () => {
      const options = { path: { key: definition.key } };
      return kind === 'segments' ? api.delete('/segments/{key}', options) : api.delete('/tags/{key}', options);
    },
    onSuccess: () => {
      void message.success(t.removed);
      void navigate(`/${kind}`);
      client.removeQueries({ queryKey: [kind, 'one', definition.key] });
      void client.invalidateQueries({ queryKey: [kind, 'list'] });
    },
    onError: (error) => {
      void client.invalidateQueries({ queryKey: [kind] });
      notice(error);
    },
  });
  return (
    <Modal
      open={open} title={isUsed ? t.removeBlocked : t.removeTitle(nameOf(definition))} onCancel={onClose} cancelText={isUsed ? common.action.close : common.action.cancel} okText={t.remove} destroyOnHidden
      okButtonProps={{ danger: true, disabled: typed !== definition.key, style: isUsed ? { display: 'none' } : undefined }} confirmLoading={remove.isPending} onOk={() => remove.mutate()}
    >
      {isUsed ? (
        <div className="stack" style={{ gap: 8 }}><p>{t.usedByHint}</p><UsageList usedBy={definition.used_by} /></div>
      ) : (
        <div className="stack" style={{ gap: 12 }}>
          <p>{t.removeText(exactCount(definition.count))}</p>
          <label className="field"><span>{t.removeWord(definition.key)}</span><Input className="mono" value={typed} onChange={(event) => setTyped(event.target.value)} onPressEnter={() => typed === definition.key && remove.mutate()} /></label>
        </div>
      )}
    </Modal>
  );
}
