/* SPDX-License-Identifier: Apache-2.0 */
/* context: what every row of the editor shares: how to edit, what is dragged, the counts and problems of the rows. */
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
  counts: ReadonlyMap<number, RowCount>;
  problems: ReadonlyMap<number, string>;
  open: ReadonlySet<number>;
  dragged: number | null;
  setDragged: (id: number | null) => void;
  /* The handle that has the focus after the next drawing: a row that was moved keeps it. */
  keepFocus: (id: number) => void;
  /* Measures have no comparison. */
  isMeasure: boolean;
}

const Context = createContext<EditorContext | null>(null);
export const EditorContextProvider = Context.Provider;

export function useEditor(): EditorContext {
  const context = useContext(Context);
  if (context === null) throw new Error('useEditor outside of a rule editor');
  return context;
}
