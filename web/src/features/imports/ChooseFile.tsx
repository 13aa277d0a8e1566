/* SPDX-License-Identifier: Apache-2.0 */
/* ChooseFile: a file from here, sent part by part, or one that lies on the server. */
import { InboxOutlined } from '@ant-design/icons';
import { App, Button, Input, Progress, Space } from 'antd';
import { useEffect, useRef, useState } from 'react';
import { useText } from '@/app/preferences';
import { bytes } from '@/lib/format';
import { useProblemNotice } from '@/ui/Controls';
import { importTexts } from './texts';
import { uploadFile } from './upload';

/* `file` is what the server calls it: upload:ID or path:NAME. */
export function ChooseFile({ isReading, onChosen }: { isReading: boolean; onChosen: (file: string, name: string) => void }) {
  const t = useText(importTexts).choose;
  const notice = useProblemNotice();
  const { message } = App.useApp();
  const picker = useRef<HTMLInputElement>(null);
  const stop = useRef<AbortController | null>(null);
  const [sending, setSending] = useState<{ name: string; size: number; sent: number } | null>(null);
  const [isOver, setOver] = useState(false);
  const [path, setPath] = useState('');
  useEffect(() => () => stop.current?.abort(), []);

  const send = async (file: File): Promise<void> => {
    const controller = new AbortController();
    stop.current = controller;
    setSending({ name: file.name, size: file.size, sent: 0 });
    try {
      const upload = await uploadFile({ file, signal: controller.signal, onProgress: (sent) => setSending({ name: file.name, size: file.size, sent }) });
      void message.success(t.uploaded(file.name, bytes(file.size)));
      onChosen(`upload:${upload.id}`, file.name);
    } catch (error) {
      if (!controller.signal.aborted) notice(error);
    } finally {
      setSending(null);
    }
  };
  if (sending !== null) {
    return (
      <div className="drop-place">
        <p>{t.sending(sending.name)}</p>
        <Progress percent={sending.size === 0 ? 100 : Math.floor((sending.sent / sending.size) * 100)} aria-label={t.sending(sending.name)} style={{ maxWidth: 420 }} />
        <p className="small faint tabular">{bytes(sending.sent)} / {bytes(sending.size)}</p>
        <Button onClick={() => stop.current?.abort()}>{t.cancel}</Button>
      </div>
    );
  }
  return (
    <div className="stack">
      <div
        className={`drop-place ${isOver ? 'over' : ''}`}
        onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)}
        onDrop={(event) => { event.preventDefault(); setOver(false); const file = event.dataTransfer.files[0]; if (file !== undefined) void send(file); }}
      >
        <InboxOutlined style={{ fontSize: 32, color: 'var(--accent)' }} aria-hidden="true" />
        <p>{t.title}</p>
        <p className="small faint">{t.hint}</p>
        <Button type="primary" loading={isReading} onClick={() => picker.current?.click()}>{isReading ? t.reading : t.button}</Button>
        <input ref={picker} type="file" hidden aria-label={t.button} onChange={(event) => { const file = event.target.files?.[0]; if (file !== undefined) void send(file); event.target.value = ''; }} />
      </div>
      <div className="row wrap" style={{ gap: 8 }}>
        <span className="soft">{t.path}</span>
        <Space.Compact style={{ flex: 1, maxWidth: 420 }}>
          <Input className="mono" aria-label={t.pathHint} placeholder={t.pathHint} value={path} onChange={(event) => setPath(event.target.value)} />
          <Button disabled={path.trim() === ''} loading={isReading} onClick={() => onChosen(`path:${path.trim()}`, path.trim())}>{t.usePath}</Button>
        </Space.Compact>
      </div>
    </div>
  );
}
