/* SPDX-License-Identifier: Apache-2.0 */
/* Who: name, OneID, what she is worth, by which identifiers she is known, how she may be reached. */
import { CloseOutlined, EyeInvisibleOutlined, EyeOutlined, PlusOutlined, SafetyCertificateOutlined } from '@ant-design/icons';
import { Button, Tooltip } from 'antd';
import { useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useMay, useSession } from '@/app/session';
import { useText } from '@/app/preferences';
import { useReason } from '@/features/touches/reason';
import { useNarrow } from '@/lib/media';
import { wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, useRightReason } from '@/ui/Controls';
import { Avatar, ChannelName, Count, Money, OneId, Pill, Time, useIdentifierName } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { ConsentDialog } from './ConsentDialog';
import { AddIdentifierDialog, PartIdentifierDialog } from './IdentifierDialogs';
import { identifierTexts } from './identifierTexts';
import { customerTexts } from './texts';

type Customer = Schemas['Customer'];
type Identifier = Customer['identifiers'][number];
const identifiersShown = { wide: 8, narrow: 3 };

interface WhoProps {
  customer: Customer;
  revealed: boolean;
  onReveal: (revealed: boolean) => void;
}

export function Who({ customer, revealed, onReveal }: WhoProps) {
  const t = useText(customerTexts);
  const common = useText(words);
  const { server } = useSession();
  const noRole = useRightReason('consent.change');
  const [isRecording, setRecording] = useState(false);
  const rights = [useMay('privacy.see'), useMay('privacy.create')];
  const mayRecord = rights.every((one) => one);
  const noChange = useRightReason('customer.change');
  const [isAdding, setAdding] = useState(false);
  const [parting, setParting] = useState<Identifier | null>(null);
  const byHand = useText(identifierTexts);
  return (
    <Panel className="customer-who">
      <div className="row" style={{ gap: 12, alignItems: 'flex-start' }}>
        <Avatar name={customer.name} seed={customer.one_id} size={48} />
        <div className="grow">
          <div className="who-name">{customer.name === '' ? <span className="faint">{t.unnamed}</span> : customer.name}</div>
          <OneId id={customer.one_id} />
          {customer.under_14 === true && <Tooltip title={byHand.childHint}><span tabIndex={0} style={{ marginInlineStart: 8 }}><Pill tone="warn">{byHand.child}</Pill></span></Tooltip>}
          {customer.under_14 === true && mayRecord && <div><Link className="small" to={`/settings/privacy?create=1&kind=guardian_consent&customer=${customer.one_id}`}>{byHand.guardian}</Link></div>}
        </div>
      </div>
      <Stage customer={customer} />
      <Worth summary={customer.summary} createdAt={customer.created_at} />
      <section>
        <h2 className="who-head">
          {t.who.identifiers} <span className="faint">{customer.identifiers.length}</span>
          <span className="grow" />
          <ActionButton size="small" type="text" icon={<PlusOutlined />} aria-label={byHand.addTitle} title={byHand.addTitle} reason={noChange} onClick={() => setAdding(true)} />
          <Tooltip title={server.may_reveal ? t.who.revealNote : ''}>
            <span>
              <ActionButton
                size="small" type="text" icon={revealed ? <EyeInvisibleOutlined /> : <EyeOutlined />} onClick={() => onReveal(!revealed)}
                reason={server.may_reveal ? null : common.permission.reveal}
              >
                {revealed ? common.action.mask : common.action.reveal}
              </ActionButton>
            </span>
          </Tooltip>
        </h2>
        <Identifiers identifiers={customer.identifiers} reason={noChange} onPart={setParting} />
      </section>
      <section>
        <h2 className="who-head">
          {t.who.reach}
          <span className="grow" />
          <ActionButton size="small" type="text" reason={noRole} onClick={() => setRecording(true)}>{t.consent.record}</ActionButton>
        </h2>
        <Consents consent={customer.consent} />
        <ReachNow oneId={customer.one_id} />
      </section>
      <AddIdentifierDialog open={isAdding} customer={customer} onClose={() => setAdding(false)} />
      <PartIdentifierDialog identifier={parting} customer={customer} onClose={() => setParting(null)} />
      <ConsentDialog open={isRecording} customer={customer} onClose={() => setRecording(false)} />
    </Panel>
  );
}

const tagsShown = 6;

/* Where she stands, then the tags that say most: stages first, then what is text, then what is only yes. */
function Stage({ customer }: { customer: Customer }) {
  const { who: t, value: values } = useText(customerTexts);
  const list = useQuery({ ...queries.definitions('tags'), refetchInterval: false });
  const known = new Map((list.data?.items ?? []).map((one) => [one.key, one]));
  const rank = (key: string): number => (known.get(key)?.kind === 'stage' ? 0 : known.get(key)?.value_type === 'text' ? 1 : 2);
  const tags = Object.entries(customer.tags).filter(([, value]) => value !== false && (typeof value !== 'object' || value === null)).sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b)).slice(0, tagsShown);
  if (tags.length === 0) return null;
  return (
    <ul className="who-stage" aria-label={t.stage}>
      {tags.map(([key, value]) => {
        const name = known.get(key)?.name || key;
        return <li key={key}><Link to={`/tags/${key}`} title={`${name}${value === true ? '' : ` · ${String(value)}`}`}><Pill tone={rank(key) === 0 ? 'accent' : 'plain'}>{value === true ? name : typeof value === 'number' ? `${name} ${value}` : wordFor(values, String(value))}</Pill></Link></li>;
      })}
    </ul>
  );
}

/* By which accounts a marketing message would go out to her now. */
function ReachNow({ oneId }: { oneId: string }) {
  const t = useText(customerTexts).who;
  const say = useReason();
  const may = useMay('touch.see');
  const list = useQuery({ queryKey: ['customers', oneId, 'reach'], queryFn: ({ signal }) => api.get('/customers/{one_id}/reach', { path: { one_id: oneId }, signal }), enabled: may, retry: false });
  const items = list.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <ul className="who-reach" aria-label={t.reachNow}>
      {items.map((one) => (
        <li key={one.account} className="row between">
          <ChannelName channel={one.channel} />
          {one.reachable ? <Pill tone="good">{t.can}</Pill> : <span className="faint cut" title={one.reason}>{say(one.reason)}</span>}
        </li>
      ))}
    </ul>
  );
}

function Worth({ summary, createdAt }: { summary: Customer['summary']; createdAt: string | null }) {
  const t = useText(customerTexts).who;
  /* a team that may not see all her orders sees no sums of them; its own stand under Orders */
  if (summary.withheld === true) return <p className="small faint">{t.withheld}</p>;
  return (
    <>
      <div className="worth">
        <div><strong><Money minor={summary.revenue} currency={summary.currency} short /></strong><span>{t.revenue}</span></div>
        <div><strong><Count value={summary.orders} /></strong><span>{t.orders}</span></div>
        <div><strong><Count value={summary.events} /></strong><span>{t.events}</span></div>
      </div>
      <dl className="facts who-facts">
        {summary.orders > 0 && <><dt>{t.average}</dt><dd><Money minor={Math.round(summary.revenue / summary.orders)} currency={summary.currency} /></dd></>}
        {summary.refunded > 0 && <><dt>{t.refunded}</dt><dd><Money minor={summary.refunded} currency={summary.currency} /></dd></>}
        {summary.first_order_at !== null && <><dt>{t.first}</dt><dd><Time at={summary.first_order_at} exact /></dd></>}
        {summary.last_order_at !== null && summary.orders > 1 && <><dt>{t.last}</dt><dd><Time at={summary.last_order_at} exact /></dd></>}
        <dt>{t.since}</dt><dd><Time at={summary.first_seen_at ?? createdAt} exact /></dd>
        <dt>{t.seen}</dt><dd><Time at={summary.last_seen_at} /></dd>
        {(summary.other_currencies ?? []).map((other) => (
          <span key={other.currency} style={{ display: 'contents' }}><dt>{t.others}</dt><dd><Money minor={other.revenue} currency={other.currency} /> · {other.orders}</dd></span>
        ))}
      </dl>
    </>
  );
}

function Identifiers({ identifiers, reason, onPart }: { identifiers: Identifier[]; reason: string | null; onPart: (one: Identifier) => void }) {
  const t = useText(customerTexts).who;
  const byHand = useText(identifierTexts);
  const name = useIdentifierName();
  const [all, setAll] = useState(false);
  const most = identifiersShown[useNarrow() ? 'narrow' : 'wide'];
  const shown = all ? identifiers : identifiers.slice(0, most);
  return (
    <>
      <ul className="who-identifiers">
        {shown.map((one) => (
          <li key={one.row} className="row">
            <Tooltip
              placement="right"
              title={<>{name(one.type)} · {one.verified ? t.verified : t.claimed}{one.namespace !== '' && <><br />{t.namespace} {one.namespace}</>}<br />{t.source} {one.source}<br />{t.lastSeen} <Time at={one.last_seen} exact /></>}
            >
              <div className="row grow" tabIndex={0}>
                <span className="faint small who-type cut" title={name(one.type)}>{name(one.type)}</span>
                <span className="mono cut grow">{one.value}</span>
                {one.verified && <SafetyCertificateOutlined aria-label={t.verified} style={{ color: 'var(--accent-ink)', fontSize: 13 }} />}
              </div>
            </Tooltip>
            {reason === null && identifiers.length > 1 && <Button size="small" type="text" className="who-part" icon={<CloseOutlined />} aria-label={byHand.partOne(`${name(one.type)} ${one.value}`)} onClick={() => onPart(one)} />}
          </li>
        ))}
      </ul>
      {identifiers.length > most && (
        <Button size="small" type="link" style={{ padding: 0 }} onClick={() => setAll(!all)}>{all ? t.less : t.more(identifiers.length - most)}</Button>
      )}
    </>
  );
}

function Consents({ consent }: { consent: Customer['consent'] }) {
  const t = useText(customerTexts).who;
  const common = useText(words);
  const entries = Object.entries(consent);
  if (entries.length === 0) return <p className="small faint">{t.noConsent}</p>;
  return (
    <div className="row wrap" style={{ gap: 6 }}>
      {entries.map(([purpose, one]) => (
        <Tooltip key={purpose} title={<>{one.state === 'granted' ? t.granted : t.withdrawn} · {one.source} · <Time at={one.at} exact /></>}>
          <span><Pill tone={one.state === 'granted' ? 'good' : 'bad'}>{wordFor(common.consent, purpose)} {one.state === 'granted' ? '✓' : '✕'}</Pill></span>
        </Tooltip>
      ))}
    </div>
  );
}
