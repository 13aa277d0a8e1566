/* SPDX-License-Identifier: Apache-2.0 */
/* DefinitionText: what makes a segment, as a sentence. */
import { Link } from 'react-router';
import { useText } from '@/app/preferences';
import { RuleSentence } from '@/features/rules/RuleEditor';
import { isObject, type JsonObject } from '@/features/rules/model';
import { percent } from '@/lib/format';
import { wordFor } from '@/lib/text';
import { Pill } from '@/ui/Marks';
import { segmentTexts } from './texts';

export function DefinitionText({ core, on }: { core: JsonObject; on: string }) {
  const t = useText(segmentTexts);
  const kind = typeof core['kind'] === 'string' ? core['kind'] : 'rule';
  if (isObject(core['rule'])) return <p><RuleSentence value={core['rule']} on={on} /></p>;
  if (kind === 'snapshot') return <p>{t.snapshotText(String(core['of']))}</p>;
  if (kind === 'random') return <p>{t.randomText(String(core['seed']), percent((Number(core['to']) - Number(core['from'])) / Math.max(1, Number(core['buckets']))))}</p>;
  if (kind === 'algebra') {
    return (
      <div className="row wrap"><span>{wordFor(t.ops, String(core['op']))}</span>{(Array.isArray(core['of']) ? core['of'] : []).map((key) => <Link key={String(key)} to={`/segments/${String(key)}`}><Pill tone="accent">{String(key)}</Pill></Link>)}</div>
    );
  }
  return <p>{t.givenText}</p>;
}
