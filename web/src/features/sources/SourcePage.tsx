/* SPDX-License-Identifier: Apache-2.0 */
/* SourcePage: one source: code to paste, whether events arrive, key, signing, switching off. */
import { ArrowLeftOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Modal, Select, Switch } from 'antd';
import { useMemo, useState } from 'react';
import { Link, useParams } from 'react-router';
import { api, type Schemas } from '@/api/client';
import { useText } from '@/app/preferences';
import { useLasting } from '@/lib/hooks';
import { knownChannels } from '@/lib/channels';
import { wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, CopyButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Code } from '@/ui/Json';
import { Count, Pill, Time, useChannelName } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Failure } from '@/ui/States';
import { TabBar } from '@/ui/TabBar';
import { OnceDialog } from './OnceDialog';
import { snippetsFor } from './snippets';
import { sourceTexts } from './texts';

type Source = Schemas['Source'];

export function SourcePage() {
  const t = useText(sourceTexts);
  const { key = '' } = useParams();
  const source = useQuery({
    queryKey: ['sources', key],
    queryFn: ({ signal }) => api.get('/sources/{key}', { path: { key }, signal }),
    refetchInterval: (query) => (query.state.data?.last_event_at === null ? 2_000 : 15_000),
  });
  const back = <Link to="/data/sources"><ArrowLeftOutlined /> {t.detail.back}</Link>;
  if (source.data === undefined) {
    return <Page title={key} purpose={back}><Panel>{source.isError ? <Failure error={source.error} retry={() => void source.refetch()} /> : <Bones rows={8} inset={0} />}</Panel></Page>;
  }
  const data = source.data;
  return (
    <Page title={data.name === '' ? data.key : data.name} purpose={back} actions={<Link to={`/data/live?source=${data.key}`}>{t.detail.live}</Link>}>
      <div className="split-2" style={{ alignItems: 'start' }}>
        <Snippets source={data} />
        <About source={data} />
      </div>
    </Page>
  );
}

function Snippets({ source }: { source: Source }) {
  const t = useText(sourceTexts);
  const snippets = useMemo(() => snippetsFor(source, window.location.origin, source.write_key), [source]);
  const [chosen, setChosen] = useState('');
  const shown = snippets.find((snippet) => snippet.key === chosen) ?? snippets[0];
  return (
    <Panel title={t.detail.snippets} note={t.detail.snippetsNote}>
      <div className={`notice ${source.last_event_at === null ? '' : 'good'}`} role="status" style={{ marginBottom: 8 }}>
        {source.last_event_at === null ? <span><strong>{t.detail.waiting}</strong> {t.detail.check}</span> : <span><strong>{t.detail.got}</strong> · {t.last} <Time at={source.last_event_at} /></span>}
      </div>
      {shown !== undefined && (
        <TabBar label={t.detail.snippets} value={shown.key} tabs={snippets.map((snippet) => ({ key: snippet.key, label: snippet.title }))} onChange={setChosen}>
          <div className="stack" style={{ gap: 10 }}>
            {shown.install !== '' && <><span className="small faint">{t.detail.install}</span><Code text={shown.install} /></>}
            <span className="small faint">{t.detail.runs[shown.runs]}</span>
            <Code text={shown.code} />
            {source.write_key === null && <p className="small faint">{t.detail.placeholder}</p>}
          </div>
        </TabBar>
      )}
    </Panel>
  );
}

type Asked = 'rotate' | 'signing' | 'disable';

function About({ source }: { source: Source }) {
  const t = useText(sourceTexts);
  const noRole = useRightReason('source.administer');
  const [asked, setAsked] = useState<Asked | null>(null);
  const put = usePut(source);
  const channelName = useChannelName();
  return (
    <Panel title={t.detail.facts}>
      <dl className="facts">
        <dt>{t.key}</dt><dd className="mono">{source.key}</dd>
        <dt>{t.kind}</dt><dd><Pill tone={source.kind === 'server' ? 'accent' : 'plain'}>{source.kind === 'server' ? t.server : t.public}</Pill></dd>
        <dt>{t.protocol}</dt><dd>{wordFor(t.protocols, source.protocol)}</dd>
        <dt>{t.channel}</dt>
        <dd>
          <Select
            size="small" style={{ width: 150 }} aria-label={t.channel} disabled={noRole !== null} title={noRole ?? ''} value={source.channel} onChange={(channel) => put.mutate({ channel })} showSearch={{ optionFilterProp: 'label' }}
            options={[{ value: '', label: t.fromEvent }, ...[...new Set([...knownChannels, ...(source.channel === '' ? [] : [source.channel])])].map((value) => ({ value, label: channelName(value) }))]}
          />
        </dd>
        <dt>{t.strict}</dt>
        <dd className="row" style={{ alignItems: 'flex-start' }}><Switch size="small" aria-label={t.strictHint} checked={source.strict} disabled={noRole !== null} title={noRole ?? ''} onChange={(strict) => put.mutate({ strict })} style={{ flex: 'none', marginTop: 2 }} /><span className="small faint">{t.strictHint}</span></dd>
        <dt>{t.today}</dt><dd><Count value={source.events_today} exact /></dd>
        <dt>{t.detail.created}</dt><dd><Time at={source.created_at} exact /></dd>
        <dt>{t.detail.writeKey}</dt>
        <dd className="row wrap">
          {source.write_key === null ? <span className="faint">{source.write_key_hint === '' ? t.detail.hidden : t.detail.endsWith(source.write_key_hint)}</span> : <><span className="mono">{source.write_key}</span><CopyButton text={source.write_key} /></>}
        </dd>
        <dt>{t.detail.signing}</dt><dd>{source.signing ? t.detail.signingOn : t.detail.signingOff}</dd>
      </dl>
      <div className="stack" style={{ gap: 8, marginTop: 16 }}>
        <ActionButton reason={noRole} onClick={() => setAsked('rotate')}>{t.detail.rotate}</ActionButton>
        <ActionButton reason={noRole} onClick={() => setAsked('signing')}>{source.signing ? t.detail.signingRenew : t.detail.signingMake}</ActionButton>
        {source.disabled
          ? <ActionButton reason={noRole} loading={put.isPending} onClick={() => put.mutate({ disabled: false })}>{t.detail.enable}</ActionButton>
          : <ActionButton danger reason={noRole} onClick={() => setAsked('disable')}>{t.detail.disable}</ActionButton>}
      </div>
      <Questions source={source} asked={asked} onClose={() => setAsked(null)} />
    </Panel>
  );
}

function usePut(source: Source) {
  const t = useText(sourceTexts);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  return useMutation({
    mutationFn: (body: Schemas['SourcePut']) => api.put('/sources/{key}', { path: { key: source.key }, body }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['sources'] });
      void message.success(t.detail.saved);
    },
    onError: notice,
  });
}

function Questions({ source, asked, onClose }: { source: Source; asked: Asked | null; onClose: () => void }) {
  const t = useText(sourceTexts);
  const common = useText(words);
  const client = useQueryClient();
  const notice = useProblemNotice();
  const put = usePut(source);
  const [secret, setSecret] = useState<{ value: string; of: 'key' | 'signing' } | null>(null);
  const path = { key: source.key };
  const act = useMutation({
    mutationFn: async (what: Asked) => {
      if (what === 'rotate') setSecret({ value: (await api.post('/sources/{key}/rotate', { path })).write_key, of: 'key' });
      if (what === 'signing') setSecret({ value: (await api.post('/sources/{key}/signing-secret', { path })).signing_secret, of: 'signing' });
      if (what === 'disable') await put.mutateAsync({ disabled: true });
    },
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['sources'] });
      onClose();
    },
    onError: notice,
  });
  const name = source.name === '' ? source.key : source.name;
  const said = {
    rotate: { title: t.detail.rotateTitle, text: t.detail.rotateText(name), ok: t.detail.rotateOk },
    signing: { title: t.detail.signingTitle, text: t.detail.signingText, ok: t.detail.signingOk },
    disable: { title: t.detail.disableTitle, text: t.detail.disableText(name), ok: t.disabled },
  };
  const shown = useLasting(asked);
  const now = shown === null ? null : said[shown];
  return (
    <>
      <Modal open={asked !== null} title={now?.title} okText={now?.ok} okButtonProps={{ danger: true }} cancelText={common.action.cancel} confirmLoading={act.isPending} onCancel={onClose} onOk={() => asked !== null && act.mutate(asked)}>
        <p>{now?.text}</p>
      </Modal>
      <OnceDialog
        secret={secret?.value ?? null} title={secret?.of === 'signing' ? t.keyOnce.secretTitle : t.keyOnce.title} text={secret?.of === 'signing' ? t.keyOnce.secretText : t.keyOnce.text}
        onClose={() => setSecret(null)}
      />
    </>
  );
}
