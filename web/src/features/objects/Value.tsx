/* SPDX-License-Identifier: Apache-2.0 */
/* Value: what an object says in one of its fields; an id of another kind leads there. */
import { Link } from 'react-router';
import { useText } from '@/app/preferences';
import type { Json } from '@/features/rules/model';
import { exactCount } from '@/lib/format';
import { words } from '@/lib/words';
import { Money, Time } from '@/ui/Marks';
import { valueText, type Field } from './objects';

interface ValueProps {
  value: Json | undefined;
  field: Field;
  word: (kind: string) => string;
  isShort?: boolean;
}

export function Value({ value, field, word, isShort = false }: ValueProps) {
  const common = useText(words);
  if (value === undefined || value === null || value === '') return <span className="faint">{common.none}</span>;
  if (field.object !== '') {
    const ids = (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === 'string');
    if (ids.length > 0) {
      return <>{ids.slice(0, isShort ? 3 : 20).map((id, at) => <span key={id}>{at > 0 && ', '}<Link to={`/data/objects/${encodeURIComponent(field.object)}/${encodeURIComponent(id)}`} title={word(field.object)} className="mono">{id}</Link></span>)}</>;
    }
  }
  if (field.type === 'money' && typeof value === 'number') return <Money minor={value} currency="CNY" />;
  if (typeof value === 'number') return <span className="tabular">{Number.isInteger(value) ? exactCount(value) : String(value)}</span>;
  if (typeof value === 'boolean') return <>{value ? common.yes : common.no}</>;
  if (field.type === 'time' && typeof value === 'string' && !Number.isNaN(Date.parse(value))) return <Time at={value} exact />;
  return <>{valueText(value, field.type)}</>;
}
