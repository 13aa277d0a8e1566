/* SPDX-License-Identifier: Apache-2.0 */
/* Page: title, one sentence that says what it is for, its actions; and the panels that pages are made of. */
import { useEffect, type ReactNode } from 'react';
import { PageTerm } from '@/help/Term';

interface PageProps {
  title: string;
  purpose?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, purpose, actions, children }: PageProps) {
  useTitle(title);
  return (
    <>
      <div className="page-head">
        <div>
          <div className="page-title"><h1>{title}</h1><PageTerm /></div>
          {purpose !== undefined && <p>{purpose}</p>}
        </div>
        {actions !== undefined && <div className="page-actions">{actions}</div>}
      </div>
      {children}
    </>
  );
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Kith 熟客`;
  }, [title]);
}

interface PanelProps {
  title?: ReactNode;
  note?: ReactNode;
  tools?: ReactNode;
  flush?: boolean;
  className?: string;
  children: ReactNode;
}

export function Panel({ title, note, tools, flush = false, className = '', children }: PanelProps) {
  return (
    <section className={`panel ${className}`}>
      {(title !== undefined || tools !== undefined) && (
        <header>
          {title !== undefined && <h2>{title}</h2>}
          {note !== undefined && <span className="faint small">{note}</span>}
          {tools !== undefined && <div className="panel-tools">{tools}</div>}
        </header>
      )}
      <div className={flush ? 'panel-flush' : 'panel-body'}>{children}</div>
    </section>
  );
}

export function Figure({ label, note, children }: { label: ReactNode; note?: ReactNode; children: ReactNode }) {
  return (
    <div className="figure">
      <dt>{label}</dt>
      <dd>{children}</dd>
      {note !== undefined && <dd className="note">{note}</dd>}
    </div>
  );
}

export function Band({ children }: { children: ReactNode }) {
  return <dl className="band">{children}</dl>;
}
