/* SPDX-License-Identifier: Apache-2.0 */
/* ViewMenu: saved views of a page: open one, keep what is shown as one, change, share and delete one's own. */
import { DeleteOutlined, DownOutlined, SaveOutlined, StarFilled, StarOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Checkbox, Input, Modal, Popover, Tooltip } from 'antd';
import { useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { api } from '@/api/client';
import { queries } from '@/api/queries';
import { useClock } from '@/app/clock';
import { useText } from '@/app/preferences';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { useProblemNotice } from '@/ui/Controls';
import { Failure } from '@/ui/States';
import { newViewKey, openView, sortViews, viewQuery, type View } from './views';
import './views.css';

const texts = catalogue({
  zh: {
    views: '视图', none: '还没有保存的视图。把常用的筛选和列存下来，下次一点就到。', save: '把现在的样子存为视图…', saveTitle: '保存视图', update: '用现在的样子覆盖', name: '名称', nameHint: '例如：上海 近 90 天下过单', shared: '其他人也能看到（按各自的权限）',
    saved: '已保存', deleted: '已删除', remove: '删除视图', removeTitle: (name: string) => `删除视图「${name}」？`, removeText: '别人若在用这个视图，也会看不到它。', by: (who: string) => `${who} 分享`, sharedMark: '已分享', whole: '没有筛选的样子',
  },
  en: {
    views: 'Views', none: 'No views are saved yet. Keep filters and columns that you use often, and come back to them with one click.', save: 'Keep what is shown as a view…', saveTitle: 'Save a view', update: 'Replace it by what is shown', name: 'Name', nameHint: 'As: Shanghai, bought in the last 90 days', shared: 'Others see it too (each by her own rights)',
    saved: 'Saved', deleted: 'Deleted', remove: 'Delete the view', removeTitle: (name) => `Delete the view "${name}"?`, removeText: 'Others who use it will no longer find it.', by: (who) => `shared by ${who}`, sharedMark: 'shared', whole: 'Without filters',
  },
});

export function ViewMenu({ page }: { page: string }) {
  const t = useText(texts);
  const { search, pathname } = useLocation();
  const navigate = useNavigate();
  const list = useQuery(queries.views(page));
  const [isOpen, setOpen] = useState(false);
  const [isSaving, setSaving] = useState(false);
  const views = sortViews(list.data?.items ?? []);
  const current = openView(views, search);
  const { put, remove } = useChanges(page);
  const { modal } = App.useApp();
  const common = useText(words);
  const go = (view: View | null): void => {
    setOpen(false);
    void navigate(`${pathname}${view === null || view.query === '' ? '' : `?${view.query}`}`);
  };
  const ask = (view: View): void => {
    setOpen(false);
    modal.confirm({ title: t.removeTitle(view.name), content: view.shared ? t.removeText : undefined, okText: t.remove, okButtonProps: { danger: true }, cancelText: common.action.cancel, onOk: () => remove.mutateAsync(view.key).catch(() => undefined) });
  };
  return (
    <>
      <Popover
        trigger="click" placement="bottomLeft" open={isOpen} onOpenChange={setOpen}
        content={
          <div className="views" role="group" aria-label={t.views}>
            {list.isError && list.data === undefined && <Failure error={list.error} retry={() => void list.refetch()} />}
            {list.isSuccess && views.length === 0 && <p className="small faint">{t.none}</p>}
            {views.length > 0 && (
              <ul>
                <li><button type="button" className="view-open" aria-current={viewQuery(search) === '' ? 'true' : undefined} onClick={() => go(null)}><span className="cut">{t.whole}</span></button></li>
                {views.map((view) => (
                  <li key={`${view.owner} ${view.key}`}>
                    <button type="button" className="view-open" aria-current={current === view ? 'true' : undefined} onClick={() => go(view)}>
                      <span className="cut">{view.name}</span>
                      <span className="faint small nowrap">{view.own ? (view.shared ? t.sharedMark : '') : t.by(view.owner)}</span>
                    </button>
                    {view.own && <Tooltip title={t.remove}><Button type="text" size="small" icon={<DeleteOutlined />} aria-label={`${t.remove} ${view.name}`} onClick={() => ask(view)} /></Tooltip>}
                  </li>
                ))}
              </ul>
            )}
            <Button block icon={<SaveOutlined />} disabled={viewQuery(search) === ''} onClick={() => { setOpen(false); setSaving(true); }}>{t.save}</Button>
          </div>
        }
      >
        <Button icon={current === null ? <StarOutlined /> : <StarFilled style={{ color: 'var(--accent-ink)' }} />}><span className="cut" style={{ maxWidth: 160 }}>{current?.name ?? t.views}</span><DownOutlined style={{ fontSize: 10 }} /></Button>
      </Popover>
      {isSaving && <SaveDialog own={views.filter((one) => one.own)} onClose={() => setSaving(false)} isBusy={put.isPending} onSave={(view) => put.mutate({ ...view, query: viewQuery(search) }, { onSuccess: () => setSaving(false) })} />}
    </>
  );
}

interface Kept { key: string; name: string; shared: boolean }

function useChanges(page: string) {
  const t = useText(texts);
  const client = useQueryClient();
  const notice = useProblemNotice();
  const { message } = App.useApp();
  const done = (said: string): void => {
    void client.invalidateQueries({ queryKey: ['views', page] });
    void message.success(said);
  };
  const put = useMutation({
    mutationFn: ({ key, ...view }: Kept & { query: string }) => api.put('/views/{key}', { path: { key }, body: { page, ...view } }),
    onSuccess: () => done(t.saved), onError: notice,
  });
  const remove = useMutation({ mutationFn: (key: string) => api.delete('/views/{key}', { path: { key } }), onSuccess: () => done(t.deleted), onError: notice });
  return { put, remove };
}

/* A name that is one of hers already replaces that view. */
function SaveDialog({ own, onClose, onSave, isBusy }: { own: readonly View[]; onClose: () => void; onSave: (view: Kept) => void; isBusy: boolean }) {
  const t = useText(texts);
  const common = useText(words);
  const { nowMs } = useClock();
  const [name, setName] = useState('');
  const [shared, setShared] = useState(false);
  const same = own.find((one) => one.name === name.trim());
  const save = (): void => {
    if (name.trim() !== '') onSave({ key: same?.key ?? newViewKey(nowMs, Math.random), name: name.trim(), shared });
  };
  return (
    <Modal open title={t.saveTitle} okText={same === undefined ? common.action.save : t.update} cancelText={common.action.cancel} okButtonProps={{ disabled: name.trim() === '' }} confirmLoading={isBusy} onOk={save} onCancel={onClose}>
      <div className="stack" style={{ gap: 12 }}>
        <label className="stack" style={{ gap: 4 }}>{t.name}<Input autoFocus value={name} maxLength={60} placeholder={t.nameHint} onChange={(event) => setName(event.target.value)} onPressEnter={save} /></label>
        <Checkbox checked={shared} onChange={(event) => setShared(event.target.checked)}>{t.shared}</Checkbox>
      </div>
    </Modal>
  );
}
