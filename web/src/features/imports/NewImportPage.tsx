/* SPDX-License-Identifier: Apache-2.0 */
/* NewImportPage: from a file to a job: choose, see that it is read right, say what the columns are, look at what would happen,
 * start. Each step stays open to be changed; what follows from it is asked again.
 */
import { ArrowLeftOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, DatePicker, Input, Select, Space } from 'antd';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { api } from '@/api/client';
import { queries } from '@/api/queries';
import { useClock } from '@/app/clock';
import { useLanguage, useText } from '@/app/preferences';
import { useSession } from '@/app/session';
import { dayAfter, dayStart } from '@/lib/format';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Page, Panel } from '@/ui/Page';
import { ChooseFile } from './ChooseFile';
import { FileForm, type Detected } from './FileForm';
import { emptyMapping, isObject, type Json, type Mapping } from './mapping';
import { MappingEditor } from './MappingEditor';
import { Preview, type Previewed } from './Preview';
import { importTexts } from './texts';

/* The document says {} where it means any object. */
const asBody = (value: Json): Record<string, never> => value as Record<string, never>;
const keyPattern = /^[a-z0-9][a-z0-9_-]{0,59}$/;

interface Chosen { file: string; name: string; detected: Detected }

export function NewImportPage() {
  const t = useText(importTexts);
  const notice = useProblemNotice();
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [mapping, setMapping] = useState<Mapping | null>(null);
  const [source, setSource] = useState('');
  const [preview, setPreview] = useState<{ of: string; result: Previewed } | null>(null);
  const detect = useMutation({
    mutationFn: async (given: { file: string; name: string; form?: Json }): Promise<Chosen> => {
      const detected = await api.post('/imports/detect', { body: { file: given.file, ...(given.form === undefined ? {} : { form: asBody(given.form) }) } });
      return { file: given.file, name: given.name, detected: detected as unknown as Detected };
    },
    onSuccess: (found) => {
      setChosen(found);
      setMapping(isObject(found.detected.mapping) ? found.detected.mapping : emptyMapping('events'));
      setPreview(null);
    },
    onError: notice,
  });
  const look = useMutation({
    mutationFn: async (given: { chosen: Chosen; mapping: Mapping }) => ({
      of: JSON.stringify([given.mapping, source]),
      result: await api.post('/imports/preview', { body: { file: given.chosen.file, form: asBody(given.chosen.detected.form), mapping: asBody(given.mapping), ...(source === '' ? {} : { source }) } }),
    }),
    onSuccess: setPreview,
    onError: notice,
  });
  const back = <Link to="/data/imports"><ArrowLeftOutlined /> {t.job.back}</Link>;
  const isFresh = preview !== null && mapping !== null && preview.of === JSON.stringify([mapping, source]);
  return (
    <Page title={t.create} purpose={back}>
      <div className="stack">
        <Panel title={`1 · ${t.steps.file}`} note={chosen?.name}>
          {chosen === null
            ? <ChooseFile isReading={detect.isPending} onChosen={(file, name) => detect.mutate({ file, name })} />
            : <Button size="small" onClick={() => { setChosen(null); setMapping(null); setPreview(null); }}>{t.choose.again}</Button>}
        </Panel>
        {chosen !== null && mapping !== null && (
          <>
            <Panel title={`2 · ${t.steps.form}`} note={t.form.title}>
              <FileForm key={JSON.stringify(chosen.detected.form)} detected={chosen.detected} isReading={detect.isPending} onReadAgain={(form) => detect.mutate({ ...chosen, form })} />
            </Panel>
            <Panel title={`3 · ${t.steps.mapping}`} note={t.map.title}>
              <MappingChoice chosen={chosen} mapping={mapping} onChange={setMapping} />
            </Panel>
            <Panel
              title={`4 · ${t.steps.preview}`} note={t.preview.nothing}
              tools={<Button type={isFresh ? 'default' : 'primary'} size="small" loading={look.isPending} onClick={() => look.mutate({ chosen, mapping })}>{t.preview.run}</Button>}
            >
              <SourceChoice source={source} onChange={setSource} />
              {preview === null ? <p className="faint">{t.preview.title}</p> : (
                <>
                  {!isFresh && <div className="notice warn" role="status" style={{ marginBottom: 12 }}>{t.preview.stale}</div>}
                  <Preview preview={preview.result} />
                </>
              )}
            </Panel>
            {isFresh && <Start chosen={chosen} mapping={mapping} source={source} />}
          </>
        )}
      </div>
    </Page>
  );
}

/* Somebody of a team has to say one of its own. */
function SourceChoice({ source, onChange }: { source: string; onChange: (key: string) => void }) {
  const t = useText(importTexts).preview;
  const sources = useQuery(queries.sources());
  return (
    <label className="field" style={{ maxWidth: 420, marginBottom: 12 }}>
      <span>{t.source}</span>
      <Select
        aria-label={t.source} allowClear value={source === '' ? undefined : source} onChange={(key?: string) => onChange(key ?? '')} showSearch={{ optionFilterProp: 'label' }}
        options={(sources.data?.items ?? []).map((one) => ({ value: one.key, label: one.name === '' ? one.key : one.name }))}
      />
      <span className="small faint">{t.sourceHint}</span>
    </label>
  );
}

interface MappingChoiceProps { chosen: Chosen; mapping: Mapping; onChange: (mapping: Mapping) => void }

function MappingChoice({ chosen, mapping, onChange }: MappingChoiceProps) {
  const t = useText(importTexts).map;
  const language = useLanguage();
  const presets = useQuery(queries.importPresets());
  const saved = useQuery(queries.mappings());
  const [from, setFrom] = useState(chosen.detected.preset === '' ? 'own' : `preset:${chosen.detected.preset}`);
  const named = (presets.data?.items ?? []) as unknown as { key: string; name: { zh: string; en: string }; mapping: Mapping }[];
  const nameOf = (key: string): string => named.find((one) => one.key === key)?.name[language] ?? key;
  const newest = new Map((saved.data?.items ?? []).map((one) => [one.key, one] as const));
  const choose = (value: string): void => {
    setFrom(value);
    const [kind = '', key = ''] = value.split(/:(.*)/s);
    if (kind === 'preset') onChange(named.find((one) => one.key === key)?.mapping ?? mapping);
    if (kind === 'saved') onChange((newest.get(key)?.mapping as Mapping | undefined) ?? mapping);
    if (kind === 'own') onChange((chosen.detected.mapping as Mapping | null) ?? emptyMapping('events'));
  };
  return (
    <div className="stack">
      <div className="row wrap" style={{ gap: 8 }}>
        <Select
          aria-label={t.preset} style={{ width: 280 }} value={from} onChange={choose} showSearch={{ optionFilterProp: 'label' }}
          options={[
            { label: t.preset, options: named.map((one) => ({ value: `preset:${one.key}`, label: one.name[language] })) },
            { label: t.saved, options: [...newest.keys()].map((key) => ({ value: `saved:${key}`, label: key })) },
            { label: t.own, options: [{ value: 'own', label: t.own }] },
          ]}
        />
        <span className="soft">{chosen.detected.preset === '' ? t.guessed : t.presetFound(nameOf(chosen.detected.preset), chosen.detected.score)}</span>
      </div>
      <MappingEditor key={from} mapping={mapping} columns={chosen.detected.columns} onChange={onChange} />
      <SaveMapping mapping={mapping} />
    </div>
  );
}

function SaveMapping({ mapping }: { mapping: Mapping }) {
  const t = useText(importTexts).map;
  const notice = useProblemNotice();
  const client = useQueryClient();
  const { message } = App.useApp();
  const [key, setKey] = useState('');
  const save = useMutation({
    mutationFn: () => api.put('/mappings/{key}', { path: { key }, body: { mapping: asBody(mapping) } }),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ['imports', 'mappings'] });
      void message.success(t.saved_(made.key, made.version));
    },
    onError: notice,
  });
  return (
    <div className="row wrap" style={{ gap: 8 }}>
      <span className="soft">{t.saveAs}</span>
      <Space.Compact>
        <Input className="mono" aria-label={t.saveKey} placeholder={t.saveKey} style={{ width: 180 }} value={key} onChange={(event) => setKey(event.target.value.trim())} />
        <Button disabled={!keyPattern.test(key)} loading={save.isPending} onClick={() => save.mutate()}>{t.save}</Button>
      </Space.Compact>
    </div>
  );
}

function Start({ chosen, mapping, source }: { chosen: Chosen; mapping: Mapping; source: string }) {
  const t = useText(importTexts);
  const { zone } = useClock();
  const notice = useProblemNotice();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { message } = App.useApp();
  const { user } = useSession();
  const noRole = useRightReason('import.create') ?? (user.team !== null && source === '' ? t.preview.sourceNeeded : undefined);
  const [name, setName] = useState(chosen.name);
  const [dataSet, setDataSet] = useState(chosen.detected.preset);
  const [until, setUntil] = useState('');
  const start = useMutation({
    mutationFn: () => api.post('/imports', {
      body: {
        file: chosen.file, form: asBody(chosen.detected.form), mapping: asBody(mapping), name: name.trim(), ...(source === '' ? {} : { source }),
        ...(dataSet.trim() === '' ? {} : { data_set: dataSet.trim() }), ...(until === '' ? {} : { told_until: dayStart(dayAfter(until), zone) }),
      },
    }),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ['imports'] });
      if (made.unchanged) void message.info(t.start.unchanged);
      void navigate(`/data/imports/${made.id}`);
    },
    onError: notice,
  });
  return (
    <Panel title={`5 · ${t.steps.start}`}>
      <div className="stack" style={{ maxWidth: 560 }}>
        <label className="field"><span>{t.start.name}</span><Input value={name} maxLength={200} onChange={(event) => setName(event.target.value)} /></label>
        <label className="field"><span>{t.start.dataSet}</span><Input className="mono" value={dataSet} maxLength={100} onChange={(event) => setDataSet(event.target.value)} /><span className="small faint">{t.start.dataSetHint}</span></label>
        <label className="field"><span>{t.start.toldUntil}</span><DatePicker onChange={(day) => setUntil(day?.format('YYYY-MM-DD') ?? '')} /><span className="small faint">{t.start.toldUntilHint}</span></label>
        <div><ActionButton type="primary" size="large" reason={noRole} loading={start.isPending} onClick={() => start.mutate()}>{t.start.button}</ActionButton></div>
      </div>
    </Panel>
  );
}
