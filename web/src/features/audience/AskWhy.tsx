/* SPDX-License-Identifier: Apache-2.0 */
/* AskWhy: somebody is named, and it says why a definition holds for her or does not. Whom stands in the URL. */
import { Button, Input } from 'antd';
import { useState } from 'react';
import { useText } from '@/app/preferences';
import { useFound } from '@/features/rules/RulePanel';
import { useFilters } from '@/lib/hooks';
import { Panel } from '@/ui/Page';
import { nameOf, type Definition } from './audience';
import { audienceTexts } from './texts';
import { Why, type WhyAsked } from './WhyDrawer';

export function AskWhy({ kind, definition, title }: { kind: WhyAsked['kind']; definition: Definition; title?: string }) {
  const a = useText(audienceTexts);
  const [filters, setFilters] = useFilters({ who: '' });
  const [typed, setTyped] = useState(filters.who);
  const { id, isNobody } = useFound(filters.who);
  return (
    <Panel title={title ?? a.explain}>
      <form className="row" style={{ gap: 8, maxWidth: 460, marginBottom: 12 }} onSubmit={(event) => { event.preventDefault(); setFilters({ who: typed.trim() }); }}>
        <Input aria-label={a.explainHint} placeholder={a.explainHint} value={typed} onChange={(event) => setTyped(event.target.value)} allowClear />
        <Button htmlType="submit" type="primary">{a.explain}</Button>
      </form>
      {isNobody && <p className="faint" role="status">{a.noMembers}</p>}
      {id !== null && <Why asked={{ kind, key: definition.key, name: nameOf(definition), oneId: id }} />}
    </Panel>
  );
}
