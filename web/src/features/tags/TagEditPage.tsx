/* SPDX-License-Identifier: Apache-2.0 */
/* TagEditPage: make or change a tag; each kind has its own builder. */
import { useQuery } from '@tanstack/react-query';
import { Button, Select } from 'antd';
import { useState } from 'react';
import { useParams } from 'react-router';
import { queries } from '@/api/queries';
import { useLanguage, useText } from '@/app/preferences';
import { nameOf, type Definition } from '@/features/audience/audience';
import { EditorFrame } from '@/features/audience/EditorFrame';
import { KindChooser } from '@/features/audience/KindChooser';
import { audienceTexts } from '@/features/audience/texts';
import { useEditing } from '@/features/audience/useEditing';
import { isObject, type JsonObject } from '@/features/rules/model';
import { RuleEditor } from '@/features/rules/RuleEditor';
import { Page, Panel } from '@/ui/Page';
import { Bones, Failure } from '@/ui/States';
import { RfmForm } from './RfmForm';
import { ScoreForm } from './ScoreForm';
import { StageFlow } from './StageFlow';
import { freshTags, isGiven, kindOf, listOf, missingIn, stageTemplates, tagKinds, textOf, type GivenType, type TagKind } from './tag';
import { tagTexts } from './texts';
import { ValuesForm } from './ValuesForm';

export function TagEditPage() {
  const { key } = useParams();
  const t = useText(tagTexts);
  const saved = useQuery({ ...queries.definition('tags', key ?? ''), enabled: key !== undefined });
  if (key === undefined) return <Editor saved={null} />;
  if (saved.data === undefined) return <Page title={t.editTitle(key)}>{saved.isError ? <Panel><Failure error={saved.error} retry={() => void saved.refetch()} /></Panel> : <Panel><Bones rows={10} inset={0} /></Panel>}</Page>;
  return <Editor key={saved.data.key} saved={saved.data} />;
}

function Editor({ saved }: { saved: Definition | null }) {
  const t = useText(tagTexts);
  const a = useText(audienceTexts);
  const editing = useEditing({ kind: 'tags', saved, fresh: freshTags.rule });
  const [left, setLeft] = useState<Readonly<Partial<Record<TagKind, JsonObject>>>>({});
  const { core } = editing.edited;
  const kind = kindOf(core);
  const missing = missingIn(core);
  const choose = (next: string): void => {
    const wanted = kindOf({ kind: next });
    setLeft({ ...left, [kind]: core });
    editing.setCore(left[wanted] ?? freshTags[wanted]);
  };
  return (
    <Page title={saved === null ? t.newTitle : t.editTitle(nameOf(saved))} purpose={t.editPurpose}>
      <EditorFrame kind="tags" editing={editing} prefix="tag" blocked={missing === null ? null : t[missing]} isGiven={isGiven(kind)}>
        {saved === null && <KindChooser label={a.kind} value={kind} kinds={tagKinds.map((one) => ({ value: one, name: a.tagKinds[one] ?? one, help: t.kindHelp[one] ?? '' }))} onChange={choose} />}
        <Builder kind={kind} core={core} onChange={editing.setCore} error={editing.error} saved={saved} />
      </EditorFrame>
    </Page>
  );
}

interface BuilderProps {
  kind: TagKind;
  core: JsonObject;
  onChange: (core: JsonObject) => void;
  error: unknown;
  saved: Definition | null;
}

function Builder({ kind, core, onChange, error, saved }: BuilderProps) {
  const t = useText(tagTexts);
  const [opened, setOpened] = useState<number | null>(0);
  switch (kind) {
    case 'rule': return <Panel title={t.values}><ValuesForm core={core} member="values" onChange={onChange} error={error} opened={opened} onOpen={setOpened} /></Panel>;
    case 'stage': return (
      <>
        {listOf(core, 'stages').length === 0 ? <Templates onChoose={(stages) => onChange({ ...core, stages })} /> : <StageFlow stages={listOf(core, 'stages')} sizes={saved?.sizes ?? []} opened={opened} onOpen={setOpened} />}
        <Panel title={t.stages}><ValuesForm core={core} member="stages" onChange={onChange} error={error} opened={opened} onOpen={setOpened} /></Panel>
      </>
    );
    case 'score': return <ScoreForm core={core} onChange={onChange} error={error} savedKey={saved?.key} />;
    case 'rfm': return <RfmForm core={core} onChange={onChange} error={error} saved={saved} />;
    case 'count': return (
      <Panel title={t.measure}>
        {isObject(core['measure']) && <RuleEditor value={core['measure']} onChange={(measure) => onChange({ ...core, measure })} panel="none" isMeasure error={error} errorPrefix="/measure" />}
        <p className="small faint" style={{ marginTop: 8 }}>{t.countSays}</p>
      </Panel>
    );
    case 'manual': case 'imported': case 'model': return (
      <Panel>
        <label className="field" style={{ maxWidth: 240 }}><span>{t.type}</span>
          <Select aria-label={t.type} value={textOf(core['type']) as GivenType} disabled={saved !== null} onChange={(type: GivenType) => onChange({ ...core, type })} options={(['text', 'number', 'time', 'bool'] as const).map((value) => ({ value, label: t.types[value] }))} />
        </label>
        <p className="small faint" style={{ marginTop: 8 }}>{t.givenHint}</p>
      </Panel>
    );
  }
}

function Templates({ onChoose }: { onChoose: (stages: JsonObject[]) => void }) {
  const t = useText(tagTexts);
  const language = useLanguage();
  return (
    <Panel title={t.template}>
      <div className="row wrap">
        {(['aipl', 'lifecycle'] as const).map((one) => <Button key={one} onClick={() => onChoose([...stageTemplates[one][language]])}>{t[one]}</Button>)}
      </div>
    </Panel>
  );
}
