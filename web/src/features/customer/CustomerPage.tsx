/* SPDX-License-Identifier: Apache-2.0 */
/* CustomerPage: who she is on the left, what happened in the middle, what is known on the right. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { useLocation, useNavigate, useParams } from 'react-router';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { Json } from '@/ui/Json';
import { Panel, useTitle } from '@/ui/Page';
import { TabBar } from '@/ui/TabBar';
import { Bones, Failure } from '@/ui/States';
import { Consents } from './Consents';
import { Explain } from './Explain';
import { Graph } from './Graph';
import { Journeys } from './Journeys';
import { MergeDialog } from './MergeDialog';
import { Merges } from './Merges';
import { Profile } from './Profile';
import { Coupons, Orders, SkinFile } from './Purchases';
import { customerTexts } from './texts';
import { Timeline } from './Timeline';
import { Who } from './Who';
import './customer.css';

const tabs = ['timeline', 'orders', 'coupons', 'skin', 'journeys', 'consents', 'graph', 'merges', 'explain', 'raw'] as const;
type Tab = (typeof tabs)[number];
const wide: readonly Tab[] = ['orders', 'journeys', 'consents', 'graph', 'merges', 'explain', 'raw'];

function isTab(value: string | undefined): value is Tab {
  return tabs.some((tab) => tab === value);
}

export function CustomerPage() {
  const t = useText(customerTexts);
  const { oneId = '', tab: tabInPath } = useParams();
  const navigate = useNavigate();
  const location = useLocation();
  const [revealed, setRevealed] = useState(false);
  const [isMerging, setMerging] = useState(false);
  const customer = useQuery(queries.customer(oneId, revealed));
  const tab: Tab = isTab(tabInPath) ? tabInPath : 'timeline';
  const cameAs = (location.state as { cameAs?: string } | null)?.cameAs;
  useTitle(customer.data?.name === undefined || customer.data.name === '' ? t.title : customer.data.name);

  useEffect(() => setRevealed(false), [oneId]);
  /* One merged away answers with the customer it became: the address follows, and the page says so. */
  const became = customer.data?.one_id;
  useEffect(() => {
    if (became !== undefined && became !== oneId) {
      void navigate(`/customers/${became}${tab === 'timeline' ? '' : `/${tab}`}`, { replace: true, state: { cameAs: oneId } });
    }
  }, [became, oneId, tab, navigate]);

  if (customer.data === undefined) {
    if (customer.isError) return <Panel><Failure error={customer.error} retry={() => void customer.refetch()} /></Panel>;
    return <div className="customer"><Panel><Bones rows={8} inset={0} /></Panel><Panel><Bones rows={12} inset={0} /></Panel><Panel><Bones rows={8} inset={0} /></Panel></div>;
  }
  const data = customer.data;
  const bodies: Record<Tab, () => ReactNode> = {
    timeline: () => <Timeline oneId={data.one_id} />,
    orders: () => <Orders oneId={data.one_id} />,
    coupons: () => <Coupons oneId={data.one_id} />,
    skin: () => <SkinFile oneId={data.one_id} />,
    journeys: () => <Journeys oneId={data.one_id} />,
    consents: () => <Consents customer={data} />,
    graph: () => <Graph customer={data} />,
    merges: () => <Merges oneId={data.one_id} onJoin={() => setMerging(true)} />,
    explain: () => <Explain oneId={data.one_id} />,
    raw: () => <Json value={data} />,
  };
  return (
    <>
      <h1 className="hidden-text">{data.name === '' ? t.unnamed : data.name}</h1>
      {cameAs !== undefined && cameAs !== data.one_id && <div className="notice" role="status" style={{ marginBottom: 12 }}>{t.mergedInto(cameAs, data.one_id)}</div>}
      <div className={`customer ${wide.includes(tab) ? 'is-wide' : ''}`}>
        <Who customer={data} revealed={revealed} onReveal={setRevealed} />
        <Panel className="customer-main">
          <TabBar
            label={t.views} value={tab} tabs={tabs.map((key) => ({ key, label: t.tab[key] }))}
            onChange={(key) => void navigate(`/customers/${data.one_id}${key === 'timeline' ? '' : `/${key}`}`)}
          >
            {bodies[tab]()}
          </TabBar>
        </Panel>
        <Profile customer={data} />
      </div>
      <MergeDialog open={isMerging} customer={data} onClose={() => setMerging(false)} />
    </>
  );
}
