/* SPDX-License-Identifier: Apache-2.0 */
/* GlossaryPage: all terms with their meaning, searched; the one that was asked for stands out. */
import { Input } from 'antd';
import { useEffect } from 'react';
import { useText } from '@/app/preferences';
import { useFilters } from '@/lib/hooks';
import { catalogue } from '@/lib/text';
import { Page, Panel } from '@/ui/Page';
import { Empty } from '@/ui/States';
import { foundTerms, terms } from './glossary';
import { TermCard } from './Term';

const texts = catalogue({
  zh: { title: '术语', purpose: '控制台里的词，一个词只指一件事。', search: '搜索术语', noneTitle: '没有这个词', none: '换一个说法试试。' },
  en: { title: 'Glossary', purpose: 'The words of the console: one word for one thing.', search: 'Search terms', noneTitle: 'There is no such word', none: 'Try another one.' },
});

export function GlossaryPage() {
  const t = useText(texts);
  const all = useText(terms);
  const [filters, setFilters] = useFilters({ query: '', term: '' });
  const found = foundTerms(all, filters.query);
  useEffect(() => {
    document.getElementById(`term-${filters.term}`)?.scrollIntoView({ block: 'center' });
  }, [filters.term]);
  return (
    <Page title={t.title} purpose={t.purpose}>
      <div className="filters"><Input allowClear style={{ width: 260 }} aria-label={t.search} placeholder={t.search} value={filters.query} onChange={(event) => setFilters({ query: event.target.value })} /></div>
      <Panel>
        {found.length === 0 ? <Empty title={t.noneTitle}>{t.none}</Empty> : (
          <ul className="term-list">{found.map((key) => <li key={key} id={`term-${key}`} className={key === filters.term ? 'asked' : ''}><TermCard term={key} link={false} /></li>)}</ul>
        )}
      </Panel>
    </Page>
  );
}
