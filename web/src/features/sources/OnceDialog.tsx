/* SPDX-License-Identifier: Apache-2.0 */
/* OnceDialog: a secret that is shown this once. Closes by its button alone, not by a stray click. */
import { Button, Modal } from 'antd';
import { useText } from '@/app/preferences';
import { CopyButton } from '@/ui/Controls';
import { sourceTexts } from './texts';

export function OnceDialog({ secret, title, text, onClose }: { secret: string | null; title: string; text: string; onClose: () => void }) {
  const t = useText(sourceTexts).keyOnce;
  return (
    <Modal open={secret !== null} title={title} closable={false} mask={{ closable: false }} keyboard={false} footer={<Button type="primary" onClick={onClose}>{t.saved}</Button>} destroyOnHidden>
      <p className="soft" style={{ marginBottom: 12 }}>{text}</p>
      <div className="row"><code className="mono secret">{secret}</code><CopyButton text={secret ?? ''} size="middle" /></div>
    </Modal>
  );
}
