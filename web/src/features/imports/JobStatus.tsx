/* SPDX-License-Identifier: Apache-2.0 */
/* JobStatus: a job's state as a pill, and how far it is as a bar. */
import { Progress } from 'antd';
import type { Schemas } from '@/api/client';
import { useText } from '@/app/preferences';
import { exactCount } from '@/lib/format';
import { Pill, type Tone } from '@/ui/Marks';
import { importTexts } from './texts';

export type Job = Schemas['Job'];

const tones: Readonly<Record<Job['status'], Tone>> = {
  waiting: 'plain', running: 'accent', paused: 'warn', finished: 'good', failed: 'bad', undoing: 'warn', undone: 'plain', cancelled: 'plain',
};

export const isMoving = (job: Job): boolean => job.status === 'waiting' || job.status === 'running' || job.status === 'undoing';

export function StatusPill({ job }: { job: Job }) {
  const t = useText(importTexts);
  return <Pill tone={tones[job.status]}>{t.statuses[job.status]}</Pill>;
}

export function percentOf(job: Job): number {
  if (job.status === 'finished' || job.status === 'undone') return 100;
  const { bytes, bytes_total: total } = job.progress;
  return total > 0 ? Math.min(99, Math.floor((bytes / total) * 100)) : 0;
}

/* 40 s, 12 min, 3 h */
export function timeLeft(seconds: number, t: { seconds: (count: number) => string; minutes: (count: number) => string; hours: (count: number) => string }): string {
  if (seconds < 90) return t.seconds(seconds);
  return seconds < 5_400 ? t.minutes(Math.round(seconds / 60)) : t.hours(Math.round(seconds / 3_600));
}

export function JobProgress({ job }: { job: Job }) {
  const t = useText(importTexts);
  const { rows_per_second: rate, seconds_left: left } = job.progress;
  const said = [
    t.job.rowsSaid(exactCount(job.progress.rows)),
    isMoving(job) && rate > 0 ? t.job.rate(exactCount(rate)) : '',
    isMoving(job) && left !== null ? t.job.left(timeLeft(left, t.job)) : '',
  ].filter((part) => part !== '');
  return (
    <div>
      <Progress strokeColor={job.status === 'failed' ? undefined : 'var(--accent)'} percent={percentOf(job)} status={job.status === 'failed' ? 'exception' : isMoving(job) ? 'active' : 'normal'} aria-label={t.job.progress} />
      <p className="small soft tabular" role="status">{said.join(' · ')}</p>
    </div>
  );
}
