/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: blocks of conditions with 且 or 或 on the rail, rows that can be dragged and moved by keyboard, and what adds to them. */
import { DownOutlined, HolderOutlined, MoreOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Dropdown, Tooltip, type MenuProps } from 'antd';
import { memo, useState, type DragEvent, type KeyboardEvent, type ReactNode } from 'react';
import { useLanguage, useText } from '@/app/preferences';
import { exactCount, shortCount } from '@/lib/format';
import { conditionsOf, type Place } from './catalogue';
import { Condition } from './Condition';
import { countMark, useEditor, useRowCount } from './context';
import { newLeaf } from './draft';
import { duplicate, insert, move, negate, remove, setForm, step, wrap, type Direction } from './edit';
import { childrenOf, findNode, newId, type GroupNode, type RuleNode } from './model';
import { ruleTexts } from './texts';
import { useVocabulary } from './vocabulary';

/* Where a row stands: what may be said there, and of which events or object. */
export interface RowPlace {
  place: Place;
  events: readonly string[];
  object: string | null;
  step: number;
}

export const customerPlace: RowPlace = { place: 'customer', events: [], object: null, step: 0 };

function allowedIn(node: RuleNode, place: Place, allowed: ReadonlySet<string>): boolean {
  if (node.form === 'leaf') return allowed.has(node.head);
  return childrenOf(node).every((child) => allowedIn(child, place, allowed));
}

interface GroupProps {
  group: GroupNode;
  at: RowPlace;
  isRoot?: boolean;
  label?: ReactNode;
}

/* Drawn anew when the rule or its place changes, not when counts come. */
export const Group = memo(function Group({ group, at, isRoot = false, label }: GroupProps) {
  const t = useText(ruleTexts);
  const { edit, dragged, setDragged, rule } = useEditor();
  const { catalogue } = useVocabulary();
  const [over, setOver] = useState<number | null>(null);
  const allowed = new Set(conditionsOf(catalogue, at.place).map((one) => one.form));
  const canTake = (): boolean => {
    const node = dragged === null ? null : findNode(rule.root, dragged);
    return node !== null && findNode(node, group.id) === null && allowedIn(node, at.place, allowed);
  };
  const dropAt = (event: DragEvent, place: number): void => {
    if (dragged === null || !canTake()) return;
    event.preventDefault();
    event.stopPropagation();
    setOver(null);
    edit((now) => move(now, dragged, group.id, place));
    setDragged(null);
  };
  const hover = (event: DragEvent, place: number): void => {
    if (!canTake()) return;
    event.preventDefault();
    event.stopPropagation();
    event.dataTransfer.dropEffect = 'move';
    setOver(place);
  };
  const halfOf = (event: DragEvent<HTMLElement>, index: number): number => {
    const box = event.currentTarget.getBoundingClientRect();
    return event.clientY < box.top + box.height / 2 ? index : index + 1;
  };
  const joiner = group.form === 'all' ? t.all : t.any;
  return (
    <div className={`rule-group ${group.form} ${isRoot ? 'root' : ''}`} onDragLeave={() => setOver(null)}>
      {(group.children.length > 1 || !isRoot) && (
        <div className="rule-rail">
          <Tooltip title={t.toggle(group.form === 'all' ? t.allLong : t.anyLong)} placement="left">
            <button
              type="button" className="rule-joiner" aria-label={`${joiner} · ${t.toggle(group.form === 'all' ? t.allLong : t.anyLong)}`}
              onClick={() => edit((now) => setForm(now, group.id, group.form === 'all' ? 'any' : 'all'))}
            >
              {joiner}
            </button>
          </Tooltip>
        </div>
      )}
      <div className="rule-children">
        {label}
        {group.children.length === 0 && (
          <div className="rule-empty" onDragOver={(event) => hover(event, 0)} onDrop={(event) => dropAt(event, 0)}>
            {isRoot ? <><strong>{group.form === 'all' ? t.empty : t.emptyAny}</strong><span>{t.emptyHint}</span></> : <span>{t.emptyHint}</span>}
          </div>
        )}
        {group.children.map((child, index) => (
          <div
            key={child.id} className={`rule-slot ${over === index ? 'drop-before' : ''} ${over === index + 1 && index === group.children.length - 1 ? 'drop-after' : ''}`}
            onDragOver={(event) => hover(event, halfOf(event, index))} onDrop={(event) => dropAt(event, halfOf(event, index))}
          >
            <Row node={child} at={at} negations={0} outer={child.id} />
          </div>
        ))}
        <Adder group={group} at={at} />
      </div>
    </div>
  );
});

function Adder({ group, at }: { group: GroupNode; at: RowPlace }) {
  const t = useText(ruleTexts);
  const language = useLanguage();
  const { edit, keepFocus } = useEditor();
  const { catalogue } = useVocabulary();
  const add = (node: RuleNode): void => {
    edit((now) => insert(now, group.id, group.children.length, node));
    keepFocus(node.id);
  };
  const forms = conditionsOf(catalogue, at.place);
  const only = forms.length === 1 ? forms[0] : undefined;
  const items: MenuProps['items'] = [
    ...forms.map((one) => ({ key: one.form, label: one.label[language], onClick: () => add(newLeaf(one.form)) })),
  ];
  const word = at.place === 'customer' ? t.addCondition : t.addProperty;
  return (
    <div className="rule-adder">
      {only !== undefined ? (
        <Button size="small" type="dashed" icon={<PlusOutlined />} onClick={() => add(newLeaf(only.form))}>{word}</Button>
      ) : (
        <Dropdown trigger={['click']} menu={{ items }}>
          <Button size="small" type="dashed" icon={<PlusOutlined />}>{word}<DownOutlined style={{ fontSize: 10 }} /></Button>
        </Dropdown>
      )}
      <Button size="small" type="text" className="rule-quiet" onClick={() => add({ id: newId(), form: group.form === 'all' ? 'any' : 'all', children: [] })}>{t.addGroup}</Button>
    </div>
  );
}

interface RowProps {
  node: RuleNode;
  at: RowPlace;
  negations: number;
  /* the node that the handle moves: with the `not` around it */
  outer: number;
}

function Row({ node, at, negations, outer }: RowProps) {
  const t = useText(ruleTexts);
  const { problems, open } = useEditor();
  if (node.form === 'not') return <Row node={node.child} at={at} negations={negations + 1} outer={outer} />;
  const marks = Array.from({ length: negations }, (_, index) => <span key={index} className="rule-not">{t.not}</span>);
  const problem = problems.get(node.id) ?? problems.get(outer);
  const handle = <Handle id={node.id} outer={outer} />;
  const menu = <RowMenu id={node.id} outer={outer} isNegated={negations > 0} />;
  const said = problem !== undefined ? <p className="rule-problem" role="alert">{problem}</p> : open.has(node.id) ? <p className="rule-open">{t.incompleteRow}</p> : null;
  if (node.form === 'leaf') {
    return (
      <div className={`rule-row ${problem === undefined ? '' : 'wrong'}`} data-row={node.id}>
        <div className="rule-line">
          {handle}
          <div className="rule-body">{marks}<Condition leaf={node} at={at} /></div>
          {at.place !== 'event' && <RowCountMark id={node.id} />}
          {menu}
        </div>
        {said}
      </div>
    );
  }
  return (
    <div className={`rule-row is-group ${problem === undefined ? '' : 'wrong'}`} data-row={node.id}>
      <div className="rule-line">
        {handle}
        <div className="rule-body grow">{marks}<Group group={node} at={at} /></div>
        {menu}
      </div>
      {said}
    </div>
  );
}

function RowCountMark({ id }: { id: number }) {
  const own = useRowCount(id);
  const t = useText(ruleTexts);
  const language = useLanguage();
  const mark = countMark(own, { short: (count) => shortCount(count, language), exact: (count) => `${t.rowCount} ${exactCount(count)}` });
  return <span className={mark.className} title={mark.title}>{mark.text}</span>;
}

const arrows: Readonly<Record<string, Direction>> = { ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'out', ArrowRight: 'in' };

function Handle({ id, outer }: { id: number; outer: number }) {
  const t = useText(ruleTexts);
  const { edit, setDragged, keepFocus } = useEditor();
  const pressed = (event: KeyboardEvent): void => {
    const direction = event.altKey ? arrows[event.key] : undefined;
    if (direction !== undefined) {
      event.preventDefault();
      edit((now) => step(now, id, direction));
      keepFocus(id);
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      event.preventDefault();
      edit((now) => remove(now, outer));
    }
  };
  return (
    <button
      type="button" className="rule-handle" draggable aria-label={t.handle} title={t.handle} aria-keyshortcuts="Alt+ArrowUp Alt+ArrowDown Alt+ArrowLeft Alt+ArrowRight Delete" data-handle={id} onKeyDown={pressed}
      onDragStart={(event) => {
        event.dataTransfer.effectAllowed = 'move';
        event.dataTransfer.setData('text/plain', String(outer));
        const row = event.currentTarget.closest('.rule-row');
        if (row !== null) event.dataTransfer.setDragImage(row, 12, 16);
        setDragged(outer);
      }}
      onDragEnd={() => setDragged(null)}
    >
      <HolderOutlined />
    </button>
  );
}

function RowMenu({ id, outer, isNegated }: { id: number; outer: number; isNegated: boolean }) {
  const t = useText(ruleTexts);
  const { edit, keepFocus } = useEditor();
  const go = (direction: Direction): void => {
    edit((now) => step(now, id, direction));
    keepFocus(id);
  };
  const items: MenuProps['items'] = [
    { key: 'not', label: isNegated ? t.positive : t.negate, onClick: () => edit((now) => negate(now, isNegated ? outer : id)) },
    { key: 'duplicate', label: t.duplicate, onClick: () => edit((now) => duplicate(now, id)) },
    { key: 'wrap', label: t.wrap, onClick: () => edit((now) => wrap(now, id, 'any')) },
    { type: 'divider' },
    { key: 'up', label: t.up, onClick: () => go('up') },
    { key: 'down', label: t.down, onClick: () => go('down') },
    { key: 'out', label: t.out, onClick: () => go('out') },
    { key: 'in', label: t.into, onClick: () => go('in') },
    { type: 'divider' },
    { key: 'remove', danger: true, label: t.remove, onClick: () => edit((now) => remove(now, outer)) },
  ];
  return (
    <Dropdown trigger={['click']} menu={{ items }} placement="bottomRight">
      <Button type="text" size="small" className="rule-more" icon={<MoreOutlined />} aria-label={t.more} />
    </Dropdown>
  );
}
