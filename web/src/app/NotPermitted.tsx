/* SPDX-License-Identifier: Apache-2.0 */
/* NotPermitted: what stands where a page is that is not for this person: which right is missing, and where she can go instead. Who may not
 * see the first page is led to the first that she may. */
import { Button } from 'antd';
import { Link, Navigate } from 'react-router';
import { permissionTexts, rightWord } from '@/lib/permissions';
import { catalogue } from '@/lib/text';
import { Page, Panel } from '@/ui/Page';
import { Empty } from '@/ui/States';
import { pages, pageTexts } from './pages';
import { useText } from './preferences';
import { refusalOf, type Refusal } from './rights';
import { useSession } from './session';

const texts = catalogue({
  zh: { title: '没有权限', right: (right: string) => `这一页需要「${right}」的权限，你的角色里没有。请管理员在「设置 › 角色」里加上，下一次请求就生效。`, part: '这一页看的是整个品牌的数据，不能只切出你们团队的部分，所以只给不属于任何团队的人看。', go: (page: string) => `去「${page}」` },
  en: { title: 'Not permitted', right: (right) => `This page needs the right to ${right}, which your roles do not have. An administrator can add it under Settings › Roles; it counts from the next request on.`, part: 'This page is about the whole house and cannot be cut to what your team sees; it is for people who are in no team.', go: (page) => `Go to ${page}` },
});

export function NotPermitted({ refusal, isFirst }: { refusal: NonNullable<Refusal>; isFirst: boolean }) {
  const t = useText(texts);
  const rights = useText(permissionTexts);
  const names = useText(pageTexts).page;
  const { user } = useSession();
  const open = pages.find((page) => page.hidden !== true && refusalOf(page.path, user) === null) ?? pages.find((page) => page.key === 'preferences');
  if (isFirst && open !== undefined) return <Navigate to={open.path} replace />;
  return (
    <Page title={t.title}>
      <Panel>
        <Empty title={t.title} action={open === undefined ? undefined : <Link to={open.path}><Button>{t.go(names[open.key])}</Button></Link>}>{refusal.why === 'part' ? t.part : t.right(rightWord(refusal.right, rights))}</Empty>
      </Panel>
    </Page>
  );
}
