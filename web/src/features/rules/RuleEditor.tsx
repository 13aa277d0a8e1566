/* SPDX-License-Identifier: Apache-2.0 */
/* RuleEditor: a rule as blocks, as a sentence, and as JSON, with what it counts beside it.
 *
 * The caller holds the rule as JSON and hears of every change. The editor holds the tree and its past; a rule that comes
 * from outside and says something else begins anew, as one more step that undo can take back.
 */
import { RedoOutlined, UndoOutlined } from '@ant-design/icons';
import { Button, Tooltip } from 'antd';
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { useText } from '@/app/preferences';
import { exactCount } from '@/lib/format';
import { Bones, Failure } from '@/ui/States';
import { Condition } from './Condition';
import { CountsProvider, EditorContextProvider, type EditorContext } from './context';
import { openNodes } from './draft';
import { begin, record, redo, undo, type History } from './edit';
import { Group, customerPlace, type RowPlace } from './Groups';
import { JsonView } from './JsonView';
import { canonical, conditionCount, depthOf, readRule, writeRule, type JsonObject, type RuleDocument } from './model';
import { RulePanel } from './RulePanel';
import { ruleSentence } from './sentence';
import { ruleTexts } from './texts';
import { customers, problemsOf, usePreview } from './usePreview';
import { useLoadedVocabulary, VocabularyProvider, useVocabulary } from './vocabulary';
import './rules.css';

type View = 'blocks' | 'json';

interface RuleEditorProps {
  value: JsonObject;
  onChange: (rule: JsonObject, isComplete: boolean) => void;
  /* what the server said when the whole was saved, and where in it this rule stands */
  error?: unknown;
  errorPrefix?: string;
  /* counts, reach and a sample beside it; small editors inside other forms go without */
  panel?: 'full' | 'count' | 'none';
  /* a measure is one event condition without comparison */
  isMeasure?: boolean;
  explainKey?: string;
  /* what is asked for: customers, or a kind of objects */
  on?: string;
  /* conditions on the properties of one event alone; they have no count and no sentence of their own */
  event?: string;
}

export function RuleEditor(props: RuleEditorProps) {
  const { vocabulary, error, retry } = useLoadedVocabulary();
  if (vocabulary === null) return error === null ? <Bones rows={4} inset={0} /> : <Failure error={error} retry={retry} />;
  return (
    <VocabularyProvider value={vocabulary}>
      <Editor {...props} />
    </VocabularyProvider>
  );
}

function Editor({ value, onChange, error, errorPrefix = '/rule', panel = 'full', isMeasure = false, explainKey, on = customers, event }: RuleEditorProps) {
  const t = useText(ruleTexts);
  const [history, setHistory] = useState<History<RuleDocument>>(() => begin(readRule(value)));
  const [view, setView] = useState<View>('blocks');
  const [dragged, setDragged] = useState<number | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const focus = useRef<number | null>(null);
  const rule = history.now;
  /* what was said last, and before it what the caller has not given back yet */
  const said = useRef([canonical(value)]);
  const open = useMemo(() => new Set(openNodes(rule.root)), [rule]);

  /* What comes from outside and was never said is a new rule. What was said a moment ago comes back late on a slow machine: by then the
   * rule may have gone on, and is not thrown back. */
  const outside = canonical(value);
  useEffect(() => {
    const at = said.current.indexOf(outside);
    said.current = at >= 0 ? said.current.slice(at) : [outside];
    if (at >= 0) return;
    setHistory((before) => record(before, readRule(JSON.parse(outside) as JsonObject)));
  }, [outside]);

  const tell = useRef(onChange);
  tell.current = onChange;
  useEffect(() => {
    const json = writeRule(rule);
    const now = canonical(json);
    if (now === said.current.at(-1)) return;
    said.current.push(now);
    tell.current(json, open.size === 0);
  }, [rule, open]);

  useEffect(() => {
    if (focus.current === null) return;
    const handle = place.current?.querySelector<HTMLElement>(`[data-handle="${focus.current}"]`);
    focus.current = null;
    handle?.focus();
  }, [rule]);

  const edit = useCallback((how: (now: RuleDocument) => RuleDocument, mark = '') => setHistory((before) => record(before, how(before.now), mark)), []);
  const keepFocus = useCallback((id: number) => {
    focus.current = id;
  }, []);
  const previewed = usePreview(rule, panel !== 'none' && !isMeasure && open.size === 0, on);
  const problems = useMemo(() => new Map([...previewed.problems, ...problemsOf(rule, error, errorPrefix)]), [previewed.problems, rule, error, errorPrefix]);
  const context = useMemo((): EditorContext => ({
    edit, rule, problems, open, dragged, setDragged, keepFocus, isMeasure,
  }), [edit, rule, problems, open, dragged, keepFocus, isMeasure]);

  const rootPlace = useMemo((): RowPlace => {
    if (event !== undefined) return { place: 'event', events: [event], object: null, step: 0 };
    return on === customers ? customerPlace : { place: 'object', events: [], object: on, step: 0 };
  }, [event, on]);

  const pressed = (event: KeyboardEvent): void => {
    if (!(event.ctrlKey || event.metaKey)) return;
    const key = event.key.toLowerCase();
    const isUndo = key === 'z' && !event.shiftKey;
    const isRedo = (key === 'z' && event.shiftKey) || key === 'y';
    if (!isUndo && !isRedo) return;
    /* in a field that is being typed in, the browser's own undo belongs to the text area of JSON alone */
    if (event.target instanceof HTMLTextAreaElement) return;
    event.preventDefault();
    setHistory(isUndo ? undo : redo);
  };
  return (
    <EditorContextProvider value={context}>
      <div className={`rule-editor panel-${panel}`} ref={place} onKeyDown={pressed} role="group" aria-label={t.editor}>
        <div className="rule-main">
          {!isMeasure && <div className="rule-tools">
            <div className="rule-views" role="group" aria-label={t.editor}>
              {(['blocks', 'json'] as const).map((one) => <button key={one} type="button" className="chip" aria-pressed={view === one} onClick={() => setView(one)}>{t.views[one]}</button>)}
            </div>
            <span className="grow" />
            <Tooltip title={t.undoHint}><Button type="text" size="small" icon={<UndoOutlined />} aria-label={t.undo} disabled={history.past.length === 0} onClick={() => setHistory(undo)} /></Tooltip>
            <Tooltip title={t.redoHint}><Button type="text" size="small" icon={<RedoOutlined />} aria-label={t.redo} disabled={history.future.length === 0} onClick={() => setHistory(redo)} /></Tooltip>
          </div>}
          <Limits rule={rule} />
          {isMeasure ? <Measured rule={rule} problems={problems} /> : view === 'blocks' ? <CountsProvider value={previewed.counts}><Group group={rule.root} at={rootPlace} isRoot /></CountsProvider> : <JsonView rule={rule} problems={problems} onChange={(next) => setHistory((before) => record(before, next, 'json'))} />}
          {!isMeasure && event === undefined && <Sentence rule={rule} on={on} />}
        </div>
        {panel !== 'none' && !isMeasure && <RulePanel rule={rule} on={on} previewed={previewed} openCount={open.size} isShort={panel === 'count'} explainKey={explainKey} />}
      </div>
    </EditorContextProvider>
  );
}

/* A measure: its one condition, without rows that could be dragged or added to. */
function Measured({ rule, problems }: { rule: RuleDocument; problems: ReadonlyMap<number, string> }) {
  const [leaf] = rule.root.children;
  if (leaf === undefined || leaf.form !== 'leaf') return null;
  const problem = problems.get(leaf.id) ?? problems.get(rule.root.id);
  return (
    <>
      <Condition leaf={leaf} at={customerPlace} />
      {problem !== undefined && <p className="rule-problem" role="alert">{problem}</p>}
    </>
  );
}

function Limits({ rule }: { rule: RuleDocument }) {
  const t = useText(ruleTexts);
  const { catalogue } = useVocabulary();
  const { conditions = Infinity, depth = Infinity } = catalogue.limits;
  if (conditionCount(rule.root) > conditions) return <p className="rule-problem" role="alert">{t.tooMany(exactCount(conditions))}</p>;
  if (depthOf(rule.root) > depth) return <p className="rule-problem" role="alert">{t.tooDeep(exactCount(depth))}</p>;
  return null;
}

export function SentenceText({ rule, on = customers }: { rule: RuleDocument; on?: string }) {
  const vocabulary = useVocabulary();
  const pieces = ruleSentence(rule, vocabulary, on === customers ? null : on);
  return <>{pieces.map((piece, at) => (piece.chosen ? <b key={at}>{piece.text}</b> : <span key={at}>{piece.text}</span>))}</>;
}

function Sentence({ rule, on }: { rule: RuleDocument; on: string }) {
  const t = useText(ruleTexts);
  return (
    <p className="rule-sentence">
      <span className="faint">{t.reading}</span> <SentenceText rule={rule} on={on} />
    </p>
  );
}

/* The sentence alone, for pages that only show a rule. */
export function RuleSentence({ value, on = customers }: { value: JsonObject; on?: string }) {
  const { vocabulary } = useLoadedVocabulary();
  const rule = useMemo(() => readRule(value), [value]);
  if (vocabulary === null) return <span className="faint">…</span>;
  return (
    <VocabularyProvider value={vocabulary}>
      <span className="rule-said"><SentenceText rule={rule} on={on} /></span>
    </VocabularyProvider>
  );
}
