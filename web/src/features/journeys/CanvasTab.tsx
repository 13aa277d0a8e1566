/* SPDX-License-Identifier: Apache-2.0 */
/* CanvasTab: the canvas with its tools and the inspector beside it; the open node is in the address. */
import { RedoOutlined, UndoOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button, Dropdown } from 'antd';
import { useCallback, useEffect, useMemo } from 'react';
import type { ApiProblem } from '@/api/client';
import { useLanguage, useText } from '@/app/preferences';
import { useFilters } from '@/lib/hooks';
import { ActionButton, useRoleReason } from '@/ui/Controls';
import { Panel } from '@/ui/Page';
import { Bones, Loaded } from '@/ui/States';
import { Canvas, triggerId } from './Canvas';
import { Inspector } from './Inspector';
import { addAfter, canLead, journeyQueries, kindOf, nodeAt, textOf, withoutNode, type Journey, type JourneyCatalogue } from './model';
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
  const problems = useMemo(() => {
    const marks = new Map<string, string>();
    for (const one of refusal?.pointers ?? []) marks.set(nodeAt(one.pointer), one.detail);
    return marks;
  }, [refusal]);
  return (
    <div className="stack" style={{ gap: 12 }}>
      <Tools draft={draft} catalogue={catalogue} opened={opened} onOpen={open} />
      <div className={`journey-work ${opened === '' ? '' : 'with-inspector'}`}>
        <Canvas definition={definition} catalogue={catalogue} report={report.data?.nodes ?? []} entered={journey.entered} inside={journey.inside} opened={opened} problems={problems} onOpen={open} />
        {opened !== '' && <Inspector key={opened} id={opened} definition={definition} catalogue={catalogue} onChange={draft.change} onClose={() => open('')} />}
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
  const noRole = useRoleReason('operator');
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
  return (
    <div className="row wrap">
      {blocked === null
        ? <Dropdown trigger={['click']} menu={{ items: catalogue.nodes.map((kind) => ({ key: kind.type, label: kind.text[language] })), onClick: ({ key }) => add(key), style: { maxHeight: 420, overflow: 'auto' } }}><Button>{label}</Button></Dropdown>
        : <ActionButton reason={blocked}>{label}</ActionButton>}
      {after !== '' && <ActionButton danger reason={noRole} onClick={remove}>{t.removeNode}</ActionButton>}
      <ActionButton type="text" icon={<UndoOutlined />} aria-label={t.undo} reason={noRole} disabled={!draft.canUndo} onClick={draft.undo} />
      <ActionButton type="text" icon={<RedoOutlined />} aria-label={t.redo} reason={noRole} disabled={!draft.canRedo} onClick={draft.redo} />
      {draft.isChanged && <Button type="text" onClick={draft.discard}>{t.discard}</Button>}
    </div>
  );
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
