/* SPDX-License-Identifier: Apache-2.0 */
/* SegmentEditPage: make or change a segment of any kind. */
import { useQuery } from '@tanstack/react-query';
import { Input, InputNumber, Select } from 'antd';
import { useState } from 'react';
import { useParams } from 'react-router';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { nameOf, type Definition } from '@/features/audience/audience';
import { EditorFrame } from '@/features/audience/EditorFrame';
import { KindChooser } from '@/features/audience/KindChooser';
import { audienceTexts } from '@/features/audience/texts';
import { useEditing } from '@/features/audience/useEditing';
import { openNodes } from '@/features/rules/draft';
import { isObject, readRule, type JsonObject } from '@/features/rules/model';
import { RuleEditor } from '@/features/rules/RuleEditor';
import { customers } from '@/features/rules/usePreview';
import { useLoadedVocabulary } from '@/features/rules/vocabulary';
import { percent } from '@/lib/format';
import { Page, Panel } from '@/ui/Page';
import { Bones, Failure } from '@/ui/States';
import { segmentTexts } from './texts';

const kinds = ['rule', 'algebra', 'random', 'upload', 'static', 'snapshot'] as const;
const fresh: Readonly<Record<string, JsonObject>> = {
  rule: { rule: { all: [] } },
  algebra: { kind: 'algebra', op: 'intersection', of: [] },
  random: { kind: 'random', seed: '', buckets: 100, from: 0, to: 10 },
  static: { kind: 'static' },
  upload: { kind: 'upload' },
  snapshot: { kind: 'snapshot', of: '' },
};

export function SegmentEditPage() {
  const { key } = useParams();
  const t = useText(segmentTexts);
  const saved = useQuery({ ...queries.definition('segments', key ?? ''), enabled: key !== undefined });
  if (key === undefined) return <Editor saved={null} />;
  if (saved.data === undefined) return <Page title={t.editTitle(key)}>{saved.isError ? <Panel><Failure error={saved.error} retry={() => void saved.refetch()} /></Panel> : <Panel><Bones rows={10} inset={0} /></Panel>}</Page>;
  return <Editor key={saved.data.key} saved={saved.data} />;
}

function kindOf(core: JsonObject): string {
  return typeof core['kind'] === 'string' ? core['kind'] : 'rule';
}

function blockedBy(core: JsonObject, t: ReturnType<typeof useText<typeof segmentTexts.zh>>): string | null {
  const kind = kindOf(core);
  if (kind === 'rule') return isObject(core['rule']) && openNodes(readRule(core['rule']).root).length === 0 ? null : t.ruleMissing;
  if (kind === 'algebra') return Array.isArray(core['of']) && core['of'].length >= 2 ? null : t.atLeastTwo;
  if (kind === 'snapshot') return typeof core['of'] === 'string' && core['of'] !== '' ? null : t.atLeastOne;
  if (kind !== 'random') return null;
  if (core['seed'] === '') return t.seedMissing;
  const [buckets, from, to] = [Number(core['buckets']), Number(core['from']), Number(core['to'])];
  return from >= 0 && from < to && to <= buckets ? null : t.rangeWrong;
}

function Editor({ saved }: { saved: Definition | null }) {
  const t = useText(segmentTexts);
  const a = useText(audienceTexts);
  const editing = useEditing({ kind: 'segments', saved, fresh: fresh['rule'] as JsonObject });
  /* what was typed for another kind comes back when it is chosen again */
  const [left, setLeft] = useState<Readonly<Record<string, JsonObject>>>({});
  const { core } = editing.edited;
  const kind = kindOf(core);
  const on = typeof core['on'] === 'string' ? core['on'] : customers;
  const choose = (next: string): void => {
    setLeft({ ...left, [kind]: core });
    editing.setCore(left[next] ?? fresh[next] ?? {});
  };
  return (
    <Page title={saved === null ? t.newTitle : t.editTitle(nameOf(saved))} purpose={t.editPurpose}>
      <EditorFrame kind="segments" editing={editing} prefix="segment" blocked={blockedBy(core, t)} isGiven={kind === 'static' || kind === 'upload'}>
        {saved === null && <KindChooser label={a.kind} value={kind} kinds={kinds.map((one) => ({ value: one, name: a.segmentKinds[one] ?? one, help: t.kindHelp[one] ?? '' }))} onChange={choose} />}
        <Panel>
          {kind === 'rule' && saved === null && <LookingFor on={on} onChange={(next) => editing.setCore(next === customers ? { rule: core['rule'] ?? { all: [] } } : { on: next, rule: { all: [] } })} />}
          {kind === 'rule' && <RuleEditor key={on} on={on} value={isObject(core['rule']) ? core['rule'] : { all: [] }} onChange={(rule) => editing.setCore({ ...core, rule })} error={editing.error} explainKey={saved?.key} />}
          {kind === 'algebra' && <Algebra core={core} self={saved?.key ?? ''} onChange={editing.setCore} />}
          {kind === 'random' && <Random core={core} onChange={editing.setCore} />}
          {kind === 'snapshot' && <Snapshot core={core} onChange={editing.setCore} isNew={saved === null} />}
          {(kind === 'static' || kind === 'upload') && <p className="soft">{saved === null ? t.givenHint : t.givenText}</p>}
        </Panel>
      </EditorFrame>
    </Page>
  );
}

interface FormProps {
  core: JsonObject;
  onChange: (core: JsonObject) => void;
}

/* Customers, or the stores, products, advisers instead. */
function LookingFor({ on, onChange }: { on: string; onChange: (on: string) => void }) {
  const t = useText(segmentTexts);
  const { vocabulary } = useLoadedVocabulary();
  const objects = vocabulary?.objects ?? [];
  if (objects.length === 0) return null;
  return (
    <label className="row" style={{ marginBottom: 12 }}>
      <span className="soft">{t.on}</span>
      <Select aria-label={t.on} value={on} onChange={onChange} style={{ minWidth: 140 }} options={[{ value: customers, label: t.people }, ...objects.map((one) => ({ value: one.value, label: one.label }))]} />
    </label>
  );
}

function useOthers(self: string) {
  const list = useQuery(queries.definitions('segments'));
  return (list.data?.items ?? []).filter((one) => one.key !== self && one.on === 'customer').map((one) => ({ value: one.key, label: nameOf(one) }));
}

function Algebra({ core, self, onChange }: FormProps & { self: string }) {
  const t = useText(segmentTexts);
  const options = useOthers(self);
  const of = Array.isArray(core['of']) ? core['of'].map(String) : [];
  return (
    <div className="stack" style={{ gap: 12, maxWidth: 720 }}>
      <label className="field"><span>{t.op}</span><Select aria-label={t.op} value={String(core['op'])} onChange={(op: string) => onChange({ ...core, op })} options={Object.entries(t.ops).map(([value, label]) => ({ value, label }))} /></label>
      <label className="field">
        <span>{t.of}</span>
        <Select mode="multiple" aria-label={t.of} value={of} onChange={(next: string[]) => onChange({ ...core, of: next })} options={options} showSearch={{ optionFilterProp: 'label' }} placeholder={t.atLeastTwo} />
        {core['op'] === 'difference' && <span className="small faint">{t.first}</span>}
      </label>
    </div>
  );
}

function Random({ core, onChange }: FormProps) {
  const t = useText(segmentTexts);
  const number = (member: 'buckets' | 'from' | 'to', label: string, most: number) => (
    <label className="field"><span>{label}</span><InputNumber<number> aria-label={label} value={Number(core[member])} min={member === 'buckets' ? 1 : 0} max={most} precision={0} onChange={(value) => onChange({ ...core, [member]: value ?? 0 })} /></label>
  );
  const share = (Number(core['to']) - Number(core['from'])) / Math.max(1, Number(core['buckets']));
  return (
    <div className="stack" style={{ gap: 12 }}>
      <div className="row wrap" style={{ gap: 16, alignItems: 'flex-start' }}>
        <label className="field"><span>{t.seed}</span><Input className="mono" aria-label={t.seed} value={String(core['seed'] ?? '')} onChange={(event) => onChange({ ...core, seed: event.target.value })} style={{ width: 180 }} /></label>
        {number('buckets', t.buckets, 1_000_000)}
        {number('from', t.from, Number(core['buckets']))}
        {number('to', t.to, Number(core['buckets']))}
      </div>
      <p className="small faint">{t.seedHint} · {t.share(percent(Math.max(0, share)))}</p>
    </div>
  );
}

function Snapshot({ core, onChange, isNew }: FormProps & { isNew: boolean }) {
  const t = useText(segmentTexts);
  const options = useOthers('');
  return (
    <label className="field" style={{ maxWidth: 420 }}><span>{t.ofOne}</span>
      <Select aria-label={t.ofOne} value={core['of'] === '' ? null : String(core['of'])} disabled={!isNew} placeholder={t.atLeastOne} onChange={(of: string) => onChange({ ...core, of })} options={options} showSearch={{ optionFilterProp: 'label' }} />
    </label>
  );
}
