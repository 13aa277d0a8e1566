/* SPDX-License-Identifier: Apache-2.0 */
/* States: the four that every view has. Loading shows the final shape, empty says why and what next, an
 * error says what, where, what to do and its code, data is the caller's.
 */
import type { UseQueryResult } from '@tanstack/react-query';
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { ApiProblem } from '@/api/client';
import { useText } from '@/app/preferences';
import { wordFor } from '@/lib/text';
import { words } from '@/lib/words';

export function Bone({ width = '100%', height = 14 }: { width?: number | string; height?: number }) {
  return <span className="bone" style={{ width, height }} aria-hidden="true" />;
}

/* Lines in the shape of a table or list of `rows`. */
export function Bones({ rows = 6, height = 40, inset = 16 }: { rows?: number; height?: number; inset?: number }) {
  return (
    <div role="status" aria-busy="true" style={{ padding: `0 ${inset}px` }}>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} style={{ height, display: 'flex', alignItems: 'center', gap: 16 }}>
          <Bone width={`${18 + ((row * 7) % 12)}%`} />
          <Bone width={`${30 + ((row * 11) % 20)}%`} />
          <Bone width="12%" />
        </div>
      ))}
    </div>
  );
}

interface EmptyProps {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

export function Empty({ title, children, action }: EmptyProps) {
  return (
    <div className="state-box">
      <h2>{title}</h2>
      {children !== undefined && <p>{children}</p>}
      {action}
    </div>
  );
}

export function problemTitle(error: unknown, failure: Readonly<Record<string, string>>): string {
  if (error instanceof ApiProblem && Object.hasOwn(failure, error.code)) return wordFor(failure, error.code);
  return failure['title'] ?? '';
}

export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const t = useText(words);
  const problem = error instanceof ApiProblem ? error : null;
  const hint = problem?.code === 'unreachable' ? t.failure.unreachableHint : problem?.hint;
  return (
    <div className="state-box" role="alert">
      <h2>{problemTitle(error, t.failure)}</h2>
      {hint !== undefined && hint !== '' && <p>{hint}</p>}
      <div className="detail">
        {problem !== null ? problem.detail : String(error)}
        {problem !== null && ` · ${t.failure.code} ${problem.code}`}
        {problem !== null && problem.instance !== '' && ` · ${t.failure.request} ${problem.instance}`}
      </div>
      {retry !== undefined && <Button onClick={retry}>{t.action.retry}</Button>}
    </div>
  );
}

interface LoadedProps<T> {
  query: UseQueryResult<T>;
  skeleton?: ReactNode;
  isEmpty?: (data: T) => boolean;
  empty?: ReactNode;
  children: (data: T) => ReactNode;
}

/* An error keeps what was there: old figures with a note are worth more than none. */
export function Loaded<T>({ query, skeleton, isEmpty, empty, children }: LoadedProps<T>) {
  if (query.data === undefined) {
    if (query.isError) return <Failure error={query.error} retry={() => void query.refetch()} />;
    return <>{skeleton ?? <Bones />}</>;
  }
  if (isEmpty?.(query.data) === true && empty !== undefined) return <>{empty}</>;
  return <>{children(query.data)}</>;
}
