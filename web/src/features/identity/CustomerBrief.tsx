/* SPDX-License-Identifier: Apache-2.0 */
/* CustomerBrief: enough of a customer to tell whether two are one: name, identifiers, orders, last seen. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { catalogue } from '@/lib/text';
import { Avatar, IdentifierMark, Money, OneId, Time } from '@/ui/Marks';
import { Bone } from '@/ui/States';
import './identity.css';

const texts = catalogue({
  zh: { nobody: '还不属于任何客户', orders: (count: number) => `${count} 单` },
  en: { nobody: 'belongs to no customer yet', orders: (count) => (count === 1 ? '1 order' : `${count} orders`) },
});

export function useCustomer(oneId: string | null) {
  return useQuery({ ...queries.customer(oneId ?? ''), enabled: oneId !== null, staleTime: 60_000 });
}

export function CustomerBrief({ oneId }: { oneId: string | null }) {
  const t = useText(texts);
  const customer = useCustomer(oneId);
  if (oneId === null) return <div className="refusal-side faint">{t.nobody}</div>;
  const data = customer.data;
  return (
    <div className="refusal-side">
      <Avatar name={data?.name ?? ''} seed={oneId} size={34} />
      <div className="grow">
        <div className="row">
          {data === undefined ? <Bone width={80} /> : <Link to={`/customers/${data.one_id}`} style={{ fontWeight: 600 }} className={data.name === '' ? 'mono' : ''}>{data.name === '' ? data.one_id : data.name}</Link>}
          {data !== undefined && data.name !== '' && <OneId id={data.one_id} copy={false} />}
        </div>
        <div className="row wrap" style={{ gap: 4, marginTop: 4 }}>
          {data?.identifiers.slice(0, 3).map((one) => <IdentifierMark key={one.row} type={one.type} value={one.value} verified={one.verified} />)}
          {data !== undefined && data.identifiers.length > 3 && <span className="small faint">+{data.identifiers.length - 3}</span>}
        </div>
        {data !== undefined && (
          <div className="small faint" style={{ marginTop: 4 }}>
            {t.orders(data.summary.orders)}{data.summary.orders > 0 && <> · <Money minor={data.summary.revenue} currency={data.summary.currency} /></>} · <Time at={data.summary.last_seen_at} />
          </div>
        )}
      </div>
    </div>
  );
}
