/* SPDX-License-Identifier: Apache-2.0 */
/* EditorFrame: what the editors of segments and tags have around what is theirs: meta, notices, who enters and leaves, saving. */
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { AudienceKind } from '@/api/queries';
import { useText } from '@/app/preferences';
import { ActionButton, CopyButton, useRightReason } from '@/ui/Controls';
import { ChangePanel, useChange } from './ChangePanel';
import { MetaForm, metaProblem } from './Meta';
import { audienceTexts } from './texts';
import type { Editing } from './useEditing';
import './audience.css';

interface EditorFrameProps {
  kind: AudienceKind;
  editing: Editing;
  prefix: string;
  /* why it cannot be saved yet */
  blocked: string | null;
  /* nothing is judged by rules: there is nobody to enter or leave */
  isGiven?: boolean;
  children: ReactNode;
}

export function EditorFrame({ kind, editing, prefix, blocked, isGiven = false, children }: EditorFrameProps) {
  const t = useText(audienceTexts);
  const noRole = useRightReason(kind === 'tags' ? 'tag.change' : 'segment.change');
  const { edited, isNew, isDraft, newer, others } = editing;
  const problem = blocked ?? metaProblem(edited.meta, isNew, others, t);
  const checked = useChange(kind, edited.meta.key === '' ? '_' : edited.meta.key, editing.body);
  const why = noRole ?? problem;
  return (
    <div className="editor">
      {isDraft && editing.isDirty && <div className="notice" role="status"><span className="grow">{t.draft}</span><Button size="small" onClick={editing.discard}>{t.discard}</Button></div>}
      {newer !== null && <div className="notice warn" role="alert"><span className="grow">{t.conflict(newer)}</span><Button size="small" onClick={editing.loadNewer}>{t.loadTheirs}</Button></div>}
      <MetaForm meta={edited.meta} isNew={isNew} others={others} prefix={prefix} onChange={editing.setMeta} />
      {children}
      {!isGiven && <ChangePanel checked={checked} isTag={kind === 'tags'} blocked={blocked} />}
      <div className="save-bar">
        <ActionButton type="primary" loading={editing.isSaving} reason={why} onClick={editing.save}>{t.save}</ActionButton>
        {!isGiven && !checked.isPending && <ActionButton reason={blocked} onClick={checked.check}>{t.changeCheck}</ActionButton>}
        <Link to={isNew ? `/${kind}` : `/${kind}/${edited.meta.key}`}><Button type="text">{t.cancel}</Button></Link>
        <span className="grow" />
        {editing.isDirty && <span className="small faint" role="status">{t.keepDraft}</span>}
        {editing.isDirty && <CopyButton text={editing.link} label={t.copyLink} />}
      </div>
    </div>
  );
}
