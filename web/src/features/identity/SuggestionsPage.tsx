/* SPDX-License-Identifier: Apache-2.0 */
/* SuggestionsPage: pairs that look like one person but share no strong identifier. Never merged by themselves. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Modal } from 'antd';
import { useState } from 'react';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useLanguage, useText } from '@/app/preferences';
import { percent } from '@/lib/format';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Page, Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { CustomerBrief } from './CustomerBrief';
import './identity.css';

const texts = catalogue({
  zh: {
    title: '疑似同一人',
    purpose: '没有共同的强标识，但看起来像同一个人的客户。系统只提示，不会自动合并。',
    score: '相似度',
    merge: '合并…',
    more: (count: number) => `再看 ${count} 对`,
    emptyTitle: '没有疑似重复的客户',
    empty: '当两位客户的姓名、收件信息、设备等相近时，会出现在这里。',
    confirmTitle: '合并成一位客户？',
    confirm: (a: string, b: string) => `${a} 和 ${b} 的事件、属性、标识和订单会显示在同一条时间线上。以后可以在客户页的「合并记录」里拆开。`,
    done: '已合并',
    ok: '合并为一位客户',
  },
  en: {
    title: 'Likely the same',
    purpose: 'Customers who look like one person without sharing a strong identifier. They are only suggested, never merged by themselves.',
    score: 'Score',
    merge: 'Join…',
    more: (count) => `Show ${count} more`,
    emptyTitle: 'No likely duplicates',
    empty: 'Customers with a similar name, receiver or device show up here.',
    confirmTitle: 'Make them one customer?',
    confirm: (a, b) => `Events, traits, identifiers and orders of ${a} and ${b} will show on one timeline. They can be split again under Merges on the customer page.`,
    done: 'Joined',
    ok: 'Make them one customer',
  },
});

type Suggestion = Schemas['Suggestion'];
const step = 15;

export function SuggestionsPage() {
  const t = useText(texts);
  const suggestions = useQuery(queries.suggestions());
  const [asked, setAsked] = useState<Suggestion | null>(null);
  const [shown, setShown] = useState(step);
  return (
    <Page title={t.title} purpose={t.purpose}>
      <Panel flush>
        <Loaded query={suggestions} skeleton={<Bones rows={6} height={64} />} isEmpty={(data) => data.items.length === 0} empty={<Empty title={t.emptyTitle}>{t.empty}</Empty>}>
          {(data) => (
            <>
              <ul>{data.items.slice(0, shown).map((item) => <SuggestionRow key={`${item.a.one_id} ${item.b.one_id}`} item={item} onAsk={setAsked} />)}</ul>
              {data.items.length > shown && <div style={{ textAlign: 'center', padding: 12 }}><Button onClick={() => setShown(shown + step)}>{t.more(Math.min(step, data.items.length - shown))}</Button></div>}
            </>
          )}
        </Loaded>
      </Panel>
      <JoinDialog asked={asked} onClose={() => setAsked(null)} />
    </Page>
  );
}

function SuggestionRow({ item, onAsk }: { item: Suggestion; onAsk: (item: Suggestion) => void }) {
  const t = useText(texts);
  const language = useLanguage();
  const noRole = useRightReason('customer.change');
  return (
    <li className="suggestion">
      <div className="score"><strong className="tabular">{percent(item.score, 0)}</strong><span className="small faint">{t.score}</span></div>
      <div className="suggestion-pair"><CustomerBrief oneId={item.a.one_id} /><CustomerBrief oneId={item.b.one_id} /></div>
      <ul className="soft small suggestion-why">{item.reasons.map((reason) => <li key={reason.en}>{reason[language]}</li>)}</ul>
      <ActionButton size="small" reason={noRole} onClick={() => onAsk(item)}>{t.merge}</ActionButton>
    </li>
  );
}

function JoinDialog({ asked, onClose }: { asked: Suggestion | null; onClose: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const merge = useMutation({
    mutationFn: (item: Suggestion) => api.post('/customers/{one_id}/merge', { path: { one_id: item.a.one_id }, body: { other: item.b.one_id } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['identity'] });
      void client.invalidateQueries({ queryKey: ['customers'] });
      void message.success(t.done);
      onClose();
    },
    onError: notice,
  });
  return (
    <Modal open={asked !== null} onCancel={onClose} title={t.confirmTitle} okText={t.ok} cancelText={common.action.cancel} confirmLoading={merge.isPending} onOk={() => asked !== null && merge.mutate(asked)} destroyOnHidden>
      {asked !== null && <p>{t.confirm(asked.a.name === '' ? asked.a.one_id : asked.a.name, asked.b.name === '' ? asked.b.one_id : asked.b.name)}</p>}
    </Modal>
  );
}
