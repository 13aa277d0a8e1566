/* SPDX-License-Identifier: Apache-2.0 */
/* CanvasTab: the canvas with its tools and the inspector beside it; the open node is in the address. */
import { CopyOutlined, PartitionOutlined, RedoOutlined, SnippetsOutlined, UndoOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { App, Button, Dropdown } from 'antd';
import { useCallback, useEffect, useMemo } from 'react';
import type { ApiProblem } from '@/api/client';
import { keep, kept, useLanguage, useText } from '@/app/preferences';
import { useFilters } from '@/lib/hooks';
import { ActionButton, useRightReason } from '@/ui/Controls';
import { Panel } from '@/ui/Page';
import { Bones, Loaded } from '@/ui/States';
import { Canvas, KindIcon, paletteMime, triggerId } from './Canvas';
import { connect, copied, insertInto, layoutOf, pasted, withoutLayout, withPlace } from './changes';
import { flawsOf, type Found } from './check';
import { Inspector } from './Inspector';
import { addAfter, canLead, journeyQueries, keyOf, kindOf, nodeAt, textOf, waysOf, withoutNode, type Definition, type Journey, type JourneyCatalogue } from './model';
import { journeyTexts } from './texts';
import type { DraftHandle } from './useDraft';

export function CanvasTab({ journey, draft, refusal }: { journey: Journey; draft: DraftHandle; refusal: ApiProblem | null }) {
  const catalogue = useQuery(journeyQueries.catalogue());
  return <Loaded query={catalogue} skeleton={<Panel><Bones rows={10} inset={0} /></Panel>}>{(data) => <Work journey={journey} draft={draft} refusal={refusal} catalogue={data} />}</Loaded>;
}

function Work({ journey, draft, refusal, catalogue }: { journey: Journey; draft: DraftHandle; refusal: ApiProblem | null; catalogue: JourneyCatalogue }) {
  const [filters, setFilters] = useFilters({ node: '' });
  const report = useQuery(journeyQueries.report(journey.key));
  const { definition } = draft;
  const opened = filters.node === triggerId || Object.hasOwn(definition.nodes, filters.node) ? filters.node : '';
  const open = useCallback((id: string) => setFilters({ node: id }), [setFilters]);
  const noRole = useRightReason('journey.change');
  const t = useText(journeyTexts);
  const language = useLanguage();
  const flaws = useMemo(() => flawsOf(definition, catalogue), [definition, catalogue]);
  const say = useCallback((one: Found): string => (t.flaw[one.flaw] ?? t.flaw['kind'])?.(one.member?.text[language] ?? '') ?? '', [t, language]);
  const problems = useMemo(() => {
    const marks = new Map<string, string>();
    for (const one of draft.isChanged ? flaws : []) marks.set(one.node, say(one));
    for (const one of refusal?.pointers ?? []) marks.set(nodeAt(one.pointer), one.detail);
    return marks;
  }, [refusal, flaws, say, draft.isChanged]);
  const add = useCallback((type: string, on: string): void => {
    const grown = addAt(definition, catalogue, on, type);
    draft.change(grown.definition);
    open(grown.id);
  }, [definition, catalogue, draft.change, open]);
  const hands = useMemo(() => (noRole !== null ? null : {
    onPlace: (id: string, place: { x: number; y: number }) => draft.change(withPlace(definition, id, place)),
    onConnect: (from: string, to: string) => draft.change(connect(definition, catalogue, from, to)),
    onDrop: add,
  }), [noRole, draft.change, definition, catalogue, add]);
  return (
    <div className="stack" style={{ gap: 12 }}>
      <Tools draft={draft} catalogue={catalogue} opened={opened} onOpen={open} />
      <div className={`journey-work ${opened === '' ? '' : 'with-inspector'} ${hands === null ? '' : 'with-palette'}`}>
        {hands !== null && <Palette catalogue={catalogue} onAdd={(type) => add(type, opened === '' ? lastOf(definition, catalogue) : opened)} />}
        <Canvas definition={definition} catalogue={catalogue} report={report.data?.nodes ?? []} entered={journey.entered} inside={journey.inside} opened={opened} problems={problems} onOpen={open} hands={hands} />
        {opened !== '' && <Inspector key={opened} id={opened} definition={definition} catalogue={catalogue} onChange={draft.change} onClose={() => open('')} />}
      </div>
      {draft.isChanged && <Flaws flaws={flaws} say={say} nameOf={(id) => textOf(definition.nodes[id]?.['name']) || (kindOf(catalogue, textOf(definition.nodes[id]?.['type']))?.text[language] ?? (id === '' ? t.start : id))} onOpen={(id) => open(id === '' ? triggerId : id)} />}
    </div>
  );
}

/* Where a kind from the palette goes: into the way it was dropped on, else after the node; before all, on the trigger. */
function addAt(definition: Definition, catalogue: JourneyCatalogue, on: string, type: string): { definition: Definition; id: string } {
  const way = waysOf(definition, catalogue, 'en').find((one) => keyOf(one) === on);
  if (way !== undefined) return insertInto(definition, catalogue, way, type);
  return addAfter(definition, catalogue, on === triggerId || !canLead(definition.nodes[on] ?? {}, catalogue) ? '' : on, type);
}

/* The first node whose own way leads nowhere yet: where one would go on drawing. */
function lastOf(definition: Definition, catalogue: JourneyCatalogue): string {
  const leading = new Set(waysOf(definition, catalogue, 'en').map((one) => one.from));
  return Object.keys(definition.nodes).find((id) => !leading.has(id) && canLead(definition.nodes[id] ?? {}, catalogue)) ?? triggerId;
}

function Palette({ catalogue, onAdd }: { catalogue: JourneyCatalogue; onAdd: (type: string) => void }) {
  const t = useText(journeyTexts);
  const language = useLanguage();
  return (
    <section className="journey-palette" aria-label={t.palette} tabIndex={0}>
      <h2 title={t.paletteHint}>{t.palette}</h2>
      <ul>
        {catalogue.nodes.map((kind) => (
          <li key={kind.type}>
            <button
              type="button" draggable title={t.paletteHint} data-kind={kind.type} onClick={() => onAdd(kind.type)}
              onDragStart={(event) => { event.dataTransfer.effectAllowed = 'copy'; event.dataTransfer.setData(paletteMime, kind.type); }}
            >
              <KindIcon type={kind.type} /><span className="cut">{kind.text[language]}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Flaws({ flaws, say, nameOf, onOpen }: { flaws: readonly Found[]; say: (one: Found) => string; nameOf: (id: string) => string; onOpen: (id: string) => void }) {
  const t = useText(journeyTexts);
  if (flaws.length === 0) return <p className="small faint" role="status">{t.noFlaws}</p>;
  return (
    <div className="notice warn" role="status">
      <div className="journey-problems">
        <strong>{t.flaws(flaws.length)}</strong>
        {flaws.map((one) => <span key={`${one.node} ${one.flaw} ${one.member?.name ?? ''}`}>{nameOf(one.node)}: {say(one)} <button type="button" className="link-button" aria-label={`${t.showFlaw} ${nameOf(one.node)}`} onClick={() => onOpen(one.node)}>{t.showFlaw}</button></span>)}
      </div>
    </div>
  );
}

interface ToolsProps {
  draft: DraftHandle;
  catalogue: JourneyCatalogue;
  opened: string;
  onOpen: (id: string) => void;
}

function Tools({ draft, catalogue, opened, onOpen }: ToolsProps) {
  const t = useText(journeyTexts);
  const language = useLanguage();
  const noRole = useRightReason('journey.change');
  const { message } = App.useApp();
  const { definition } = draft;
  useUndoKeys(draft, noRole === null);
  const after = opened === triggerId ? '' : opened;
  const node = after === '' ? undefined : definition.nodes[after];
  const nameOf = (id: string): string => textOf(definition.nodes[id]?.['name']) || (kindOf(catalogue, textOf(definition.nodes[id]?.['type']))?.text[language] ?? id);
  const label = after === '' ? t.addFirst : t.addAfter(nameOf(after));
  const blocked = noRole ?? (node === undefined || canLead(node, catalogue) ? null : t.noWay);
  const add = (type: string): void => {
    const grown = addAfter(definition, catalogue, after, type);
    draft.change(grown.definition);
    onOpen(grown.id);
  };
  const remove = (): void => {
    draft.change(withoutNode(definition, catalogue, after));
    onOpen('');
  };
  const copy = useCallback((): void => {
    const node = copied(definition, catalogue, after);
    if (node === null) return;
    keep(clipboardKey, JSON.stringify(node));
    void message.info(t.copied);
  }, [definition, catalogue, after, message, t]);
  const paste = useCallback((): void => {
    const grown = pasted(definition, catalogue, after === '' || node === undefined || !canLead(node, catalogue) ? '' : after, readJson(kept(clipboardKey)));
    if (grown === null) return void message.info(t.nothingCopied);
    draft.change(grown.definition);
    onOpen(grown.id);
  }, [definition, catalogue, after, node, draft, onOpen, message, t]);
  useClipboardKeys(after === '' ? null : copy, noRole === null ? paste : null);
  return (
    <div className="row wrap">
      {blocked === null
        ? <Dropdown trigger={['click']} menu={{ items: catalogue.nodes.map((kind) => ({ key: kind.type, label: kind.text[language] })), onClick: ({ key }) => add(key), style: { maxHeight: 420, overflow: 'auto' } }}><Button>{label}</Button></Dropdown>
        : <ActionButton reason={blocked}>{label}</ActionButton>}
      {after !== '' && <ActionButton danger reason={noRole} onClick={remove}>{t.removeNode}</ActionButton>}
      {after !== '' && <ActionButton type="text" icon={<CopyOutlined />} aria-label={t.copy} title={t.copy} onClick={copy} />}
      <ActionButton type="text" icon={<SnippetsOutlined />} aria-label={t.paste} title={t.paste} reason={noRole} onClick={paste} />
      <ActionButton type="text" icon={<PartitionOutlined />} aria-label={t.arrange} title={t.arrange} reason={noRole} disabled={layoutOf(definition).size === 0} onClick={() => draft.change(withoutLayout(definition))} />
      <ActionButton type="text" icon={<UndoOutlined />} aria-label={t.undo} reason={noRole} disabled={!draft.canUndo} onClick={draft.undo} />
      <ActionButton type="text" icon={<RedoOutlined />} aria-label={t.redo} reason={noRole} disabled={!draft.canRedo} onClick={draft.redo} />
      {draft.isChanged && <Button type="text" onClick={draft.discard}>{t.discard}</Button>}
    </div>
  );
}

/* One clipboard for all journeys of this browser. */
const clipboardKey = 'kith.clipboard.step';

function readJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null') as unknown;
  } catch {
    return null;
  }
}

/* Ctrl-C and Ctrl-V, but where text is chosen or typed they are the browser's own. */
function useClipboardKeys(copy: (() => void) | null, paste: (() => void) | null): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const isField = event.target instanceof HTMLElement && event.target.matches('input, textarea, [contenteditable]');
      if (isField || !(event.ctrlKey || event.metaKey) || event.shiftKey || (getSelection()?.toString() ?? '') !== '') return;
      const run = event.key.toLowerCase() === 'c' ? copy : event.key.toLowerCase() === 'v' ? paste : null;
      if (run === null) return;
      event.preventDefault();
      run();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [copy, paste]);
}

/* Ctrl-Z and Ctrl-Shift-Z, but in a field they are the field's own. */
function useUndoKeys({ undo, redo }: DraftHandle, enabled: boolean): void {
  useEffect(() => {
    if (!enabled) return;
    const pressed = (event: KeyboardEvent): void => {
      const isField = event.target instanceof HTMLElement && event.target.matches('input, textarea');
      if (isField || event.key.toLowerCase() !== 'z' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      if (event.shiftKey) redo();
      else undo();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [undo, redo, enabled]);
}
