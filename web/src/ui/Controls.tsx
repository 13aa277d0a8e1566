/* SPDX-License-Identifier: Apache-2.0 */
/* Controls: buttons that say why they are disabled, copying, choice chips, and what a command said. */
import { CheckOutlined, CopyOutlined, LoadingOutlined } from '@ant-design/icons';
import { App, Button, Tooltip, type ButtonProps } from 'antd';
import { useCallback, useState, type ReactNode } from 'react';
import { ApiProblem } from '@/api/client';
import { useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { permissionTexts, rightWord } from '@/lib/permissions';
import { words } from '@/lib/words';
import { problemTitle } from './States';

/* What turns while something is under way is no part of the button's name: it can stay behind after a failure, and would be read out. */
const turning = { icon: <LoadingOutlined aria-hidden="true" /> };

/* A button with a reason is disabled for the pointer but can be reached, so that the reason is read. */
export function ActionButton({ reason, children, loading, ...given }: ButtonProps & { reason?: string | null }) {
  const rest: ButtonProps = loading === true ? { ...given, loading: turning } : { ...given, loading: loading ?? false };
  if (reason === undefined || reason === null || reason === '') return <Button {...rest}>{children}</Button>;
  return (
    <Tooltip title={reason}>
      <Button {...rest} aria-disabled="true" className={`${rest.className ?? ''} ant-btn-why`} onClick={undefined} href={undefined} style={{ ...rest.style, opacity: 0.55, cursor: 'not-allowed' }}>
        {children}
        <span className="hidden-text">{reason}</span>
      </Button>
    </Tooltip>
  );
}

/* Why this person may not do what needs the right, in words; null when she may. */
export function useRightReason(right: string): string | null {
  const holds = useMay(right);
  const t = useText(permissionTexts);
  return holds ? null : t.needs(rightWord(right, t));
}

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    /* no clipboard on plain http: the old way through a selection */
    const area = document.createElement('textarea');
    area.value = text;
    area.style.position = 'fixed';
    area.style.opacity = '0';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

export function CopyButton({ text, label, size = 'small' }: { text: string; label?: string; size?: 'small' | 'middle' }) {
  const t = useText(words);
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    if (!(await copyText(text))) return;
    setCopied(true);
    setTimeout(() => setCopied(false), 1_500);
  };
  const icon = copied ? <CheckOutlined /> : <CopyOutlined />;
  const said = copied ? t.action.copied : t.action.copy;
  if (label !== undefined) return <Button size={size} icon={icon} onClick={() => void copy()}>{copied ? t.action.copied : label}</Button>;
  return (
    <Tooltip title={said}>
      <Button size={size} type="text" className="copy" icon={icon} aria-label={said} onClick={(event) => { event.stopPropagation(); event.preventDefault(); void copy(); }} />
    </Tooltip>
  );
}

interface ChipsProps<V extends string> {
  label: string;
  value: V;
  choices: readonly { value: V; label: ReactNode }[];
  onChange: (value: V) => void;
}

export function Chips<V extends string>({ label, value, choices, onChange }: ChipsProps<V>) {
  return (
    <div className="row wrap" role="group" aria-label={label} style={{ gap: 6 }}>
      {choices.map((choice) => (
        <button key={choice.value} type="button" className="chip" aria-pressed={choice.value === value} onClick={() => onChange(choice.value)}>
          {choice.label}
        </button>
      ))}
    </div>
  );
}

/* Says what went wrong with a command: what, detail, hint. */
export function useProblemNotice(): (error: unknown) => void {
  const { notification } = App.useApp();
  const t = useText(words);
  return useCallback(
    (error: unknown) => {
      const problem = error instanceof ApiProblem ? error : null;
      const places = problem?.pointers.map((one) => `${one.pointer}: ${one.detail}`) ?? [];
      notification.error({
        title: problem === null ? t.failure.commandTitle : problemTitle(error, { ...t.failure, title: t.failure.commandTitle }),
        description: [problem?.detail ?? String(error), ...places, problem?.hint ?? ''].filter((line) => line !== '').join(' · '),
        placement: 'bottomRight',
      });
    },
    [notification, t],
  );
}
