/* SPDX-License-Identifier: Apache-2.0 */
/* Marks: how a channel, an identifier, a OneID, a time, a count and an outcome look, everywhere the same. */
import { SafetyCertificateOutlined } from '@ant-design/icons';
import { Tooltip } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useCallback, type ReactNode } from 'react';
import { Link } from 'react-router';
import { queries } from '@/api/queries';
import { useClock } from '@/app/clock';
import { useLanguage, usePreferences, useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { canonicalChannel, channelLook } from '@/lib/channels';
import { dateTime, exactCount, money, relativeTime, shortCount, shortMoney, type Instant } from '@/lib/format';
import { identifierName } from '@/lib/identifiers';
import { eventWord, wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { CopyButton } from './Controls';

export function useChannelName(): (channel: string) => string {
  const t = useText(words);
  return (channel) => (channel === '' ? t.unknown : wordFor(t.channel, canonicalChannel(channel)));
}

export function ChannelMark({ channel, size = 22 }: { channel: string; size?: number }) {
  const { scheme } = usePreferences();
  const name = useChannelName()(channel);
  const look = channelLook(channel);
  const tint = look.colour[scheme];
  return (
    <Tooltip title={name}>
      <span
        className="channel-mark" role="img" aria-label={name}
        style={{ width: size, height: size, fontSize: Math.round(size * 0.54), background: `color-mix(in srgb, ${tint} 15%, var(--paper))`, color: tint }}
      >
        {typeof look.mark === 'string' ? look.mark : (
          <svg viewBox="0 0 16 16" width={Math.round(size * 0.68)} height={Math.round(size * 0.68)} fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
            {look.mark.map((path) => <path key={path} d={path} />)}
          </svg>
        )}
      </span>
    </Tooltip>
  );
}

export function ChannelName({ channel }: { channel: string }) {
  const name = useChannelName()(channel);
  return <span className="row" style={{ gap: 8 }}><ChannelMark channel={channel} /><span className="cut">{name}</span></span>;
}

/* Words for the types that Kith knows; the brand's label for its own, once the types have been read. */
export function useIdentifierName(): (type: string) => string {
  const t = useText(words);
  const language = useLanguage();
  const types = useQuery({ ...queries.identityTypes(), enabled: useMay('identity.see') });
  return useCallback((type) => {
    const known = types.data?.items.find((one) => one.name === type);
    return identifierName(known ?? { name: type }, language, t.identifier);
  }, [types.data, language, t]);
}

export function IdentifierMark({ type, value, verified = false }: { type: string; value: string; verified?: boolean }) {
  const name = useIdentifierName()(type);
  return (
    <Tooltip title={`${name} ${value}`}>
      <span className="ident">
        <i>{name}</i>
        <span className="mono cut">{value}</span>
        {verified && <SafetyCertificateOutlined style={{ color: 'var(--accent-ink)' }} />}
      </span>
    </Tooltip>
  );
}

export function OneId({ id, link = false, copy = true }: { id: string; link?: boolean; copy?: boolean }) {
  const text = <span className="mono">{id}</span>;
  return (
    <span className="one-id">
      {link ? <Link to={`/customers/${id}`}>{text}</Link> : text}
      {copy && <CopyButton text={id} />}
    </span>
  );
}

/* Relative to now, with the exact time and zone on hover; or exact. */
export function Time({ at, exact = false, seconds = false }: { at: Instant | null; exact?: boolean; seconds?: boolean }) {
  const t = useText(words);
  const language = useLanguage();
  const { zone, nowMs } = useClock();
  if (at === null || at === '') return <span className="faint">{t.none}</span>;
  const full = dateTime(at, language, zone, seconds);
  const text = exact ? full : relativeTime(at, nowMs, zone, t.time);
  return (
    <Tooltip title={`${dateTime(at, language, zone, true)} (${zone})`}>
      <time className="nowrap" dateTime={typeof at === 'number' ? new Date(at).toISOString() : at}>{text}</time>
    </Tooltip>
  );
}

export function Count({ value, exact = false }: { value: number; exact?: boolean }) {
  const language = useLanguage();
  const full = exactCount(value);
  const short = exact ? full : shortCount(value, language);
  if (short === full) return <span className="tabular">{full}</span>;
  return <Tooltip title={full}><span className="tabular">{short}</span></Tooltip>;
}

export function Money({ minor, currency, short = false }: { minor: number; currency: string; short?: boolean }) {
  const language = useLanguage();
  const t = useText(words);
  if (currency === '') return <span className="faint">{t.none}</span>;
  const full = money(minor, currency);
  if (!short) return <span className="tabular">{full}</span>;
  return <Tooltip title={full}><span className="tabular">{shortMoney(minor, currency, language)}</span></Tooltip>;
}

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'accent' | 'plain';

export function Pill({ tone = 'plain', children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`pill ${tone}`}>{children}</span>;
}

const outcomeTones: Readonly<Record<string, Tone>> = {
  applied: 'good', duplicate: 'plain', quarantined: 'warn', refused: 'bad', pending: 'info', unknown: 'plain',
};

export function Outcome({ outcome }: { outcome: string }) {
  const t = useText(words);
  return <Pill tone={outcomeTones[outcome] ?? 'plain'}>{wordFor(t.outcome, outcome)}</Pill>;
}

/* A round mark with the first letter of a name; the same person always in the same tint. */
export function Avatar({ name, seed, size = 32 }: { name: string; seed: string; size?: number }) {
  const { scheme } = usePreferences();
  const hue = [...seed].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);
  const letter = [...name.trim()][0] ?? '';
  const dark = scheme === 'dark';
  return (
    <span
      className="channel-mark" aria-hidden="true"
      style={{
        width: size, height: size, borderRadius: '50%', fontSize: size * 0.42,
        background: `hsl(${hue} ${dark ? '22% 24%' : '34% 90%'})`, color: `hsl(${hue} ${dark ? '40% 80%' : '42% 27%'})`,
      }}
    >
      {letter === '' ? (
        <svg viewBox="0 0 16 16" width={size * 0.56} height={size * 0.56} fill="currentColor"><circle cx="8" cy="5.6" r="2.7" /><path d="M2.8 14c.4-3 2.5-4.6 5.2-4.6s4.8 1.6 5.2 4.6z" /></svg>
      ) : letter.toUpperCase()}
    </span>
  );
}

/* 'Order Paid' → 支付订单; a name of the brand's own stays as it is. */
export function useEventName(): (type: string) => string {
  const t = useText(words);
  return (type) => eventWord(t.event, type);
}

export function EventName({ type }: { type: string }) {
  const name = useEventName()(type);
  if (name === type) return <span className="mono">{type}</span>;
  return <Tooltip title={type}><span>{name}</span></Tooltip>;
}

/* The head of a column that shows what needs no name; said to those who hear the page. */
export function QuietHead({ children }: { children: string }) {
  return <span className="hidden-text">{children}</span>;
}
