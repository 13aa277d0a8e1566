/* SPDX-License-Identifier: Apache-2.0 */
/* KeptNotice: above a form: that a draft is shown, or that somebody else has saved in the meantime, with both ways out. */
import { Button } from 'antd';
import { useText } from '@/app/preferences';
import { catalogue } from '@/lib/text';
import type { Kept } from './useKept';

const texts = catalogue({
  zh: { draft: '这是你上次没保存的修改。', discard: '放弃修改', newer: '你修改的时候，别人保存了新的内容。', theirs: '用别人的，放弃我的', mine: '保留我的，覆盖保存' },
  en: { draft: 'These are changes that you did not save last time.', discard: 'Discard them', newer: 'Somebody else has saved while you were editing.', theirs: 'Take theirs, discard mine', mine: 'Keep mine, to save over theirs' },
});

export function KeptNotice({ kept }: { kept: Pick<Kept<object>, 'isOutdated' | 'isDraft' | 'discard' | 'takeNewer'> }) {
  const t = useText(texts);
  if (kept.isOutdated) {
    return (
      <div className="notice warn" role="alert">
        <span className="grow">{t.newer}</span>
        <Button size="small" onClick={kept.discard}>{t.theirs}</Button><Button size="small" onClick={kept.takeNewer}>{t.mine}</Button>
      </div>
    );
  }
  if (!kept.isDraft) return null;
  return <div className="notice" role="status"><span className="grow">{t.draft}</span><Button size="small" onClick={kept.discard}>{t.discard}</Button></div>;
}
