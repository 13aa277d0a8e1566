/* SPDX-License-Identifier: Apache-2.0 */
/* Explain: why all this is one person, in the server's own sentences, with the evidence behind them. */
import { useQuery } from '@tanstack/react-query';

import type { Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useLanguage, useText } from '@/app/preferences';
import { wordFor } from '@/lib/text';
import { IdentifierMark, OneId, Pill, Time } from '@/ui/Marks';
import { DataTable } from '@/ui/DataTable';
import { Bones, Loaded } from '@/ui/States';
import { identityWords } from '../identity/words';
import { MergeItems } from './Merges';
import { customerTexts } from './texts';

export function Explain({ oneId }: { oneId: string }) {
  const t = useText(customerTexts).explain;
  const language = useLanguage();
  const explain = useQuery(queries.explain(oneId));
  return (
    <Loaded query={explain} skeleton={<Bones rows={8} inset={0} />}>
      {(data) => (
        <div className="stack">
          <section>
            <h2 className="who-head">{t.sentences}</h2>
            <ul className="sentences">{data.sentences.map((sentence) => <li key={sentence.en}>{sentence[language]}</li>)}</ul>
          </section>
          <section>
            <h2 className="who-head">{t.identifiers}</h2>
            <IdentifierTable items={data.identifiers} />
          </section>
          <section>
            <h2 className="who-head">{t.merges}</h2>
            {data.merges.length === 0 ? <p className="faint">{t.none}</p> : <MergeItems items={data.merges} />}
          </section>
          <section>
            <h2 className="who-head">{t.refusals}</h2>
            {data.refusals.length === 0 ? <p className="faint">{t.none}</p> : <Refusals items={data.refusals} />}
          </section>
        </div>
      )}
    </Loaded>
  );
}

function IdentifierTable({ items }: { items: Schemas['Explain']['identifiers'] }) {
  const t = useText(customerTexts);
  const identity = useText(identityWords);
  return (
    <DataTable
      pagination={items.length > 20 ? { pageSize: 20, size: 'small' } : false} dataSource={items} rowKey={(row) => `${row.type} ${row.value}`}
      columns={[
        { key: 'identifier', title: t.who.identifiers, render: (_, row) => <IdentifierMark type={row.type} value={row.value} /> },
        { key: 'why', title: t.explain.why, render: (_, row) => wordFor(identity.link, row.why) },
        { key: 'source', title: t.who.source, dataIndex: 'source' },
        { key: 'since', title: t.explain.since, render: (_, row) => <Time at={row.since} exact /> },
      ]}
    />
  );
}

function Refusals({ items }: { items: readonly Schemas['Refusal'][] }) {
  const t = useText(customerTexts).explain;
  const identity = useText(identityWords);
  return (
    <ol className="merges">
      {items.map((one) => (
        <li key={one.id}>
          <div className="row wrap" style={{ gap: 6 }}>
            <Pill tone={one.status === 'open' ? 'warn' : 'plain'}>{identity.status[one.status]}</Pill>
            <strong>{wordFor(identity.refusal, one.reason)}</strong>
            {one.other !== null && <OneId id={one.other} link copy={false} />}
          </div>
          <p className="soft">{Object.hasOwn(identity.refusalWhy, one.reason) ? wordFor(identity.refusalWhy, one.reason) : one.detail}</p>
          <div className="row wrap" style={{ gap: 6 }}>
            {one.identifier !== null && <IdentifierMark {...one.identifier} />}
            {one.with !== null && <IdentifierMark {...one.with} />}
          </div>
          <p className="small faint"><Time at={one.at} exact /> · {t.times(one.times)}</p>
        </li>
      ))}
    </ol>
  );
}
