/* SPDX-License-Identifier: Apache-2.0 */
/* PageFailure: a page that could not be loaded or drawn, and an address that leads nowhere. */
import { Button } from 'antd';
import { Link, useLocation, useRouteError } from 'react-router';
import { catalogue } from '@/lib/text';
import { Empty } from '@/ui/States';
import { useText } from './preferences';

const texts = catalogue({
  zh: {
    broken: '这个页面没能打开',
    brokenHint: '控制台可能刚升级过。刷新后仍不行，请把下面这行信息发给管理员。',
    reload: '刷新页面',
    nowhere: '没有这个页面',
    nowhereHint: (path: string) => `地址 ${path} 不对应任何页面，可能是链接过期了。`,
    home: '回到今日',
  },
  en: {
    broken: 'This page did not open',
    brokenHint: 'The console may just have been upgraded. If reloading does not help, give the line below to an administrator.',
    reload: 'Reload the page',
    nowhere: 'There is no such page',
    nowhereHint: (path) => `The address ${path} leads to no page; the link may be an old one.`,
    home: 'Back to Today',
  },
});

export function PageFailure() {
  const t = useText(texts);
  const error = useRouteError();
  return (
    <Empty title={t.broken} action={<Button onClick={() => location.reload()}>{t.reload}</Button>}>
      {t.brokenHint}
      <br />
      <span className="mono faint">{error instanceof Error ? error.message : String(error)}</span>
    </Empty>
  );
}

export function NoSuchPage() {
  const t = useText(texts);
  const { pathname } = useLocation();
  return (
    <Empty title={t.nowhere} action={<Link to="/"><Button type="primary">{t.home}</Button></Link>}>
      {t.nowhereHint(pathname)}
    </Empty>
  );
}
