/* SPDX-License-Identifier: Apache-2.0 */
/* TemplateEditPage: a template while it is written: its parts with variables from the profile, what providers will say, and how it looks on
 * a phone, with a customer's values. What was typed is kept in the browser until it is saved or discarded.
 */
import { DeleteOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Input, Modal, Select } from 'antd';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { keep, kept, useLanguage, useText } from '@/app/preferences';
import { keyFrom } from '@/features/audience/audience';
import { templateHeads } from '@/features/journeys/heads';
import { useFound } from '@/features/rules/RulePanel';
import { wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Pill, useChannelName } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Failure } from '@/ui/States';
import { Phone } from './Phone';
import { findingsOf, freshBody, partsOf, partText, partValue, pipeOf, shownParts, textIn, variables, withoutPart, withPart, type Body, type Template } from './template';
import { templateTexts } from './texts';
import './templates.css';

const one = (key: string) => ({ queryKey: ['templates', 'one', key], queryFn: ({ signal }: { signal: AbortSignal }) => api.get('/templates/{key}', { path: { key }, signal }) });

export function TemplateEditPage() {
  const t = useText(templateTexts);
  const { key = '' } = useParams();
  const saved = useQuery({ ...one(key), enabled: key !== '' });
  if (key === '') return <Editor key="new" saved={null} />;
  if (saved.data === undefined) return <Page title={t.title}><Panel>{saved.isError ? <Failure error={saved.error} retry={() => void saved.refetch()} /> : <Bones rows={8} inset={0} />}</Panel></Page>;
  return <Editor key={key} saved={saved.data} />;
}

/* What was saved, and what is typed over it; kept until it is one again. */
function useBody(saved: Template | null, fresh: Body) {
  const place = `kith.template.${saved?.key ?? '~new'}`;
  const base = saved?.body ?? fresh;
  const [typed, setTyped] = useState<Body | null>(() => {
    try {
      return JSON.parse(kept(place) ?? 'null') as Body | null;
    } catch {
      return null;
    }
  });
  const body: Body = typed ?? base;
  const isChanged = JSON.stringify(body) !== JSON.stringify(base);
  useEffect(() => keep(place, isChanged ? JSON.stringify(body) : ''), [place, isChanged, body]);
  return { body, isChanged, change: setTyped, discard: () => setTyped(null) };
}

function Editor({ saved }: { saved: Template | null }) {
  const t = useText(templateTexts);
  const noRole = useRightReason('template.change');
  const navigate = useNavigate();
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const [params] = useSearchParams();
  const fresh = useMemo(() => freshBody(params.get('channel') ?? 'sms'), [params]);
  const { body, isChanged, change, discard } = useBody(saved, fresh);
  const [newKey, setNewKey] = useState(params.get('key') ?? '');
  const others = useQuery({ ...templateHeads(), enabled: saved === null });
  const key = saved?.key ?? newKey;
  const put = useMutation({
    mutationFn: () => {
      const { key: _key, ...rest } = body as Record<string, unknown>;
      return api.put('/templates/{key}', { path: { key }, body: rest as unknown as Schemas['TemplatePut'] });
    },
    onSuccess: async () => {
      discard();
      await client.invalidateQueries({ queryKey: ['templates'] });
      void message.success(t.saved);
      if (saved === null) void navigate(`/templates/${key}`);
    },
    onError: notice,
  });
  const why = noRole ?? (saved !== null ? (isChanged ? null : t.nothing) : !/^[a-z0-9][a-z0-9_-]*$/.test(key) ? t.badKey : (others.data?.items.some((other) => other.key === key) ?? false) ? t.keyTaken : null);
  return (
    <Page
      title={saved === null ? t.create : textIn(saved.body, 'name') || saved.key} purpose={saved === null ? t.purpose : <span className="row"><span className="mono">{saved.key}</span><span>{t.version(saved.version)}</span></span>}
      actions={<>{isChanged && <Button onClick={discard}>{t.discard}</Button>}{saved !== null && <Remove template={saved} />}<ActionButton type="primary" reason={why} loading={put.isPending} onClick={() => put.mutate()}>{t.save}</ActionButton></>}
    >
      <div className="template-work">
        <div className="stack">
          <Panel>
            <div className="template-form">
              <Head body={body} isNew={saved === null} newKey={newKey} taken={new Set((others.data?.items ?? []).map((one) => one.key))} onKey={setNewKey} onChange={change} />
              <Parts body={body} disabled={noRole !== null} onChange={change} />
            </div>
          </Panel>
          {saved !== null && <Lint template={saved} isChanged={isChanged} />}
        </div>
        <Preview saved={saved} body={body} isChanged={isChanged} />
      </div>
    </Page>
  );
}

function Head({ body, isNew, newKey, taken, onKey, onChange }: { body: Body; isNew: boolean; newKey: string; taken: ReadonlySet<string>; onKey: (key: string) => void; onChange: (body: Body) => void }) {
  const t = useText(templateTexts);
  const channelName = useChannelName();
  const id = body['template_id'] ?? '';
  /* the key follows the name until somebody writes one */
  const rename = (name: string): void => {
    if (isNew && (newKey === '' || newKey === keyFrom(textIn(body, 'name'), taken, 'template'))) onKey(keyFrom(name, taken, 'template'));
    onChange({ ...body, name });
  };
  return (
    <div className="template-row">
      <label className="field"><span>{t.name}</span><Input value={textIn(body, 'name')} onChange={(event) => rename(event.target.value)} /></label>
      {isNew && <label className="field"><span>{t.key}</span><Input className="mono" value={newKey} placeholder={t.keyHint} onChange={(event) => onKey(event.target.value.trim())} /></label>}
      <label className="field"><span>{t.channel}</span><Select aria-label={t.channel} value={textIn(body, 'channel')} onChange={(channel: string) => onChange(isNew ? { ...freshBody(channel), name: body['name'] } : { ...body, channel })} options={Object.keys(shownParts).map((value) => ({ value, label: channelName(value) }))} /></label>
      <label className="field"><span>{t.purposeOf}</span><Select aria-label={t.purposeOf} value={textIn(body, 'purpose') || 'marketing'} onChange={(purpose: string) => onChange({ ...body, purpose })} options={Object.entries(t.purposes).map(([value, label]) => ({ value, label }))} /></label>
      <label className="field"><span>{t.templateId}</span><Input className="mono" value={typeof id === 'string' ? id : ''} onChange={(event) => onChange(event.target.value === '' ? Object.fromEntries(Object.entries(body).filter(([name]) => name !== 'template_id')) : { ...body, template_id: event.target.value })} /></label>
    </div>
  );
}

function Parts({ body, disabled, onChange }: { body: Body; disabled: boolean; onChange: (body: Body) => void }) {
  const t = useText(templateTexts);
  const parts = partsOf(body);
  const known = (shownParts[textIn(body, 'channel')] ?? []).filter((part) => !Object.hasOwn(parts, part));
  return (
    <>
      {Object.entries(parts).map(([name, value]) => (
        <Part key={name} name={name} value={value} disabled={disabled} onChange={(next) => onChange(withPart(body, name, next))} onRemove={() => onChange(withoutPart(body, name))} />
      ))}
      {!disabled && <Select size="small" mode="tags" maxCount={1} value={[]} placeholder={t.addPart} aria-label={t.addPart} style={{ width: 220 }} options={known.map((value) => ({ value, label: wordFor(t.partNames, value) }))} onChange={([name]: string[]) => { if (name !== undefined && !Object.hasOwn(parts, name)) onChange(withPart(body, name, '')); }} />}
    </>
  );
}

function Part({ name, value, disabled, onChange, onRemove }: { name: string; value: unknown; disabled: boolean; onChange: (value: unknown) => void; onRemove: () => void }) {
  const t = useText(templateTexts);
  const area = useRef<HTMLElement | null>(null);
  const traits = useQuery(queries.traitTypes());
  const tags = useQuery(queries.definitions('tags'));
  const names = useMemo(() => variables((traits.data?.items ?? []).map((trait) => trait.name), (tags.data?.items ?? []).filter((tag) => tag.on === 'customer').map((tag) => tag.key)), [traits.data, tags.data]);
  const text = partText(value);
  /* where the cursor is; at the end, where the field was never entered */
  const insert = (words: string): void => {
    const field = area.current?.querySelector('textarea');
    const at = field?.selectionStart ?? text.length;
    onChange(partValue(text.slice(0, at) + words + text.slice(field?.selectionEnd ?? at), value));
  };
  const language = useLanguage();
  const catalogue = useQuery({ queryKey: ['templates', 'catalogue'], queryFn: ({ signal }) => api.get('/templates/catalogue', { signal }), staleTime: Infinity });
  const offered: { label: string; title?: string; options: { value: string; label: string; title: string }[] }[] = [
    { label: t.filters, options: (catalogue.data?.filters ?? []).map((one) => ({ value: pipeOf(one.example), label: one.name, title: one.about[language] })) },
    { label: t.tags, options: (catalogue.data?.tags ?? []).map((one) => ({ value: one.example, label: one.name, title: one.about[language] })) },
  ];
  return (
    <section className="template-part" aria-label={t.part(name)} ref={area}>
      <div className="row wrap">
        <strong>{wordFor(t.partNames, name)}</strong>{Object.hasOwn(t.partNames, name) && <span className="mono faint">{name}</span>}
        {typeof value !== 'string' && <span className="small faint">{t.nested}</span>}
        <span className="grow" />
        {!disabled && <Select size="small" value={null} placeholder={t.insert} aria-label={`${t.insert}: ${name}`} showSearch popupMatchSelectWidth={280} style={{ width: 150 }} options={names.map((path) => ({ value: path, label: path }))} onChange={(path: string | null) => { if (path !== null) insert(`{{ ${path} | default: "" }}`); }} />}
        {!disabled && <Select size="small" value={null} placeholder={t.language} aria-label={`${t.language}: ${name}`} showSearch optionFilterProp="label" popupMatchSelectWidth={420} style={{ width: 150 }} options={offered} optionRender={(option) => <span title={option.data.title}><span className="mono">{option.label}</span> <span className="small soft">{option.data.title}</span></span>} onChange={(words: string | null) => { if (words !== null) insert(words); }} />}
        {!disabled && <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={t.removePart(name)} onClick={onRemove} />}
      </div>
      <Input.TextArea aria-label={t.part(name)} disabled={disabled} className={typeof value === 'string' ? '' : 'mono'} value={text} spellCheck={false} autoSize={{ minRows: 2, maxRows: 16 }} onChange={(event) => onChange(partValue(event.target.value, value))} />
    </section>
  );
}

function Lint({ template, isChanged }: { template: Template; isChanged: boolean }) {
  const t = useText(templateTexts);
  const language = useLanguage();
  const findings = findingsOf(template);
  return (
    <Panel title={t.lint} note={isChanged ? t.unsaved : undefined}>
      {findings.length === 0 ? <p className="soft">{t.clean}</p> : (
        <ul>
          {findings.map((finding) => (
            <li key={`${finding.code} ${finding.part} ${finding.line} ${finding.column}`} className="template-finding">
              <Pill tone={finding.level === 'error' ? 'bad' : 'warn'}>{finding.level === 'error' ? t.error : t.advice}</Pill>
              <span className="grow">{finding.text[language]}{finding.cure !== null && <span className="faint"> {finding.cure[language]}</span>}</span>
              <span className="small faint nowrap">{t.at(finding.part, finding.line)}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/* As it is typed; with the values of a customer once it is saved: the server renders what is saved. */
function Preview({ saved, body, isChanged }: { saved: Template | null; body: Body; isChanged: boolean }) {
  const t = useText(templateTexts);
  const [typed, setTyped] = useState('');
  const [asked, setAsked] = useState('');
  const { id, isNobody } = useFound(asked);
  const rendered = useQuery({
    queryKey: ['templates', 'preview', saved?.key, saved?.version, id], enabled: saved !== null && id !== null && !isChanged, retry: false,
    queryFn: ({ signal }) => api.post('/templates/{key}/preview', { path: { key: saved?.key ?? '' }, body: { customer: id ?? '' }, signal }),
  });
  const isRendered = rendered.data !== undefined && !isChanged && id !== null;
  return (
    <div className="stack" style={{ gap: 10 }}>
      <Phone channel={textIn(body, 'channel')} parts={isRendered ? (rendered.data.parts as Record<string, unknown>) : partsOf(body)} />
      <form className="row" onSubmit={(event) => { event.preventDefault(); setAsked(typed); }}>
        <Input aria-label={t.previewHint} placeholder={t.previewHint} value={typed} disabled={saved === null} onChange={(event) => setTyped(event.target.value)} allowClear />
        <ActionButton htmlType="submit" reason={saved === null || isChanged ? t.unsaved : null}>{t.show}</ActionButton>
      </form>
      {isNobody && <p className="small faint" role="status">{t.nobody}</p>}
      {rendered.isError && <p className="rule-problem" role="alert">{t.missing} · {rendered.error.message}</p>}
      {!isRendered && !rendered.isError && !isNobody && <p className="small faint">{t.raw}</p>}
    </div>
  );
}

function Remove({ template }: { template: Template }) {
  const t = useText(templateTexts);
  const common = useText(words);
  const noRole = useRightReason('template.change');
  const navigate = useNavigate();
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const [isAsking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => api.delete('/templates/{key}', { path: { key: template.key } }),
    onSuccess: async () => {
      void message.success(t.removed);
      await navigate('/templates');
      await client.invalidateQueries({ queryKey: ['templates'] });
    },
    onError: notice,
  });
  return (
    <>
      <ActionButton danger reason={noRole} onClick={() => setAsking(true)}>{t.remove}</ActionButton>
      <Modal open={isAsking} title={t.removeTitle(textIn(template.body, 'name') || template.key)} okText={t.remove} okButtonProps={{ danger: true }} cancelText={common.action.cancel} confirmLoading={remove.isPending} onCancel={() => setAsking(false)} onOk={() => remove.mutate()}><p>{t.removeText}</p></Modal>
    </>
  );
}
