/* SPDX-License-Identifier: Apache-2.0 */
/* RuleDrawer: change one rule: edit, see what it would do, save, and bring it to what is already there. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Drawer, Form, Input, InputNumber, Modal, Radio, Switch } from 'antd';
import { useEffect, useState } from 'react';
import { Link } from 'react-router';
import { api, type Schemas } from '@/api/client';
import { useLanguage, useText } from '@/app/preferences';
import { exactCount } from '@/lib/format';
import { identifierName } from '@/lib/identifiers';
import { catalogue } from '@/lib/text';
import { useLasting } from '@/lib/hooks';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import './identity.css';
import { changeOf, formOf, linesOf, ruleSentence, type Rule, type RuleForm } from './rule';

const texts = catalogue({
  zh: {
    title: (name: string) => `修改规则：${name}`,
    strong: '能让客户合并（强标识）',
    strongHelp: '关掉后它只用来查找，不再让两位客户合并。',
    verification: '必须验证过才合并',
    verificationHelp: '来自可信来源（服务端密钥）或带签名的才算验证过。',
    limit: '每位客户最多',
    limitHelp: '0 表示不限。合并后会超出上限的，一律不合并。',
    window: '在多少天内计数',
    windowHelp: '0 表示一直计数。',
    over: '超出上限时',
    refuse: '拒绝新的，放进待复核',
    drop: '最旧的退出',
    shared: '被多少位客户用过就算公用',
    sharedHelp: '公用的标识不再代表任何人。0 表示不判断。',
    blocked: '屏蔽的值',
    blockedHelp: '一行一个，例如测试号 13800000000。它们永远不代表任何人。',
    patterns: '屏蔽的模式',
    patternsHelp: '一行一个正则表达式（PCRE）。',
    now: '现在的规则',
    next: '改后的规则',
    whatIf: '先看会怎样',
    whatIfFirst: '先预演一次，看看会影响谁',
    nothing: '还没有改动',
    merges: '会合并',
    splits: '会拆开',
    pairs: (count: string) => `${count} 对`,
    evaluated: (links: string, ms: string) => `按新规则重新检查了 ${links} 条关联，用时 ${ms} 毫秒`,
    samplesMerge: '会合并的例子',
    samplesSplit: '会拆开的例子',
    none: '不会合并或拆开任何现有客户，只对以后的事件生效。',
    save: '保存规则',
    saved: '规则已保存，新事件立即按它处理',
    applyTitle: '要让已有客户也按新规则来吗？',
    applyText: (merges: string, splits: string) => `预演的结果是：合并 ${merges} 对，拆开 ${splits} 对。不应用的话，新规则只管以后的事件。`,
    apply: '应用到已有客户',
    later: '只管以后',
    applied: (merges: string, splits: string) => `已应用：合并 ${merges} 对，拆开 ${splits} 对`,
  },
  en: {
    title: (name) => `Change the rule: ${name}`,
    strong: 'Joins customers (strong)',
    strongHelp: 'Switched off, it only finds; two customers are no longer joined by it.',
    verification: 'Joins only when verified',
    verificationHelp: 'Verified: from a trusted source (secret key), or signed.',
    limit: 'Most that one customer may hold',
    limitHelp: '0 for any number. A merge that would break the limit is not made.',
    window: 'Counted within days',
    windowHelp: '0 for ever.',
    over: 'Beyond the limit',
    refuse: 'refuse the new one, for review',
    drop: 'the oldest leaves',
    shared: 'Counts as shared when so many customers hold it',
    sharedHelp: 'What is shared stands for nobody. 0 switches this off.',
    blocked: 'Blocked values',
    blockedHelp: 'One a line, such as the test number 13800000000. They never stand for anybody.',
    patterns: 'Blocked patterns',
    patternsHelp: 'One regular expression (PCRE) a line.',
    now: 'The rule now',
    next: 'The rule then',
    whatIf: 'See what it would do',
    whatIfFirst: 'First see whom it would touch',
    nothing: 'Nothing is changed yet',
    merges: 'Would be joined',
    splits: 'Would be split',
    pairs: (count) => `${count} pairs`,
    evaluated: (links, ms) => `${links} links were judged again by the new rule, in ${ms} ms`,
    samplesMerge: 'Would be joined, for example',
    samplesSplit: 'Would be split, for example',
    none: 'No customer of today would be joined or split; it concerns events to come.',
    save: 'Save the rule',
    saved: 'The rule is saved; new events follow it at once',
    applyTitle: 'Shall it hold for the customers of today too?',
    applyText: (merges, splits) => `It would join ${merges} pairs and split ${splits}. Otherwise it concerns only events to come.`,
    apply: 'Apply to customers of today',
    later: 'Only from now on',
    applied: (merges, splits) => `Applied: ${merges} pairs joined, ${splits} split`,
  },
});

type WhatIf = Schemas['WhatIf'];

export function RuleDrawer({ rule, onClose }: { rule: Rule | null; onClose: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const language = useLanguage();
  const shown = useLasting(rule);
  return (
    <Drawer open={rule !== null} onClose={onClose} title={shown === null ? '' : t.title(identifierName(shown, language, common.identifier))} size={520} destroyOnHidden>
      {shown !== null && <RuleEditor key={shown.name} rule={shown} onClose={onClose} />}
    </Drawer>
  );
}

function RuleEditor({ rule, onClose }: { rule: Rule; onClose: () => void }) {
  const t = useText(texts);
  const language = useLanguage();
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const noRole = useRightReason('identity.administer');
  const [form, setForm] = useState<RuleForm>(() => formOf(rule));
  const [isAsking, setAsking] = useState(false);
  const change = changeOf(rule, form);
  const changeText = JSON.stringify(change);

  const whatIf = useMutation({ mutationFn: () => api.post('/identity/whatif', { body: { types: [{ name: rule.name, ...(change ?? {}) }] } }), onError: notice });
  const { reset } = whatIf;
  useEffect(() => reset(), [changeText, reset]); /* a result holds only for the draft that it was made of */
  const save = useMutation({
    mutationFn: () => api.put('/identity/types/{name}', { path: { name: rule.name }, body: change ?? {} }),
    onSuccess: () => {
      void message.success(t.saved);
      finish();
    },
    onError: notice,
  });
  /* The rule and what follows from it, in one record: nobody sees the one without the other. */
  const apply = useMutation({
    mutationFn: () => api.post('/identity/apply', { body: { types: [{ name: rule.name, ...(change ?? {}) }] } }),
    onSuccess: (done) => {
      void client.invalidateQueries({ queryKey: ['customers'] });
      void client.invalidateQueries({ queryKey: ['overview'] });
      void message.success(t.applied(exactCount(done.merges), exactCount(done.splits)));
      finish();
    },
    onError: notice,
  });
  const finish = (): void => {
    void client.invalidateQueries({ queryKey: ['identity'] });
    onClose();
  };
  const why = noRole ?? (change === null ? t.nothing : whatIf.data === undefined ? t.whatIfFirst : null);
  return (
    <>
      <RuleFields form={form} onChange={setForm} />
      <dl className="facts" style={{ margin: '8px 0 16px' }}>
        <dt>{t.now}</dt><dd>{ruleSentence(rule, language)}</dd>
        {change !== null && <><dt>{t.next}</dt><dd><strong>{ruleSentence({ ...rule, ...form }, language)}</strong></dd></>}
      </dl>
      {whatIf.data !== undefined && <WhatIfResult result={whatIf.data} />}
      <div className="drawer-actions">
        <ActionButton reason={change === null ? t.nothing : null} loading={whatIf.isPending} onClick={() => whatIf.mutate()}>{t.whatIf}</ActionButton>
        <ActionButton type="primary" reason={why} loading={save.isPending || apply.isPending} onClick={() => setAsking(true)}>{t.save}</ActionButton>
      </div>
      <Modal open={isAsking} title={t.applyTitle} onCancel={() => setAsking(false)} footer={[
        <Button key="later" loading={save.isPending} disabled={apply.isPending} onClick={() => save.mutate()}>{t.later}</Button>,
        <Button key="apply" type="primary" loading={apply.isPending} disabled={save.isPending} onClick={() => apply.mutate()}>{t.apply}</Button>,
      ]}>
        <p>{t.applyText(exactCount(whatIf.data?.merges.count ?? 0), exactCount(whatIf.data?.splits.count ?? 0))}</p>
      </Modal>
    </>
  );
}

function RuleFields({ form, onChange }: { form: RuleForm; onChange: (form: RuleForm) => void }) {
  const t = useText(texts);
  const set = <K extends keyof RuleForm>(key: K, value: RuleForm[K]): void => onChange({ ...form, [key]: value });
  const [blocked, setBlocked] = useState(form.blocked.join('\n'));
  const [patterns, setPatterns] = useState(form.blocked_patterns.join('\n'));
  return (
    <Form layout="vertical" size="middle" component="div">
      <SwitchRow id="rule-strong" label={t.strong} help={t.strongHelp} checked={form.strong} onChange={(value) => set('strong', value)} />
      {form.strong && <SwitchRow id="rule-verification" label={t.verification} help={t.verificationHelp} checked={form.verification} onChange={(value) => set('verification', value)} />}
      <div className="row" style={{ gap: 16, alignItems: 'flex-start' }}>
        <Form.Item label={t.limit} extra={t.limitHelp} htmlFor="rule-limit" style={{ flex: 1 }}><InputNumber id="rule-limit" min={0} max={100_000} precision={0} value={form.limit} onChange={(value) => set('limit', value ?? 0)} /></Form.Item>
        <Form.Item label={t.window} extra={t.windowHelp} htmlFor="rule-window" style={{ flex: 1 }}><InputNumber id="rule-window" min={0} max={3_650} precision={0} value={form.window_days} onChange={(value) => set('window_days', value ?? 0)} /></Form.Item>
      </div>
      <Form.Item label={t.over}>
        <Radio.Group aria-label={t.over} value={form.over_limit} onChange={(event) => set('over_limit', event.target.value as RuleForm['over_limit'])} options={[{ value: 'refuse', label: t.refuse }, { value: 'drop_oldest', label: t.drop }]} />
      </Form.Item>
      <Form.Item label={t.shared} extra={t.sharedHelp} htmlFor="rule-shared"><InputNumber id="rule-shared" min={0} max={100_000} precision={0} value={form.shared_after} onChange={(value) => set('shared_after', value ?? 0)} /></Form.Item>
      <Form.Item label={t.blocked} extra={t.blockedHelp} htmlFor="rule-blocked"><Input.TextArea id="rule-blocked" className="mono" autoSize={{ minRows: 2, maxRows: 8 }} value={blocked} onChange={(event) => { setBlocked(event.target.value); set('blocked', linesOf(event.target.value)); }} /></Form.Item>
      <Form.Item label={t.patterns} extra={t.patternsHelp} htmlFor="rule-patterns"><Input.TextArea id="rule-patterns" className="mono" autoSize={{ minRows: 2, maxRows: 8 }} value={patterns} onChange={(event) => { setPatterns(event.target.value); set('blocked_patterns', linesOf(event.target.value)); }} /></Form.Item>
    </Form>
  );
}

function SwitchRow({ id, label, help, checked, onChange }: { id: string; label: string; help: string; checked: boolean; onChange: (checked: boolean) => void }) {
  return (
    <div className="row between" style={{ alignItems: 'flex-start', marginBottom: 16, gap: 16 }}>
      <label htmlFor={id}>{label}<span className="small faint" style={{ display: 'block' }}>{help}</span></label>
      <Switch id={id} checked={checked} onChange={onChange} />
    </div>
  );
}

function WhatIfResult({ result }: { result: WhatIf }) {
  const t = useText(texts);
  const nothing = result.merges.count === 0 && result.splits.count === 0;
  return (
    <div className="whatif" role="status">
      <div className="whatif-figures">
        <div><span className="small faint">{t.merges}</span><strong>{t.pairs(exactCount(result.merges.count))}</strong></div>
        <div><span className="small faint">{t.splits}</span><strong>{t.pairs(exactCount(result.splits.count))}</strong></div>
      </div>
      {nothing && <p className="soft">{t.none}</p>}
      <Samples title={t.samplesMerge} samples={result.merges.samples} />
      <Samples title={t.samplesSplit} samples={result.splits.samples} />
      <p className="small faint" style={{ marginTop: 8 }}>{t.evaluated(exactCount(result.evaluated_links), exactCount(result.elapsed_ms))}</p>
    </div>
  );
}

function Samples({ title, samples }: { title: string; samples: WhatIf['merges']['samples'] }) {
  if (samples.length === 0) return null;
  return (
    <section style={{ marginTop: 8 }}>
      <h2 className="detail-head">{title}</h2>
      <ul className="stack" style={{ gap: 6 }}>
        {samples.slice(0, 6).map((sample) => (
          <li key={`${sample.a} ${sample.b}`} className="small">
            <Link to={`/customers/${sample.a}`} className="mono">{sample.a}</Link> · <Link to={`/customers/${sample.b}`} className="mono">{sample.b}</Link>
            <div className="faint">{sample.because}</div>
          </li>
        ))}
      </ul>
    </section>
  );
}
