/* SPDX-License-Identifier: Apache-2.0 */
/* Condition: one condition as a line of choices. Which parts it has is what the catalogue says of its form. */
import { CloseOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Checkbox, InputNumber, Select, Tooltip } from 'antd';
import type { ReactNode } from 'react';
import { useLanguage, useText } from '@/app/preferences';
import { formEntry, measuredKind, type Kind } from './catalogue';
import { useEditor } from './context';
import { newLeaf, newStep, withKind } from './draft';
import { changeLeaf } from './edit';
import { Comparison, NamePicker, NamesPicker, WindowField, WithinField } from './fields';
import { Group, type RowPlace } from './Groups';
import { isObject, newId, type Json, type JsonObject, type LeafNode } from './model';
import { eventsOf } from './sentence';
import { noSubject, type Subject } from './suggestions';
import { ruleTexts } from './texts';
import { kindIn, propertyLabel, reachChannels, useVocabulary, type Named } from './vocabulary';

interface PartProps {
  leaf: LeafNode;
  at: RowPlace;
  put: (body: JsonObject, mark?: string) => void;
}

export function Condition({ leaf, at }: { leaf: LeafNode; at: RowPlace }) {
  const { edit } = useEditor();
  const put = (body: JsonObject, mark?: string): void => edit((now) => changeLeaf(now, leaf.id, (one) => ({ ...one, body })), mark ?? `row ${leaf.id}`);
  const props = { leaf, at, put };
  switch (leaf.head) {
    case 'trait': case 'tag': case 'relation': case 'prop': return <Fact {...props} />;
    case 'segment': case 'has': case 'reachable': return <Simple {...props} />;
    case 'consent': return <Consent {...props} />;
    case 'event': return <Event {...props} />;
    case 'sequence': return <Sequence {...props} />;
    case 'touch': return <Touch {...props} />;
    case 'object': return <ThroughObject {...props} />;
    default: return <Unknown leaf={leaf} />;
  }
}

function useFormLabel(form: string): string {
  const { catalogue } = useVocabulary();
  const language = useLanguage();
  return formEntry(catalogue, form)?.label[language] ?? form;
}

function text(body: JsonObject, member: string): string {
  const value = body[member];
  return typeof value === 'string' ? value : '';
}

function useFactOptions(leaf: LeafNode, at: RowPlace): readonly Named[] {
  const v = useVocabulary();
  if (leaf.head === 'trait') return v.traits;
  if (leaf.head === 'tag') return at.object === null ? v.tags : v.objectTags(at.object);
  if (leaf.head === 'relation') return v.relations;
  return at.object === null ? v.propertiesOf(at.events) : v.objectProperties(at.object);
}

function Fact({ leaf, at, put }: PartProps) {
  const t = useText(ruleTexts);
  const { catalogue } = useVocabulary();
  const options = useFactOptions(leaf, at);
  const label = useFormLabel(leaf.head);
  const name = text(leaf.body, leaf.head);
  const kind = kindIn(options, name);
  const subject: Subject = { form: leaf.head as Subject['form'], name, events: at.events, object: at.object };
  const choose = (next: string): void => put(withKind(catalogue, { ...leaf.body, [leaf.head]: next }, kindIn(options, next)), '');
  return (
    <>
      {at.place === 'customer' && <span className="rule-head">{label}</span>}
      <NamePicker label={label} value={name} options={options} onChange={choose} />
      <Comparison body={leaf.body} kind={kind} subject={subject} onChange={put} without={leaf.head === 'prop' ? '' : t.isSet} step={at.step} name={name === '' ? label : name} />
    </>
  );
}

function Simple({ leaf, put }: PartProps) {
  const v = useVocabulary();
  const language = useLanguage();
  const label = useFormLabel(leaf.head);
  const t = useText(ruleTexts);
  const reach: Named[] = reachChannels.map((value) => ({ value, label: t.reachChannel[value] ?? value, kind: 'bool' }));
  const options = { segment: v.segments, has: v.identifiers, reachable: reach }[leaf.head as 'segment' | 'has' | 'reachable'];
  const prefix = { segment: language === 'zh' ? '属于人群' : 'is in segment', has: language === 'zh' ? '有标识' : 'holds', reachable: language === 'zh' ? '今天可触达' : 'reachable today by' }[leaf.head as 'segment' | 'has' | 'reachable'];
  return (
    <>
      <span className="rule-head">{prefix}</span>
      <NamePicker label={label} value={text(leaf.body, leaf.head)} options={options} onChange={(next) => put({ ...leaf.body, [leaf.head]: next }, '')} width={200} />
    </>
  );
}

function Consent({ leaf, put }: PartProps) {
  const t = useText(ruleTexts);
  const v = useVocabulary();
  const label = useFormLabel('consent');
  const { body } = leaf;
  const state = body['is_set'] === true ? 'asked' : body['eq'] === false ? 'refused' : 'granted';
  const choose = (next: string): void => {
    const said: JsonObject = next === 'granted' ? {} : next === 'refused' ? { eq: false } : { is_set: true };
    put({ consent: body['consent'] ?? 'marketing', ...said }, '');
  };
  return (
    <>
      <span className="rule-head">{label}</span>
      <NamePicker label={label} value={text(body, 'consent')} options={v.purposes} onChange={(next) => put({ ...body, consent: next }, '')} />
      <Select
        aria-label={`${label} ${t.status}`} value={state} className="rule-field" popupMatchSelectWidth={false} onChange={choose}
        options={[{ value: 'granted', label: t.granted }, { value: 'refused', label: t.refused }, { value: 'asked', label: t.asked }]}
      />
    </>
  );
}

/* ---- events ---- */

function useEventOptions(): Named[] {
  const v = useVocabulary();
  const t = useText(ruleTexts);
  return [{ value: '*', label: t.anyEvent, kind: 'text' }, ...v.events];
}

function EventPicker({ body, put, label }: { body: JsonObject; put: (body: JsonObject, mark?: string) => void; label: string }) {
  const options = useEventOptions();
  const events = eventsOf(body);
  const [first, ...more] = events;
  const t = useText(ruleTexts);
  const write = (names: readonly string[]): void => put({ ...body, event: names.length === 1 && !Array.isArray(body['event']) ? (names[0] as string) : names.length <= 1 ? (names[0] ?? '') : [...names] }, '');
  if (more.length > 0) return <NamesPicker label={label} value={events} options={options} onChange={write} />;
  return (
    <span className="row" style={{ gap: 2 }}>
      <NamePicker label={label} value={first ?? ''} options={options} onChange={(next) => write([next])} width={180} />
      <Tooltip title={t.list.trim()}>
        <Button type="text" size="small" icon={<PlusOutlined />} aria-label={`${label} ${t.list.trim()}`} disabled={first === undefined || first === '' || first === '*'} onClick={() => put({ ...body, event: [first ?? '', ''] }, '')} />
      </Tooltip>
    </span>
  );
}

function Measure({ leaf, put }: PartProps) {
  const t = useText(ruleTexts);
  const language = useLanguage();
  const v = useVocabulary();
  const { isMeasure } = useEditor();
  const { body } = leaf;
  const measure = text(body, 'measure');
  const of = text(body, 'of');
  const isTouch = leaf.head === 'touch';
  const entry = v.catalogue.measures.find((one) => one.measure === (measure === '' ? 'count' : measure));
  const properties = v.propertiesOf(eventsOf(body));
  const fitting = properties.filter((one) => entry === undefined || entry.kinds.includes(one.kind));
  const kind: Kind = measuredKind(v.catalogue, measure === '' ? 'count' : measure, of === '' ? null : kindIn(properties, of));
  const choose = (next: string): void => {
    const { measure: _measure, of: _of, ...rest } = body;
    const chosen = v.catalogue.measures.find((one) => one.measure === next);
    const keepsOf = of !== '' && chosen !== undefined && chosen.of !== 'none' && chosen.kinds.includes(kindIn(properties, of));
    const nextOf = keepsOf ? of : chosen?.of === 'required' ? (properties.find((one) => one.value === 'revenue' && chosen.kinds.includes(one.kind)) ?? properties.find((one) => chosen.kinds.includes(one.kind)))?.value : undefined;
    const nextKind = measuredKind(v.catalogue, next, nextOf === undefined ? null : kindIn(properties, nextOf));
    put(withKind(v.catalogue, { ...rest, ...(next === 'count' && body['measure'] === undefined ? {} : { measure: next }), ...(nextOf === undefined ? {} : { of: nextOf }) }, nextKind), '');
  };
  const measures = v.catalogue.measures.filter((one) => !isTouch || ['count', 'days', 'recency', 'first', 'last'].includes(one.measure));
  return (
    <>
      <Select
        aria-label={t.measure} value={measure === '' ? 'count' : measure} className="rule-field" popupMatchSelectWidth={false} onChange={choose}
        options={measures.map((one) => ({ value: one.measure, label: one.label[language] }))}
      />
      {entry !== undefined && entry.of !== 'none' && !isTouch && (
        <NamePicker
          label={t.of} value={of} options={entry.of === 'optional' ? [{ value: '', label: language === 'zh' ? '时间' : 'its time', kind: 'time' }, ...fitting] : fitting}
          onChange={(next) => {
            const { of: _of, ...rest } = body;
            put(withKind(v.catalogue, next === '' ? rest : { ...rest, of: next }, measuredKind(v.catalogue, measure, kindIn(properties, next))), '');
          }}
        />
      )}
      {!isMeasure && <Comparison body={body} kind={kind} subject={noSubject} onChange={put} without={measure === '' || measure === 'count' ? t.happened : t.exists} name={entry?.label[language] ?? t.measure} />}
    </>
  );
}

function Where({ leaf, at, more }: { leaf: LeafNode; at: RowPlace; more?: ReactNode }) {
  const t = useText(ruleTexts);
  const { edit } = useEditor();
  const inside: RowPlace = { place: 'event', events: eventsOf(leaf.body), object: null, step: at.step };
  if (leaf.where === undefined) {
    return (
      <div className="rule-foot">
        <Button
          type="text" size="small" className="rule-quiet" icon={<PlusOutlined />}
          onClick={() => edit((now) => changeLeaf(now, leaf.id, (one) => ({ ...one, where: { shape: 'list', group: { id: newId(), form: 'all', children: [newLeaf('prop')] } } })))}
        >
          {t.addProperty}
        </Button>
        {more}
      </div>
    );
  }
  return (
    <>
      <Group group={leaf.where.group} at={inside} label={<span className="rule-where">{t.where}</span>} />
      {more !== undefined && <div className="rule-foot">{more}</div>}
    </>
  );
}

function Event({ leaf, at, put }: PartProps) {
  const t = useText(ruleTexts);
  const { catalogue } = useVocabulary();
  const members = formEntry(catalogue, 'event')?.members ?? [];
  const { body } = leaf;
  return (
    <div className="rule-event">
      <div className="rule-parts">
        <WindowField body={body} onChange={(next) => put(next, '')} label={t.window} />
        {body['nth'] !== undefined && members.includes('nth') && <NthField body={body} put={put} />}
        <EventPicker body={body} put={put} label={t.event} />
        <Measure leaf={leaf} at={at} put={put} />
      </div>
      <Where leaf={leaf} at={at} more={<EventOptions body={body} members={members} put={put} />} />
    </div>
  );
}

function NthField({ body, put }: { body: JsonObject; put: (body: JsonObject) => void }) {
  const t = useText(ruleTexts);
  return (
    <Tooltip title={t.nthHint}>
      <InputNumber<number> aria-label={t.nth} className="rule-field rule-count" value={typeof body['nth'] === 'number' ? body['nth'] : 1} min={-16} max={1000} precision={0} controls={false} prefix="#" onChange={(nth) => put({ ...body, nth: nth === null || nth === 0 ? 1 : nth })} />
    </Tooltip>
  );
}

/* What few conditions need: which one of her life, net of refunds. */
function EventOptions({ body, members, put }: { body: JsonObject; members: readonly string[]; put: (body: JsonObject, mark?: string) => void }) {
  const t = useText(ruleTexts);
  const toggle = (member: 'nth' | 'net', value: Json): void => {
    const { [member]: before, ...rest } = body;
    put(before === undefined ? { ...body, [member]: value } : rest, '');
  };
  return (
    <span className="row rule-options" style={{ gap: 10 }}>
      {members.includes('net') && <Tooltip title={t.netHint}><Checkbox checked={body['net'] === true} onChange={() => toggle('net', true)}>{t.net}</Checkbox></Tooltip>}
      {members.includes('nth') && <Tooltip title={t.nthHint}><Checkbox checked={body['nth'] !== undefined} onChange={() => toggle('nth', 1)}>{t.nth}</Checkbox></Tooltip>}
    </span>
  );
}

/* ---- sequences: a strip of steps from left to right ---- */

function Sequence({ leaf, at, put }: PartProps) {
  const t = useText(ruleTexts);
  const { edit } = useEditor();
  const steps = leaf.steps ?? [];
  const setSteps = (next: LeafNode[]): void => edit((now) => changeLeaf(now, leaf.id, (one) => ({ ...one, steps: next })));
  return (
    <div className="rule-event">
      <div className="rule-parts">
        <WindowField body={leaf.body} onChange={(next) => put(next, '')} label={t.window} />
        <WithinField
          value={leaf.body['within']}
          onChange={(within) => {
            const { within: _within, ...rest } = leaf.body;
            put(within === undefined ? rest : { ...rest, within }, '');
          }}
        />
      </div>
      <ol className="rule-strip">
        {steps.map((step, index) => (
          <Step key={step.id} step={step} index={index} at={at} onRemove={steps.length > 2 ? () => setSteps(steps.filter((one) => one.id !== step.id)) : null} />
        ))}
        {steps.length < 10 && <li className="rule-step-add"><Button type="dashed" size="small" icon={<PlusOutlined />} onClick={() => setSteps([...steps, newStep('')])}>{t.addStep}</Button></li>}
      </ol>
    </div>
  );
}

function Step({ step, index, at, onRemove }: { step: LeafNode; index: number; at: RowPlace; onRemove: (() => void) | null }) {
  const t = useText(ruleTexts);
  const v = useVocabulary();
  const { edit, problems } = useEditor();
  const put = (body: JsonObject, mark?: string): void => edit((now) => changeLeaf(now, step.id, (one) => ({ ...one, body })), mark ?? `row ${step.id}`);
  const { body } = step;
  const same = body['same'];
  const problem = problems.get(step.id);
  return (
    <li className={`rule-step ${body['absent'] === true ? 'absent' : ''}`}>
      <div className="row between">
        <span className="rule-step-number">{t.stepNumber(index + 1)}</span>
        {onRemove !== null && <Button type="text" size="small" icon={<CloseOutlined />} aria-label={`${t.remove} ${t.stepNumber(index + 1)}`} onClick={onRemove} />}
      </div>
      {index > 0 && (
        <Select
          aria-label={`${t.stepNumber(index + 1)} ${t.status}`} className="rule-field" value={body['absent'] === true} popupMatchSelectWidth={false} options={[{ value: false, label: `${t.then} ${t.present}` }, { value: true, label: `${t.then} ${t.absent}` }]}
          onChange={(absent: boolean) => {
            const { absent: _absent, ...rest } = body;
            put(absent ? { ...rest, absent: true } : rest, '');
          }}
        />
      )}
      <EventPicker body={body} put={put} label={`${t.stepNumber(index + 1)} ${t.event}`} />
      {index > 0 && (
        <NamesPicker
          label={`${t.stepNumber(index + 1)} ${t.same}`} value={same === undefined ? [] : (Array.isArray(same) ? same : [same]).map(String)} options={v.propertiesOf(eventsOf(body)).filter((one) => one.kind === 'text' || one.kind === 'texts')} placeholder={t.same}
          onChange={(names) => {
            const { same: _same, ...rest } = body;
            put(names.length === 0 ? rest : { ...rest, same: names.length === 1 ? (names[0] as string) : names }, '');
          }}
        />
      )}
      <Where leaf={step} at={{ ...at, step: index }} />
      {problem !== undefined && <p className="rule-problem" role="alert">{problem}</p>}
    </li>
  );
}

/* ---- touches ---- */

const touchMembers = ['journey', 'node', 'campaign', 'template', 'channel'] as const;

function Touch({ leaf, at, put }: PartProps) {
  const t = useText(ruleTexts);
  const v = useVocabulary();
  const label = useFormLabel('touch');
  const by = isObject(leaf.body['touch']) ? leaf.body['touch'] : {};
  const status = leaf.body['status'];
  const free = touchMembers.filter((name) => by[name] === undefined);
  const setBy = (name: string, names: string[]): void => {
    const { [name]: _gone, ...rest } = by;
    put({ ...leaf.body, touch: names.length === 0 ? rest : { ...rest, [name]: names.length === 1 ? (names[0] as string) : names } }, '');
  };
  return (
    <div className="rule-parts">
      <span className="rule-head">{label}</span>
      <WindowField body={leaf.body} onChange={(next) => put(next, '')} label={t.window} />
      {touchMembers.filter((name) => by[name] !== undefined).map((name) => (
        <NamesPicker key={name} label={t.touchBy[name] ?? name} value={[by[name]].flat().map(String)} options={name === 'channel' ? v.channels : []} placeholder={t.touchBy[name] ?? name} onChange={(names) => setBy(name, names)} />
      ))}
      {free.length > 0 && <Select aria-label={`${label} ${t.of}`} className="rule-field" value={null} placeholder={`+ ${t.touchBy['journey'] ?? ''}…`} popupMatchSelectWidth={false} options={free.map((name) => ({ value: name as string, label: t.touchBy[name] ?? name }))} onChange={(name: string) => setBy(name, [name === 'channel' ? 'sms' : ''])} />}
      <NamesPicker
        label={t.status} value={status === undefined ? [] : [status].flat().map(String)} placeholder={t.status} options={Object.entries(t.statuses).map(([value, word]) => ({ value, label: word, kind: 'text' }))}
        onChange={(names) => {
          const { status: _status, ...rest } = leaf.body;
          put(names.length === 0 ? rest : { ...rest, status: names }, '');
        }}
      />
      <Measure leaf={leaf} at={at} put={put} />
    </div>
  );
}

/* ---- objects: kind → via → rule ---- */

function ThroughObject({ leaf, at, put }: PartProps) {
  const t = useText(ruleTexts);
  const v = useVocabulary();
  const label = useFormLabel('object');
  const kind = text(leaf.body, 'object');
  const known = at.place === 'event' ? v.propertiesOf(at.events) : at.place === 'object' && at.object !== null ? v.objectProperties(at.object) : [...v.traits, ...v.relations];
  const ids = known.filter((one) => one.kind === 'text' || one.kind === 'texts');
  const leading = v.viasTo(kind, at.place === 'event' ? at.events : null, at.place === 'object' ? at.object : null);
  const likely = [...leading.map((via) => ids.find((one) => one.value === via) ?? { value: via, label: propertyLabel(via, v.language), kind: 'text' as const }), ...ids.filter((one) => !leading.includes(one.value))];
  const choose = (next: string): void => {
    const [via] = v.viasTo(next, at.place === 'event' ? at.events : null, at.place === 'object' ? at.object : null);
    put({ ...leaf.body, object: next, via: text(leaf.body, 'via') === '' ? (via ?? '') : (leaf.body['via'] ?? '') }, '');
  };
  return (
    <div className="rule-event">
      <div className="rule-parts">
        <span className="rule-head">{label}</span>
        <NamePicker label={label} value={kind} options={v.objects} onChange={choose} />
        <Tooltip title={t.viaHint}><span className="faint">{t.via}</span></Tooltip>
        <NamePicker label={t.via} value={text(leaf.body, 'via')} options={likely} onChange={(next) => put({ ...leaf.body, via: next }, '')} />
      </div>
      {leaf.rule !== undefined && <Group group={leaf.rule.group} at={{ place: 'object', events: [], object: kind, step: at.step }} label={<span className="rule-where">{t.objectRule}</span>} />}
    </div>
  );
}

function Unknown({ leaf }: { leaf: LeafNode }): ReactNode {
  const t = useText(ruleTexts);
  return (
    <div className="grow">
      <span className="mono cut" style={{ display: 'block' }}>{JSON.stringify(leaf.body)}</span>
      <span className="small faint">{t.unknownForm}</span>
    </div>
  );
}
