/* SPDX-License-Identifier: Apache-2.0 */
/* context: what every row of the editor shares: how to edit, what is dragged, the problems of the rows. The counts are apart: they
 * come while somebody clicks, and then nothing but their marks is drawn anew. */
import { createContext, useContext } from 'react';
import type { RuleDocument } from './model';

export interface RowCount {
  count: number;
  isOld: boolean;
}

export interface EditorContext {
  /* Apply an edit; edits with one mark in a row are one step of undo. */
  edit: (how: (rule: RuleDocument) => RuleDocument, mark?: string) => void;
  /* The rule as it is now. */
  rule: RuleDocument;
  problems: ReadonlyMap<number, string>;
  open: ReadonlySet<number>;
  dragged: number | null;
  setDragged: (id: number | null) => void;
  /* The handle that has the focus after the next drawing: a row that was moved keeps it. */
  keepFocus: (id: number) => void;
  /* Measures have no comparison. */
  isMeasure: boolean;
}

const CountsContext = createContext<ReadonlyMap<number, RowCount>>(new Map());
export const CountsProvider = CountsContext.Provider;

export function useRowCount(id: number): RowCount | undefined {
  return useContext(CountsContext).get(id);
}

/* What the place of a row's count shows. The place is always there, so that a count that comes moves nothing under the pointer. */
export function countMark(own: RowCount | undefined, say: { short: (count: number) => string; exact: (count: number) => string }): { text: string; title: string | undefined; className: string } {
  if (own === undefined) return { text: '', title: undefined, className: 'rule-count-mark' };
  return { text: say.short(own.count), title: say.exact(own.count), className: `rule-count-mark${own.isOld ? ' old' : ''}` };
}

const Context = createContext<EditorContext | null>(null);
export const EditorContextProvider = Context.Provider;

export function useEditor(): EditorContext {
  const context = useContext(Context);
  if (context === null) throw new Error('useEditor outside of a rule editor');
  return context;
}
