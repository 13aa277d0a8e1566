/* SPDX-License-Identifier: Apache-2.0 */
/* Frame: navigation on the left, the bar above, the page between. On a phone the navigation is a drawer. */
import {
  BulbFilled, BulbOutlined, LogoutOutlined, MenuFoldOutlined, MenuOutlined, MenuUnfoldOutlined, RightOutlined, SearchOutlined, TranslationOutlined,
} from '@ant-design/icons';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Button, Drawer, Dropdown, Tooltip } from 'antd';
import { useEffect, useRef, useState } from 'react';
import { Link, NavLink, Outlet, useLocation } from 'react-router';
import { api } from '@/api/client';
import { queries } from '@/api/queries';
import { perSecond, shortCount } from '@/lib/format';
import { startTour } from '@/help/tour';
import { Tour } from '@/help/Tour';
import { catalogue } from '@/lib/text';
import { useRoleNames } from '@/features/settings/roles';
import { JobsTray } from '@/features/jobs/JobsTray';
import { StopButton } from '@/features/touches/StopPanel';
import { useProblemNotice } from '@/ui/Controls';
import { Avatar } from '@/ui/Marks';
import { Attention } from './Attention';
import { groups, pages, pageTexts, type GroupKey, type PageEntry } from './pages';
import { keep, kept, usePreferences, useText } from './preferences';
import { NotPermitted } from './NotPermitted';
import { refusalOf } from './rights';
import { SearchPalette } from './SearchPalette';
import { useMay, useSession } from './session';

const texts = catalogue({
  zh: {
    skip: '跳到正文',
    navigation: '主导航',
    home: '熟客',
    search: '搜索客户、人群、旅程、页面',
    fold: '收起导航',
    unfold: '展开导航',
    menu: '打开导航',
    language: 'Switch to English',
    dark: '切换到深色',
    light: '切换到浅色',
    person: (name: string) => `${name}，账户菜单`,
    signOut: '退出登录',
    tour: '新手导览',
    rate: (rate: string) => `${rate} 条/秒`,
    rateHint: '最近十秒平均每秒收到的事件',
    failing: '服务器有异常',
  },
  en: {
    skip: 'Skip to the page',
    navigation: 'Main navigation',
    home: '熟客',
    search: 'Search customers, journeys, pages',
    fold: 'Fold the navigation',
    unfold: 'Unfold the navigation',
    menu: 'Open the navigation',
    language: '切换到中文',
    dark: 'Switch to dark',
    light: 'Switch to light',
    person: (name) => `${name}, account menu`,
    signOut: 'Sign out',
    tour: 'Tour',
    rate: (rate) => `${rate} events/s`,
    rateHint: 'Events received per second, average of the last ten seconds',
    failing: 'The server is not well',
  },
});

function Mark() {
  return (
    <svg width="24" height="24" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#0E7C66" />
      <path d="M9.5 7v18M9.5 17.5 20 8.500M14 14.500l8 10" stroke="#fff" strokeWidth="3" strokeLinecap="round" fill="none" />
      <circle cx="22" cy="7.6" r="2.6" fill="#9BE0CE" />
    </svg>
  );
}

function useOpenWork(): Record<NonNullable<PageEntry['count']>, number> {
  const overview = useQuery({ ...queries.overview(), enabled: useMay('system.see') });
  return { refusals: overview.data?.refusals_open ?? 0, quarantined: overview.data?.quarantined ?? 0 };
}

const foldedKey = 'kith.nav.folded';
const foldedAtFirst: readonly GroupKey[] = ['data', 'settings'];

/* Groups that are folded, kept in the browser; the one with the open page is never. */
function useFoldedGroups(): [ReadonlySet<GroupKey>, (group: GroupKey) => void] {
  const [closed, setClosed] = useState<ReadonlySet<GroupKey>>(() => {
    const known = kept(foldedKey);
    return new Set(known === null ? foldedAtFirst : groups.filter((group) => known.split(',').includes(group)));
  });
  const toggle = (group: GroupKey): void => {
    const next = new Set(closed);
    if (!next.delete(group)) next.add(group);
    keep(foldedKey, [...next].join(','));
    setClosed(next);
  };
  return [closed, toggle];
}

function Navigation({ folded, onGo }: { folded: boolean; onGo?: () => void }) {
  const t = useText(pageTexts);
  const { language } = usePreferences();
  const { pathname } = useLocation();
  const [closed, toggle] = useFoldedGroups();
  const place = useRef<HTMLDivElement>(null);
  /* the open page is never out of sight */
  useEffect(() => {
    place.current?.querySelector('.nav-link.active')?.scrollIntoView({ block: 'nearest' });
  }, [pathname, folded]);
  const open = useOpenWork();
  const { user } = useSession();
  /* what is not permitted is not shown; a group without pages neither */
  const shown = groups.map((group) => ({ group, pages: pages.filter((page) => page.group === group && page.hidden !== true && refusalOf(page.path, user) === null) })).filter((one) => one.pages.length > 0);
  return (
    <div ref={place}>
      {shown.map(({ group, pages: inGroup }) => {
        const isHere = inGroup.some((page) => (page.path === '/' ? pathname === '/' : pathname === page.path || pathname.startsWith(`${page.path}/`)));
        const isOpen = folded || isHere || t.group[group] === '' || !closed.has(group);
        const waiting = isOpen ? 0 : inGroup.reduce((sum, page) => sum + (page.count === undefined ? 0 : open[page.count]), 0);
        return (
          <div className="nav-group" key={group} style={group === 'today' ? { marginTop: 4 } : undefined}>
            {t.group[group] !== '' && (
              <h2>
                {folded ? t.group[group] : (
                  <button type="button" className="nav-fold" data-group={group} aria-expanded={isOpen} onClick={() => toggle(group)}>
                    {t.group[group]}{waiting > 0 && <span className="nav-count">{shortCount(waiting, language)}</span>}<RightOutlined aria-hidden="true" />
                  </button>
                )}
              </h2>
            )}
            {isOpen && inGroup.map((page) => {
              const count = page.count === undefined ? 0 : open[page.count];
              const link = (
                <NavLink key={page.key} to={page.path} end={page.path === '/'} className="nav-link" onClick={onGo} aria-label={folded ? t.page[page.key] : undefined}>
                  <span className="nav-icon" aria-hidden="true">{page.icon}</span>
                  <span className="nav-label">{t.page[page.key]}</span>
                  {count > 0 && <span className="nav-count">{shortCount(count, language)}</span>}
                </NavLink>
              );
              return folded ? <Tooltip key={page.key} title={t.page[page.key]} placement="right">{link}</Tooltip> : link;
            })}
          </div>
        );
      })}
    </div>
  );
}

function Pulse() {
  const t = useText(texts);
  const isShown = useMay('system.see');
  const overview = useQuery({ ...queries.overview(), enabled: isShown });
  const system = useQuery({ ...queries.system(), enabled: isShown });
  if (overview.data === undefined) return null;
  const rate = overview.data.events_per_second;
  const failing = (system.data?.failing ?? '') !== '';
  return (
    <Tooltip title={failing ? `${t.failing}: ${system.data?.failing ?? ''}` : t.rateHint}>
      <Link to={failing ? '/settings/system' : '/data/live'} className={`pulse ${failing ? 'failing' : rate === 0 ? 'quiet' : ''}`} aria-label={failing ? t.failing : t.rate(perSecond(rate))}>
        <i aria-hidden="true" />
        <span className="long">{failing ? t.failing : t.rate(perSecond(rate))}</span>
      </Link>
    </Tooltip>
  );
}

/* The red button, for those who may press it: wherever one is, sending is stopped with two clicks. */
function RedStop() {
  const { user } = useSession();
  const may = useMay('stop.change');
  return may && user.team === null ? <StopButton isSmall /> : null;
}

function PersonMenu() {
  const { user } = useSession();
  const t = useText(texts);
  const roles = useRoleNames(user.roles);
  const page = useText(pageTexts).page;
  const client = useQueryClient();
  const notice = useProblemNotice();
  const signOut = async (): Promise<void> => {
    try {
      await api.delete('/session');
      client.clear();
      location.assign('/');
    } catch (error) {
      notice(error);
    }
  };
  const name = user.name === '' ? user.login : user.name;
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: [
          { key: 'who', disabled: true, label: <span>{name}{roles !== '' && <span className="faint"> · {roles}</span>}</span> },
          { type: 'divider' },
          { key: 'preferences', label: <Link to="/settings/preferences">{page.preferences}</Link> },
          { key: 'glossary', label: <Link to="/help/glossary">{page.glossary}</Link> },
          { key: 'tour', label: t.tour, onClick: startTour },
          { type: 'divider' },
          { key: 'out', icon: <LogoutOutlined />, label: t.signOut, onClick: () => void signOut() },
        ],
      }}
    >
      <button type="button" data-tour="person" aria-label={t.person(name)} style={{ border: 0, background: 'none', padding: 2, cursor: 'pointer', borderRadius: '50%', display: 'grid' }}>
        <Avatar name={name} seed={user.login} size={28} />
      </button>
    </Dropdown>
  );
}

export function Frame() {
  const t = useText(texts);
  const { language, setLanguage, scheme, setTheme, folded, setFolded } = usePreferences();
  const [drawer, setDrawer] = useState(false);
  const [palette, setPalette] = useState(false);
  const { pathname, key } = useLocation();
  const { user } = useSession();
  const refusal = refusalOf(pathname, user);
  const mayJobs = useMay('export.see');

  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        setPalette((open) => !open);
      }
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
  useEffect(() => {
    window.scrollTo(0, 0);
  }, [pathname]);

  return (
    <div className={`frame ${folded ? 'folded' : ''}`}>
      <a className="skip" href="#page">{t.skip}</a>
      <nav className="nav" aria-label={t.navigation}>
        <Link to="/" className="brand" aria-label="Kith 熟客"><Mark />{!folded && <>Kith <small>{t.home}</small></>}</Link>
        <Navigation folded={folded} />
        <div className="nav-foot">
          <Tooltip title={folded ? t.unfold : ''} placement="right">
            <Button
              type="text" block aria-label={folded ? t.unfold : t.fold} icon={folded ? <MenuUnfoldOutlined /> : <MenuFoldOutlined />}
              onClick={() => setFolded(!folded)} style={{ justifyContent: folded ? 'center' : 'flex-start', color: 'var(--ink-faint)' }}
            />
          </Tooltip>
        </div>
      </nav>
      <div style={{ minWidth: 0 }}>
        <header className="topbar">
          <Button className="top-menu" type="text" aria-label={t.menu} icon={<MenuOutlined />} onClick={() => setDrawer(true)} />
          <button type="button" className="top-search" onClick={() => setPalette(true)}>
            <SearchOutlined /><span className="cut">{t.search}</span><kbd>Ctrl K</kbd>
          </button>
          <span className="grow" />
          <Pulse />
          <RedStop />
          {mayJobs && <JobsTray />}
          <span data-tour="attention" className="row"><Attention /></span>
          <Tooltip title={t.language}>
            <Button className="wide-only" type="text" icon={<TranslationOutlined />} aria-label={t.language} onClick={() => setLanguage(language === 'zh' ? 'en' : 'zh')} />
          </Tooltip>
          <Tooltip title={scheme === 'dark' ? t.light : t.dark}>
            <Button
              className="wide-only" type="text" icon={scheme === 'dark' ? <BulbFilled /> : <BulbOutlined />} aria-label={scheme === 'dark' ? t.light : t.dark}
              onClick={() => setTheme(scheme === 'dark' ? 'light' : 'dark')}
            />
          </Tooltip>
          <PersonMenu />
        </header>
        <main id="page" className="content" data-visit={key} tabIndex={-1} style={{ outline: 'none' }}>
          {refusal === null ? <Outlet /> : <NotPermitted refusal={refusal} isFirst={pathname === '/'} />}
        </main>
      </div>
      <Drawer placement="left" open={drawer} onClose={() => setDrawer(false)} size={264} title={<span className="row"><Mark />Kith 熟客</span>} styles={{ body: { padding: '4px 10px' } }}>
        <nav aria-label={t.navigation}><Navigation folded={false} onGo={() => setDrawer(false)} /></nav>
      </Drawer>
      <SearchPalette open={palette} onClose={() => setPalette(false)} />
      <Tour />
    </div>
  );
}
