/* SPDX-License-Identifier: Apache-2.0 */
/* Phone: a message as it will look to her, in the frame of the app that shows it: a text message, a chat, a card of an official account, a notice, a mail. */
import { useText } from '@/app/preferences';
import { ChannelMark } from '@/ui/Marks';
import { partText } from './template';
import { templateTexts } from './texts';
import './templates.css';

interface PhoneProps {
  channel: string;
  parts: Readonly<Record<string, unknown>>;
}

const textOf = (value: unknown): string => (value === undefined || value === null ? '' : partText(value));

/* {name: {value}} and {name: text} are both written by providers. */
function fieldsOf(value: unknown): [string, string][] {
  const held = typeof value === 'string' ? readObject(value) : value;
  if (typeof held !== 'object' || held === null || Array.isArray(held)) return [];
  return Object.entries(held).map(([name, one]: [string, unknown]) => [name, typeof one === 'object' && one !== null && 'value' in one ? textOf((one as { value: unknown }).value) : textOf(one)]);
}

function readObject(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

export function Phone({ channel, parts }: PhoneProps) {
  const t = useText(templateTexts);
  return (
    <figure className={`phone ${channel}`} aria-label={t.phone}>
      <div className="phone-bar"><ChannelMark channel={channel} size={20} /><strong>{t.sender[channel] ?? channel}</strong></div>
      <div className="phone-body"><Message channel={channel} parts={parts} /></div>
    </figure>
  );
}

function Message({ channel, parts }: PhoneProps) {
  if (channel === 'email') return <Mail parts={parts} />;
  const title = textOf(parts['title']);
  const fields = [...fieldsOf(parts['data']), ...(channel === 'subscription' || channel === 'official_account' ? fieldsOf(parts['params']) : [])];
  const text = textOf(parts['text']) || textOf(parts['markdown']) || textOf(parts['body']);
  if (title !== '' || fields.length > 0) {
    return (
      <div className="phone-card">
        {title !== '' && <strong>{title}</strong>}
        {textOf(parts['description']) !== '' && <p>{textOf(parts['description'])}</p>}
        {fields.length > 0 && <dl>{fields.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>}
        {text !== '' && <p>{text}</p>}
        {textOf(parts['url'] ?? parts['page']) !== '' && <span className="phone-link">{textOf(parts['url'] ?? parts['page'])}</span>}
      </div>
    );
  }
  return <p className="phone-bubble">{text === '' ? '…' : text}</p>;
}

/* Mail is shown without running anything of it: a sandbox that allows nothing. */
function Mail({ parts }: { parts: Readonly<Record<string, unknown>> }) {
  const t = useText(templateTexts);
  const html = textOf(parts['html']);
  return (
    <div className="phone-mail">
      <strong>{textOf(parts['subject']) || '…'}</strong>
      {html === '' ? <p className="phone-plain">{textOf(parts['text'])}</p> : <iframe title={t.phone} sandbox="" srcDoc={html} tabIndex={-1} />}
    </div>
  );
}
