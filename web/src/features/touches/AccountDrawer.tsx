/* SPDX-License-Identifier: Apache-2.0 */
/* AccountDrawer: makes and changes a sending account: the settings of its kind, the sandbox, its limits. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Collapse, Drawer, Input, Select, Switch } from 'antd';
import { useState } from 'react';
import { api, ApiProblem } from '@/api/client';
import { useLanguage, useText } from '@/app/preferences';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Bones, Loaded } from '@/ui/States';
import { faultOf, hasKept, sections, settingsOf, valuesOf, type Fault, type Field, type Kind, type Values } from './account';
import { accountKinds } from './kinds';
import type { Account } from './model';

const texts = catalogue({
  zh: {
    newTitle: '新建发送账号', title: (key: string) => `发送账号 ${key}`, kind: '服务商', choose: '选择服务商', key: '账号代码', keyHint: '小写字母、数字、下划线、连字符；旅程和模板按它找账号', keyFault: '1 到 64 个小写字母、数字、_ 或 -', taken: '已有这个账号',
    sandbox: '发到沙箱', sandboxHint: '打开后消息不会真的发给客户，只进沙箱，用来演练。', more: '限速、额度与地址', kept: '已保存，不改就留空', remove: '删除账号', removeTitle: (key: string) => `删除发送账号「${key}」？`, removeText: (queued: number) => (queued === 0 ? '用它的旅程将发不出去，直到换成别的账号。' : `还有 ${queued} 条在排队，会因此发不出去。`), saved: '已保存', deleted: '已删除', notReady: '还有没填好的地方',
    faults: { missing: '必填', number: '要填整数', range: '超出范围', json: '要填 JSON 对象，例如 {"X-Key":"1"}' } satisfies Record<Fault, string>, range: (from: string, to: string) => `${from} 到 ${to}`,
  },
  en: {
    newTitle: 'New sending account', title: (key) => `Account ${key}`, kind: 'Provider', choose: 'Choose a provider', key: 'Key', keyHint: 'small letters, digits, _ and -; journeys and templates name it', keyFault: '1 to 64 small letters, digits, _ or -', taken: 'there is one of this key already',
    sandbox: 'To the sandbox', sandboxHint: 'Nothing goes to customers while this is on: messages end in the sandbox, for rehearsal.', more: 'Speed, quotas, addresses', kept: 'is set; leave empty to keep it', remove: 'Delete the account', removeTitle: (key) => `Delete the account "${key}"?`, removeText: (queued) => (queued === 0 ? 'Journeys that use it cannot send until they have another one.' : `${queued} messages wait in it and will not go out.`), saved: 'Saved', deleted: 'Deleted', notReady: 'something is missing or wrong',
    faults: { missing: 'is needed', number: 'is a whole number', range: 'is out of range', json: 'is an object of JSON, as {"X-Key":"1"}' }, range: (from, to) => `${from} to ${to}`,
  },
});

const keyPattern = /^[a-z0-9_-]{1,64}$/;

/* `account`: the one that is changed, 'new', or null for closed. */
export function AccountDrawer({ account, taken, onClose }: { account: Account | 'new' | null; taken: ReadonlySet<string>; onClose: () => void }) {
  const t = useText(texts);
  const kinds = useQuery({ ...accountKinds(), enabled: account !== null });
  return (
    <Drawer open={account !== null} onClose={onClose} size={520} title={account === null || account === 'new' ? t.newTitle : t.title(account.key)} destroyOnHidden>
      <Loaded query={kinds} skeleton={<Bones rows={6} inset={0} />}>
        {(data) => (account === null ? null : <Form key={account === 'new' ? '' : account.key} account={account === 'new' ? null : account} kinds={data} taken={taken} onClose={onClose} />)}
      </Loaded>
    </Drawer>
  );
}

function Form({ account, kinds, taken, onClose }: { account: Account | null; kinds: readonly Kind[]; taken: ReadonlySet<string>; onClose: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const language = useLanguage();
  const reason = useRightReason('channel.administer');
  const notice = useProblemNotice();
  const client = useQueryClient();
  const { message, modal } = App.useApp();
  const before = (account?.settings ?? {}) as Record<string, unknown>;
  const [kindName, setKind] = useState(account?.kind ?? '');
  const [key, setKey] = useState(account?.key ?? '');
  const [changed, setChanged] = useState<Values>({});
  const [wasTried, setTried] = useState(false);
  const kind = kinds.find((one) => one.kind === kindName);
  const { main, more } = kind === undefined ? { main: [], more: [] } : sections(kind);
  const canSandbox = kind?.settings.some((one) => one.name === 'sandbox') ?? false;
  const sandbox: Field[] = canSandbox ? [{ name: 'sandbox', type: 'bool', secret: false, required: false, text: { zh: '', en: '' } }] : [];
  const fields = [...main, ...more, ...sandbox];
  const values: Values = { ...valuesOf(fields, before), ...(account === null && canSandbox ? { sandbox: true } : {}), ...changed };
  const faults = new Map(fields.map((one) => [one.name, faultOf(one, values[one.name], hasKept(one, before))]));
  const keyFault = account !== null ? '' : !keyPattern.test(key) ? t.keyFault : taken.has(key) ? t.taken : '';
  const isReady = kind !== undefined && keyFault === '' && [...faults.values()].every((one) => one === null);
  const done = (said: string): void => {
    void client.invalidateQueries({ queryKey: ['touches'] });
    void message.success(said);
    onClose();
  };
  const save = useMutation({
    mutationFn: () => api.put('/channels/{key}', { path: { key }, body: { kind: kindName, settings: settingsOf(fields, values, before) as Record<string, never> } }),
    onSuccess: () => done(t.saved), onError: notice,
  });
  const remove = useMutation({ mutationFn: () => api.delete('/channels/{key}', { path: { key } }), onSuccess: () => done(t.deleted), onError: notice });
  const said = new Map(save.error instanceof ApiProblem ? save.error.pointers.map((one) => [one.pointer.split('/').at(-1) ?? '', one.detail]) : []);
  const put = (name: string, value: string | boolean): void => setChanged((now) => ({ ...now, [name]: value }));
  const fieldOf = (one: Field) => {
    const fault = faults.get(one.name) ?? null;
    const words_ = said.get(one.name) ?? (wasTried && fault !== null ? `${t.faults[fault]}${fault === 'range' ? ` (${t.range(String(one.least ?? ''), String(one.most ?? ''))})` : ''}` : '');
    return <FieldRow key={one.name} field={one} label={one.text[language] || one.name} value={values[one.name] ?? ''} hint={hasKept(one, before) ? t.kept : one.default === undefined ? '' : String(one.default)} fault={words_} onChange={(value) => put(one.name, value)} />;
  };
  return (
    <div className="stack" style={{ gap: 14 }}>
      {account === null && (
        <>
          <label className="account-field">{t.kind}
            <Select aria-label={t.kind} value={kindName === '' ? null : kindName} placeholder={t.choose} showSearch={{ optionFilterProp: 'label' }} onChange={(next: string) => { setKind(next); setChanged({}); if (key === '') setKey(next); }} options={kinds.map((one) => ({ value: one.kind, label: one.text[language] }))} />
          </label>
          <label className="account-field">{t.key}<Input value={key} maxLength={64} status={wasTried && keyFault !== '' ? 'error' : ''} onChange={(event) => setKey(event.target.value)} /><span className={`small ${wasTried && keyFault !== '' ? 'account-fault' : 'faint'}`}>{wasTried && keyFault !== '' ? keyFault : t.keyHint}</span></label>
        </>
      )}
      {canSandbox && <div className="account-sandbox"><Switch checked={values['sandbox'] === true} onChange={(value) => put('sandbox', value)} aria-label={t.sandbox} /><div><strong>{t.sandbox}</strong><div className="small soft">{t.sandboxHint}</div></div></div>}
      {main.map(fieldOf)}
      {kind !== undefined && <Collapse ghost size="small" items={[{ key: 'more', label: t.more, children: <div className="stack" style={{ gap: 14 }}>{more.map(fieldOf)}</div> }]} />}
      <div className="row between">
        {account === null ? <span /> : <ActionButton danger type="text" reason={reason} onClick={() => modal.confirm({ title: t.removeTitle(account.key), content: t.removeText(account.queued ?? 0), okText: t.remove, okButtonProps: { danger: true }, cancelText: common.action.cancel, onOk: () => remove.mutateAsync().catch(() => undefined) })}>{t.remove}</ActionButton>}
        <div className="row"><Button onClick={onClose}>{common.action.cancel}</Button><ActionButton type="primary" reason={reason ?? (wasTried && !isReady ? t.notReady : null)} loading={save.isPending} onClick={() => { setTried(true); if (isReady) save.mutate(); }}>{common.action.save}</ActionButton></div>
      </div>
    </div>
  );
}

function FieldRow({ field, label, value, hint, fault, onChange }: { field: Field; label: string; value: string | boolean; hint: string; fault: string; onChange: (value: string | boolean) => void }) {
  if (field.type === 'bool') return <label className="row" style={{ gap: 10 }}><Switch size="small" checked={value === true} onChange={onChange} aria-label={label} />{label}</label>;
  const text = typeof value === 'string' ? value : '';
  const given = { value: text, placeholder: hint, status: fault === '' ? '' : 'error', onChange: (event: { target: { value: string } }) => onChange(event.target.value), autoComplete: 'off' } as const;
  return (
    <label className="account-field"><span>{label}{field.required && <span className="account-fault" aria-hidden="true"> *</span>}</span>
      {field.secret ? <Input.Password {...given} autoComplete="new-password" aria-label={label} /> : field.type === 'headers' ? <Input.TextArea {...given} autoSize={{ minRows: 2 }} className="mono" aria-label={label} /> : <Input {...given} inputMode={field.type === 'number' ? 'numeric' : 'text'} aria-label={label} aria-required={field.required} />}
      {fault !== '' && <span className="small account-fault" role="alert">{fault}</span>}
    </label>
  );
}
