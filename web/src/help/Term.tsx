/* SPDX-License-Identifier: Apache-2.0 */
/* Term: a word with its card: what it is, and an example. Beside titles it is a mark; within texts the word itself. */
import { QuestionCircleOutlined } from '@ant-design/icons';
import { Popover } from 'antd';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'react-router';
import { useText } from '@/app/preferences';
import { catalogue } from '@/lib/text';
import { termOfPage, terms, type TermKey } from './glossary';
import './help.css';

const texts = catalogue({
  zh: { whatIs: (name: string) => `什么是「${name}」`, example: '例如', all: '全部术语' },
  en: { whatIs: (name) => `What is "${name}"`, example: 'For example', all: 'All terms' },
});

export function TermCard({ term, link = true }: { term: TermKey; link?: boolean }) {
  const t = useText(texts);
  const { name, what, example } = useText(terms)[term];
  return (
    <div className="term-card">
      <strong>{name}</strong>
      <p>{what}</p>
      {example !== '' && <p className="soft"><span className="faint">{t.example} </span>{example}</p>}
      {link && <Link to={`/help/glossary?term=${term}`} className="small">{t.all}</Link>}
    </div>
  );
}

/* With children the word itself opens the card; without, a mark. */
export function Term({ term, children }: { term: TermKey; children?: ReactNode }) {
  const t = useText(texts);
  const { name } = useText(terms)[term];
  return (
    <Popover trigger="click" content={<section aria-label={name}><TermCard term={term} /></section>} placement="bottomLeft">
      {children === undefined
        ? <button type="button" className="term-mark" aria-label={t.whatIs(name)}><QuestionCircleOutlined /></button>
        : <button type="button" className="term-word" aria-label={t.whatIs(name)}>{children}</button>}
    </Popover>
  );
}

/* What the page at this address is about. */
export function PageTerm() {
  const { pathname } = useLocation();
  const term = termOfPage(pathname);
  return term === null ? null : <Term term={term} />;
}
