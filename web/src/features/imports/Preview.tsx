/* SPDX-License-Identifier: Apache-2.0 */
/* Preview: what the first rows would bring: customers, events, rows that are refused and why. */
import type { Schemas } from '@/api/client';
import { useText } from '@/app/preferences';
import { wordFor } from '@/lib/text';
import { DataTable } from '@/ui/DataTable';
import { Json } from '@/ui/Json';
import { Count } from '@/ui/Marks';
import { Band, Figure } from '@/ui/Page';
import { importTexts } from './texts';

export type Previewed = Schemas['ImportPreview'];

export function Preview({ preview }: { preview: Previewed }) {
  const t = useText(importTexts).preview;
  return (
    <div className="stack">
      <Band>
        <Figure label={t.rows}><Count value={preview.rows} exact /></Figure>
        <Figure label={preview.objects > 0 ? t.objects : t.events}><Count value={preview.objects > 0 ? preview.objects : preview.events} exact /></Figure>
        <Figure label={t.made}><Count value={preview.customers.created} exact /></Figure>
        <Figure label={t.found}><Count value={preview.customers.found} exact /></Figure>
        <Figure label={t.merged}><Count value={preview.customers.merged} exact /></Figure>
        <Figure label={t.refused}><span className={preview.refused > 0 ? 'negative' : ''}><Count value={preview.refused} exact /></span></Figure>
      </Band>
      {preview.refusals.length === 0 ? <p className="soft">{t.none}</p> : (
        <DataTable<Previewed['refusals'][number]>
          rowKey="row" dataSource={preview.refusals} pagination={preview.refusals.length > 20 ? { pageSize: 20, size: 'small' } : false}
          columns={[
            { key: 'row', title: t.row, width: 80, align: 'right', render: (_, row) => <span className="tabular">{row.row}</span> },
            { key: 'reason', title: t.reason, render: (_, row) => <span><strong>{wordFor(t.codes, row.code)}</strong><br /><span className="small faint">{row.reason}</span></span> },
            { key: 'original', title: t.original, render: (_, row) => <span className="mono cut" style={{ display: 'block', maxWidth: 420 }} title={row.original}>{row.original}</span> },
          ]}
        />
      )}
      {preview.sample.length > 0 && <section><h3 className="detail-head">{t.sample}</h3><Json value={preview.sample.slice(0, 3)} height={320} /></section>}
    </div>
  );
}
