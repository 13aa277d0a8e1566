/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix: rights as a table, a row for each kind of thing, a column for each action. Shown, compared with another set, or edited; arrow
 * keys go from box to box.
 */
import { CheckOutlined, MinusOutlined, PlusOutlined } from '@ant-design/icons';
import { Tooltip } from 'antd';
import type { KeyboardEvent } from 'react';
import { useText } from '@/app/preferences';
import { actionsOf, allRights, grouped, permissionTexts, rightWord, type Kind } from '@/lib/permissions';
import { catalogue, wordFor } from '@/lib/text';

const texts = catalogue({
  zh: { kind: '对哪一类', gained: '新增', lost: '去掉', held: '有', missing: '没有', notYours: '你自己没有这个权限，不能给别人', whole: (name: string) => `${name}：全选或全不选` },
  en: { kind: 'On what', gained: 'gained', lost: 'lost', held: 'yes', missing: 'no', notYours: 'You do not have this right and cannot give it', whole: (name) => `${name}: all or none` },
});

interface MatrixProps {
  label: string;
  kinds: readonly Kind[];
  chosen: ReadonlySet<string>;
  /* what it is compared with */
  before?: ReadonlySet<string> | undefined;
  /* what the person who edits may give; missing: it is only shown */
  givable?: ReadonlySet<string> | undefined;
  onToggle?: (right: string, isOn: boolean) => void;
}

const arrows: Readonly<Record<string, readonly [number, number]>> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/* To the next box in that direction, over cells that have none. */
function moved(event: KeyboardEvent<HTMLElement>): void {
  const step = arrows[event.key];
  const from = event.target instanceof HTMLInputElement ? event.target.dataset['cell'] : undefined;
  if (step === undefined || from === undefined) return;
  event.preventDefault();
  const [row, column] = from.split(' ').map(Number) as [number, number];
  for (let at = 1; at < 80; at++) {
    const next = event.currentTarget.querySelector<HTMLInputElement>(`input[data-cell="${row + step[0] * at} ${column + step[1] * at}"]`);
    if (next === null) continue;
    next.focus();
    return;
  }
}

export function Matrix({ label, kinds, chosen, before, givable, onToggle }: MatrixProps) {
  const t = useText(permissionTexts);
  const own = useText(texts);
  const columns = actionsOf(kinds);
  let row = -1;
  return (
    <div className="scroll-x" tabIndex={onToggle === undefined ? 0 : undefined} role="region" aria-label={label} onKeyDown={moved}>
      <table className="matrix">
        <thead>
          <tr>
            <th scope="col">{own.kind}</th>
            {columns.map((action) => <th key={action} scope="col"><Tooltip title={wordFor(t.actionHelp, action)}><span>{wordFor(t.actions, action)}</span></Tooltip></th>)}
          </tr>
        </thead>
        {grouped(kinds).map(({ group, kinds: inGroup }) => (
          <tbody key={group}>
            <tr className="matrix-group"><th scope="rowgroup" colSpan={columns.length + 1}>{wordFor(t.groups, group)}</th></tr>
            {inGroup.map((kind) => {
              row += 1;
              const name = wordFor(t.kinds, kind.kind);
              const rights = allRights([kind]);
              const isAll = rights.every((right) => chosen.has(right));
              const toggleAll = (): void => rights.filter((right) => givable?.has(right)).forEach((right) => onToggle?.(right, !isAll));
              return (
                <tr key={kind.kind}>
                  <th scope="row">{onToggle === undefined || kind.actions.length < 2 ? name : <button type="button" className="matrix-all" aria-label={own.whole(name)} onClick={toggleAll}>{name}</button>}</th>
                  {columns.map((action, column) => <td key={action}>{kind.actions.includes(action) && <Cell right={`${kind.kind}.${action}`} chosen={chosen} before={before} givable={givable} onToggle={onToggle} place={`${row} ${column}`} />}</td>)}
                </tr>
              );
            })}
          </tbody>
        ))}
      </table>
    </div>
  );
}

interface CellProps extends Pick<MatrixProps, 'chosen' | 'before' | 'givable' | 'onToggle'> {
  right: string;
  place: string;
}

function Cell({ right, chosen, before, givable, onToggle, place }: CellProps) {
  const words = useText(permissionTexts);
  const t = useText(texts);
  const isOn = chosen.has(right);
  const change = before === undefined || before.has(right) === isOn ? '' : isOn ? 'gained' : 'lost';
  if (onToggle === undefined) {
    return (
      <span className={`matrix-cell ${change} ${isOn ? 'on' : ''}`}>
        {change === 'gained' ? <PlusOutlined /> : change === 'lost' ? <MinusOutlined /> : isOn ? <CheckOutlined /> : <i aria-hidden="true" />}
        <span className="hidden-text">{change === '' ? (isOn ? t.held : t.missing) : t[change]}</span>
      </span>
    );
  }
  const isGivable = givable?.has(right) === true;
  const box = (
    <label className={`matrix-cell ${change}`}>
      <input type="checkbox" data-cell={place} checked={isOn} disabled={!isGivable} aria-label={rightWord(right, words)} onChange={(event) => onToggle(right, event.target.checked)} />
    </label>
  );
  return isGivable ? box : <Tooltip title={t.notYours}>{box}</Tooltip>;
}
