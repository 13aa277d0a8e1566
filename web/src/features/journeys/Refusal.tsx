/* SPDX-License-Identifier: Apache-2.0 */
/* Refusal: why the server did not take the draft, each place with its pointer and a way to the node. */
import type { ApiProblem } from '@/api/client';
import { useText } from '@/app/preferences';
import { nodeAt } from './model';
import { journeyTexts } from './texts';

export function Refusal({ problem, onOpen }: { problem: ApiProblem | null; onOpen?: (node: string) => void }) {
  const t = useText(journeyTexts);
  if (problem === null) return null;
  const places = problem.pointers.length > 0 ? problem.pointers : [{ pointer: '/', detail: problem.detail }];
  return (
    <div className="notice bad" role="alert">
      <div className="journey-problems">
        <strong>{t.problems}</strong>
        {places.map((one) => (
          <span key={one.pointer}>
            <span className="mono">{one.pointer}</span> {one.detail}
            {onOpen !== undefined && nodeAt(one.pointer) !== '' && <> <button type="button" className="link-button" onClick={() => onOpen(nodeAt(one.pointer))}>{t.openNode} {nodeAt(one.pointer)}</button></>}
          </span>
        ))}
        {problem.hint !== '' && <span className="soft">{problem.hint}</span>}
      </div>
    </div>
  );
}
