/* SPDX-License-Identifier: Apache-2.0 */
/* Summary: the head of a segment or a tag: how many, since when, what kind, whose, used by how many; and what can be done with it. */
import { useQuery } from '@tanstack/react-query';
import { Button, Dropdown } from 'antd';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { queries, type AudienceKind } from '@/api/queries';
import { useText } from '@/app/preferences';
import { exactCount, percent } from '@/lib/format';
import { wordFor } from '@/lib/text';
import { ActionButton, useRightReason } from '@/ui/Controls';
import { Count, Time } from '@/ui/Marks';
import { Band, Figure } from '@/ui/Page';
import { coreOf, type Definition } from './audience';
import { DeleteDialog } from './DeleteDialog';
import { StatePill } from './Marks';
import { audienceTexts } from './texts';

interface HeadProps {
  kind: AudienceKind;
  definition: Definition;
}

export function Summary({ kind, definition }: HeadProps) {
  const t = useText(audienceTexts);
  const { data: overview } = useQuery(queries.overview());
  const share = overview === undefined || overview.customers === 0 ? null : definition.count / overview.customers;
  const words = kind === 'segments' ? t.segmentKinds : t.tagKinds;
  return (
    <Band>
      <Figure label={t.count} note={share === null ? undefined : percent(share)}><Count value={definition.count} /></Figure>
      <Figure label={t.state} note={<Time at={definition.as_of} exact seconds />}><StatePill state={definition.state} /></Figure>
      <Figure label={t.kind} note={t.version(definition.version)}><span style={{ fontSize: 16 }}>{wordFor(words, definition.kind)}</span></Figure>
      <Figure label={t.owner} note={definition.folder === '' ? t.noFolder : `${t.folder} ${definition.folder}`}><span style={{ fontSize: 16 }} className="cut">{definition.owner === '' ? '—' : definition.owner}</span></Figure>
      <Figure label={t.usage} note={<>{t.changedAt} <Time at={definition.changed_at} /></>}><span style={{ fontSize: 16 }}>{definition.used_by.length === 0 ? t.unused : exactCount(definition.used_by.length)}</span></Figure>
    </Band>
  );
}

/* `give`: for what is filled by hand, the words of the button that fills it. */
export function Actions({ kind, definition, give }: HeadProps & { give: { label: string; onClick: () => void } | null }) {
  const t = useText(audienceTexts);
  const noRole = useRightReason(kind === 'tags' ? 'tag.change' : 'segment.change');
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  const copied = encodeURIComponent(JSON.stringify({ name: definition.name, folder: definition.folder, description: definition.description, ...coreOf(definition) }));
  const maker = kind === 'segments' ? '/new/segment' : '/new/tag';
  return (
    <>
      {give !== null && <ActionButton type="primary" reason={noRole} onClick={give.onClick}>{give.label}</ActionButton>}
      <ActionButton type={give === null ? 'primary' : 'default'} reason={noRole} onClick={() => void navigate(`/${kind}/${definition.key}/edit`)}>{t.edit}</ActionButton>
      <Dropdown
        trigger={['click']}
        menu={{ items: [
          { key: 'copy', label: t.copy, disabled: noRole !== null, onClick: () => void navigate(`${maker}?define=${copied}`) },
          { key: 'delete', danger: true, label: t.remove, disabled: noRole !== null, onClick: () => setDeleting(true) },
        ] }}
      >
        <Button aria-label={`${t.copy}, ${t.remove}`}>…</Button>
      </Dropdown>
      <DeleteDialog kind={kind} definition={definition} open={isDeleting} onClose={() => setDeleting(false)} />
    </>
  );
}
