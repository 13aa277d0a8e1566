/* SPDX-License-Identifier: Apache-2.0 */
/* SearchPalette (Ctrl-K): finds customers, segments, tags, journeys, templates, pages and actions, from the keyboard alone. What is found here
 * is what the server lets this person see. */
import { ApartmentOutlined, ArrowRightOutlined, FileTextOutlined, FilterOutlined, PlusOutlined, SearchOutlined, TagsOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Modal } from 'antd';
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { queries } from '@/api/queries';
import { journeyHeads, templateHeads } from '@/features/journeys/heads';
import { useDebounced } from '@/lib/hooks';
import { may } from '@/lib/permissions';
import { catalogue } from '@/lib/text';
import { Avatar, useIdentifierName } from '@/ui/Marks';
import { pages, pageTexts } from './pages';
import { usePreferences, useText } from './preferences';
import { refusalOf } from './rights';
import { useMay, useSession } from './session';

const texts = catalogue({
  zh: {
    title: '搜索',
    placeholder: '手机号、尾号四位、姓名、OneID，或人群、标签、旅程、页面的名字',
    customers: '客户',
    things: '人群、标签、旅程、模板',
    kind: { segment: '人群', tag: '标签', journey: '旅程', template: '模板' },
    newSegment: '新建人群', newTag: '新建标签', newJourney: '新建旅程', newTemplate: '新建模板', newSource: '新建数据源', importFile: '导入文件',
    pages: '页面',
    actions: '操作',
    language: 'Switch to English',
    dark: '切换深色 / 浅色',
    all: (query: string) => `在全部客户中搜索「${query}」`,
    searching: '正在找…',
    nothing: '没有找到。可以换一个标识，或只输入手机号后四位。',
    keys: '↑ ↓ 选择 · Enter 打开 · Esc 关闭',
    unnamed: '未具名客户',
  },
  en: {
    title: 'Search',
    placeholder: 'Phone, its last four digits, name, OneID; or a segment, tag, journey, page',
    customers: 'Customers',
    things: 'Segments, tags, journeys, templates',
    kind: { segment: 'Segment', tag: 'Tag', journey: 'Journey', template: 'Template' },
    newSegment: 'New segment', newTag: 'New tag', newJourney: 'New journey', newTemplate: 'New template', newSource: 'New source', importFile: 'Import a file',
    pages: 'Pages',
    actions: 'Actions',
    language: '切换到中文',
    dark: 'Switch dark / light',
    all: (query) => `Search all customers for "${query}"`,
    searching: 'Searching…',
    nothing: 'Nothing found. Try another identifier, or just the last four digits of the phone.',
    keys: '↑ ↓ choose · Enter open · Esc close',
    unnamed: 'Unnamed customer',
  },
});

interface Entry {
  key: string;
  group: 'customers' | 'things' | 'pages' | 'actions';
  icon: ReactNode;
  text: string;
  note?: string;
  run: () => void;
}

export function SearchPalette({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useText(texts);
  return (
    <Modal open={open} onCancel={onClose} footer={null} closable={false} width={620} destroyOnHidden style={{ top: 88 }} styles={{ container: { padding: 0 } }} title={<span className="hidden-text">{t.title}</span>}>
      <Palette onClose={onClose} />
    </Modal>
  );
}

function Palette({ onClose }: { onClose: () => void }) {
  const t = useText(texts);
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState(0);
  const { entries, searching } = useEntries(query.trim(), onClose);
  const list = useId();
  const input = useRef<HTMLInputElement>(null);
  /* at once, so that no letter is lost, and again when the dialog has taken the focus for itself */
  useEffect(() => {
    input.current?.focus();
    const timer = setTimeout(() => input.current?.focus(), 30);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => setChosen(0), [query]);

  const pressed = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setChosen((at) => (entries.length === 0 ? 0 : (at + step + entries.length) % entries.length));
    }
    if (event.key === 'Enter' && !event.nativeEvent.isComposing) entries[chosen]?.run();
  };

  return (
    <div className="palette">
      <label className="palette-input">
        <SearchOutlined />
        <input
          ref={input} value={query} onChange={(event) => setQuery(event.target.value)} onKeyDown={pressed} placeholder={t.placeholder}
          role="combobox" aria-expanded="true" aria-controls={list} aria-label={t.title} aria-activedescendant={`${list}-${chosen}`} autoComplete="off" spellCheck={false}
        />
      </label>
      <div className="palette-list" role="listbox" id={list} aria-label={t.title}>
        {entries.map((entry, at) => (
          <div key={entry.key} role="presentation">
            {entry.group !== entries[at - 1]?.group && <div className="palette-group" role="presentation">{t[entry.group]}</div>}
            <div
              role="option" id={`${list}-${at}`} aria-selected={at === chosen} className="palette-entry"
              onMouseMove={() => setChosen(at)} onClick={entry.run}
              ref={at === chosen ? (element) => element?.scrollIntoView({ block: 'nearest' }) : undefined}
            >
              <span className="palette-icon">{entry.icon}</span>
              <span className="cut">{entry.text}</span>
              {entry.note !== undefined && <span className="faint small cut" style={{ marginLeft: 'auto' }}>{entry.note}</span>}
            </div>
          </div>
        ))}
        {searching && <div className="palette-group">{t.searching}</div>}
        {!searching && entries.length === 0 && <div className="state-box">{t.nothing}</div>}
      </div>
      <div className="palette-foot">{t.keys}</div>
    </div>
  );
}

interface Thing {
  kind: 'segment' | 'tag' | 'journey' | 'template';
  key: string;
  name: string;
  to: string;
}

const thingsShown = 8;
const thingIcons: Readonly<Record<Thing['kind'], ReactNode>> = { segment: <FilterOutlined />, tag: <TagsOutlined />, journey: <ApartmentOutlined />, template: <FileTextOutlined /> };

/* Definitions are few enough to be searched here; they are asked for when the palette opens. */
function useThings(): readonly Thing[] {
  const once = { staleTime: 60_000, refetchInterval: false } as const;
  const segments = useQuery({ ...queries.definitions('segments'), ...once, enabled: useMay('segment.see') });
  const tags = useQuery({ ...queries.definitions('tags'), ...once, enabled: useMay('tag.see') });
  const journeys = useQuery({ ...journeyHeads(), ...once, enabled: useMay('journey.see') });
  const templates = useQuery({ ...templateHeads(), ...once, enabled: useMay('template.see') });
  return useMemo(() => [
    ...(journeys.data?.items ?? []).map((one): Thing => ({ kind: 'journey', key: one.key, name: one.name, to: `/journeys/${one.key}` })),
    ...(segments.data?.items ?? []).map((one): Thing => ({ kind: 'segment', key: one.key, name: one.name, to: `/segments/${one.key}` })),
    ...(tags.data?.items ?? []).map((one): Thing => ({ kind: 'tag', key: one.key, name: one.name, to: `/tags/${one.key}` })),
    ...(templates.data?.items ?? []).map((one): Thing => ({ kind: 'template', key: one.key, name: typeof one.body['name'] === 'string' ? one.body['name'] : '', to: `/templates/${one.key}` })),
  ], [segments.data, tags.data, journeys.data, templates.data]);
}

function useEntries(query: string, onClose: () => void): { entries: Entry[]; searching: boolean } {
  const t = useText(texts);
  const pageText = useText(pageTexts);
  const identifierName = useIdentifierName();
  const { language, setLanguage, scheme, setTheme } = usePreferences();
  const navigate = useNavigate();
  const { user } = useSession();
  const seesCustomers = useMay('customer.see');
  const asked = useDebounced(query, 180);
  const found = useQuery({
    ...queries.customers({ query: asked, identifierType: '', cursor: '', limit: 6 }),
    enabled: asked.length >= 2 && seesCustomers,
  });

  const things = useThings();

  const entries = useMemo(() => {
    const go = (to: string) => () => {
      onClose();
      void navigate(to);
    };
    const lower = query.toLowerCase();
    const matches = (...texts: string[]): boolean => lower === '' || texts.some((text) => text.toLowerCase().includes(lower));
    const customers: Entry[] = asked === query && query.length >= 2 && found.data !== undefined
      ? found.data.items.map((customer) => ({
          key: customer.one_id,
          group: 'customers',
          icon: <Avatar name={customer.name} seed={customer.one_id} size={22} />,
          text: customer.name === '' ? t.unnamed : customer.name,
          note: customer.identifiers.slice(0, 2).map((one) => `${identifierName(one.type)} ${one.value}`).join(' · '),
          run: go(`/customers/${customer.one_id}`),
        }))
      : [];
    if (query.length >= 2 && seesCustomers) {
      customers.push({
        key: 'all', group: 'customers', icon: <SearchOutlined />, text: t.all(query), run: go(`/customers?query=${encodeURIComponent(query)}`),
      });
    }
    /* without a word, things would push pages out of sight */
    const thingEntries: Entry[] = lower === '' ? [] : things
      .filter((one) => matches(one.name, one.key))
      .slice(0, thingsShown)
      .map((one) => ({ key: `${one.kind} ${one.key}`, group: 'things', icon: thingIcons[one.kind], text: one.name === '' ? one.key : one.name, note: `${t.kind[one.kind]} · ${one.key}`, run: go(one.to) }));
    const pageEntries: Entry[] = pages
      .filter((page) => refusalOf(page.path, user) === null && matches(pageText.page[page.key], pageText.hint[page.key], page.path, pageTexts.zh.page[page.key], pageTexts.en.page[page.key]))
      .map((page) => ({
        key: page.path, group: 'pages', icon: page.icon, text: pageText.page[page.key], note: pageText.group[page.group], run: go(page.path),
      }));
    const action = (text: string, to: string, right: string): Entry[] => (may(user.permissions, right) && refusalOf(to, user) === null ? [{ key: to, group: 'actions', icon: <PlusOutlined />, text, run: go(to) }] : []);
    const actions: Entry[] = [
      ...action(t.newSegment, '/new/segment', 'segment.change'), ...action(t.newTag, '/new/tag', 'tag.change'), ...action(t.newJourney, '/journeys?create=yes', 'journey.change'), ...action(t.newTemplate, '/new/template', 'template.change'),
      ...action(t.newSource, '/data/sources?create=1', 'source.administer'), ...action(t.importFile, '/data/imports/new', 'import.create'),
      { key: 'language', group: 'actions' as const, icon: <ArrowRightOutlined />, text: t.language, run: () => { setLanguage(language === 'zh' ? 'en' : 'zh'); onClose(); } },
      { key: 'dark', group: 'actions' as const, icon: <ArrowRightOutlined />, text: t.dark, run: () => { setTheme(scheme === 'dark' ? 'light' : 'dark'); onClose(); } },
    ].filter((action) => matches(action.text));
    return [...customers, ...thingEntries, ...pageEntries, ...actions];
  }, [asked, query, found.data, things, t, pageText, identifierName, language, setLanguage, scheme, setTheme, navigate, onClose, user, seesCustomers]);

  return { entries, searching: query.length >= 2 && seesCustomers && (asked !== query || found.isFetching) };
}
