/* SPDX-License-Identifier: Apache-2.0 */
/* Inspector: the members of a node, or of the journey itself, as a form made from the served catalogue. */
import { CloseOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useLanguage, useText } from '@/app/preferences';
import { words } from '@/lib/words';
import { useRightReason } from '@/ui/Controls';
import { KindIcon, triggerId } from './Canvas';
import { MemberForm } from './MemberForm';
import { definitionOf, isValue, kindOf, textOf, withNode, type Definition, type JourneyCatalogue, type Member, type Value } from './model';
import { journeyTexts } from './texts';

interface InspectorProps {
  id: string;
  definition: Definition;
  catalogue: JourneyCatalogue;
  onChange: (definition: Definition) => void;
  onClose: () => void;
}

export function Inspector({ id, definition, catalogue, onChange, onClose }: InspectorProps) {
  const t = useText(journeyTexts);
  const language = useLanguage();
  const common = useText(words);
  const noRole = useRightReason('journey.change');
  const node = definition.nodes[id];
  const kind = node === undefined ? undefined : kindOf(catalogue, textOf(node['type']));
  const title = id === triggerId ? t.triggerHint : (kind?.text[language] ?? textOf(node?.['type']));
  return (
    <section className="journey-inspector" aria-label={title} tabIndex={0}>
      <div className="row between" style={{ marginBottom: 8 }}>
        <h2 className="row"><KindIcon type={textOf(node?.['type'])} /><span>{title}</span>{id !== triggerId && <span className="mono faint">{id}</span>}</h2>
        <Button type="text" size="small" icon={<CloseOutlined />} aria-label={common.action.close} onClick={onClose} />
      </div>
      {noRole !== null && <p className="small faint" style={{ marginBottom: 8 }}>{noRole}</p>}
      {id === triggerId
        ? <JourneyForm definition={definition} catalogue={catalogue} disabled={noRole !== null} onChange={onChange} />
        : node !== undefined && <MemberForm members={kind?.members ?? []} value={node} definition={definition} catalogue={catalogue} disabled={noRole !== null} self={id} onChange={(next) => onChange(withNode(definition, id, next))} />}
    </section>
  );
}

/* The journey's own members: the trigger by its kind, what else there is by the catalogue; nodes are the canvas. */
function JourneyForm({ definition, catalogue, disabled, onChange }: { definition: Definition; catalogue: JourneyCatalogue; disabled: boolean; onChange: (definition: Definition) => void }) {
  const t = useText(journeyTexts);
  const language = useLanguage();
  const trigger: Value = isValue(definition['trigger']) ? definition['trigger'] : {};
  const kind = catalogue.triggers.find((one) => one.type === textOf(trigger['type']));
  const own = (catalogue.parts['journey']?.members ?? []).filter((one: Member) => !['nodes', 'trigger', 'layout'].includes(one.name));
  const changeKind = (type: string): void => onChange({ ...definition, trigger: { type } });
  return (
    <div className="member-form">
      <label className="member">
        <span className="member-name">{t.start}</span>
        <select className="plain-select" value={textOf(trigger['type'])} disabled={disabled} onChange={(event) => changeKind(event.target.value)}>
          {catalogue.triggers.map((one) => <option key={one.type} value={one.type}>{one.text[language]}</option>)}
        </select>
      </label>
      <MemberForm members={kind?.members ?? []} value={trigger} definition={definition} catalogue={catalogue} disabled={disabled} onChange={(next) => onChange({ ...definition, trigger: next })} />
      <hr className="member-line" />
      <MemberForm members={own} value={definition} definition={definition} catalogue={catalogue} disabled={disabled} onChange={(next) => onChange(definitionOf(next))} />
    </div>
  );
}
