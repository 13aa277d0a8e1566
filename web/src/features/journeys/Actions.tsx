/* SPDX-License-Identifier: Apache-2.0 */
/* Actions: saving the draft, publishing it after saying who is inside, pausing, stopping, deleting. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Modal, Radio } from 'antd';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { api, ApiProblem, type Schemas } from '@/api/client';
import { useText } from '@/app/preferences';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { LaunchList, RampField, type LetIn } from './Launch';
import type { Definition, Journey } from './model';
import { journeyTexts } from './texts';
import type { DraftHandle } from './useDraft';

interface ActionsProps {
  journey: Journey;
  draft: DraftHandle;
  onRefused: (problem: ApiProblem | null) => void;
}

type Asked = 'publish' | 'ramp' | 'stop' | 'remove' | null;

export function Actions({ journey, draft, onRefused }: ActionsProps) {
  const t = useText(journeyTexts);
  const noChange = useRightReason('journey.change');
  const noPublish = useRightReason('journey.publish');
  const noApproval = useRightReason('journey.approve');
  const [asked, setAsked] = useState<Asked>(null);
  const { key } = journey;
  const save = useCommand(async () => {
    onRefused(null);
    await api.put('/journeys/{key}', { path: { key }, body: draft.definition as unknown as Schemas['JourneyDefinition'] });
  }, t.saved, draft.discard, onRefused);
  const pause = useCommand(() => api.post('/journeys/{key}/pause', { path: { key }, body: {} }), t.paused);
  const resume = useCommand(() => api.post('/journeys/{key}/resume', { path: { key }, body: {} }), t.resumed);
  const approve = useCommand(() => api.post('/journeys/{key}/approve', { path: { key }, body: {} }), t.approved);
  const runs = journey.state === 'live' || journey.state === 'paused' || journey.state === 'preparing' || journey.state === 'finishing';
  const waitsForApproval = draft.definition['approval'] === true && !journey.approved;
  return (
    <>
      <ActionButton reason={noChange ?? (draft.isChanged ? null : t.nothingToSave)} loading={save.isPending} onClick={() => save.mutate()}>{t.save}</ActionButton>
      {journey.state === 'paused'
        ? <ActionButton key="resume" reason={noPublish} loading={resume.isPending} onClick={() => resume.mutate()}>{t.resume}</ActionButton>
        : <ActionButton key="pause" reason={noChange ?? (journey.state === 'live' ? null : t.notLive)} loading={pause.isPending} onClick={() => pause.mutate()}>{t.pause}</ActionButton>}
      {journey.live_version > 0 && runs && <ActionButton reason={noPublish} onClick={() => setAsked('ramp')}>{t.launch.setRamp}</ActionButton>}
      {runs
        ? <ActionButton reason={noChange} onClick={() => setAsked('stop')}>{t.stop}</ActionButton>
        : <ActionButton danger reason={noChange ?? (journey.inside > 0 ? t.insideBlocks : null)} onClick={() => setAsked('remove')}>{t.remove}</ActionButton>}
      {waitsForApproval && <ActionButton reason={noApproval ?? (draft.isChanged ? t.saveFirst : null)} loading={approve.isPending} onClick={() => approve.mutate()}>{t.approve}</ActionButton>}
      <ActionButton type="primary" reason={noPublish ?? (draft.isChanged ? t.saveFirst : waitsForApproval ? t.approveFirst : null)} onClick={() => setAsked('publish')}>{t.publish}</ActionButton>
      <PublishDialog journey={journey} definition={draft.definition} open={asked === 'publish'} onClose={() => setAsked(null)} onRefused={onRefused} />
      <RampDialog journey={journey} open={asked === 'ramp'} onClose={() => setAsked(null)} />
      <StopDialog journey={journey} open={asked === 'stop'} onClose={() => setAsked(null)} />
      <RemoveDialog journey={journey} open={asked === 'remove'} onClose={() => setAsked(null)} />
    </>
  );
}

/* A command on journeys: afterwards everything about them is asked anew, and it is said what was done. */
function useCommand(run: () => Promise<unknown>, done: string, onDone?: () => void, onRefused?: (problem: ApiProblem) => void) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  return useMutation({
    mutationFn: run,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['journeys'] });
      onDone?.();
      void message.success(done);
    },
    onError: (error) => {
      if (error instanceof ApiProblem && error.status === 422 && onRefused !== undefined) onRefused(error);
      else notice(error);
    },
  });
}

interface DialogProps {
  journey: Journey;
  open: boolean;
  onClose: () => void;
}

function PublishDialog({ journey, definition, open, onClose, onRefused }: DialogProps & { definition: Definition; onRefused: (problem: ApiProblem | null) => void }) {
  const t = useText(journeyTexts);
  const common = useText(words);
  const [positions, setPositions] = useState<'finish' | 'move'>('finish');
  const [letIn, setLetIn] = useState<LetIn>({ ramp: journey.ramp, test_only: journey.test_only });
  const publish = useCommand(() => api.post('/journeys/{key}/publish', { path: { key: journey.key }, body: { positions, ...letIn } }), t.published, onClose, (problem) => {
    onRefused(problem);
    onClose();
  });
  return (
    <Modal open={open} title={t.publishTitle(journey.name)} width={680} onCancel={onClose} okText={t.publishDo} cancelText={common.action.cancel} confirmLoading={publish.isPending} onOk={() => publish.mutate()} destroyOnHidden>
      <div className="stack">
        <LaunchList journey={journey} definition={definition} />
        <RampField value={letIn} onChange={setLetIn} />
        <p>{t.publishText} {journey.inside > 0 && t.insideNow(journey.inside)}</p>
        {journey.live_version > 0 && <div className="field"><span>{t.positions}</span><Radio.Group aria-label={t.positions} value={positions} onChange={(event) => setPositions(event.target.value as 'finish' | 'move')} options={[{ value: 'finish', label: t.finish }, { value: 'move', label: t.move }]} /></div>}
      </div>
    </Modal>
  );
}

function RampDialog({ journey, open, onClose }: DialogProps) {
  const t = useText(journeyTexts);
  const common = useText(words);
  const [letIn, setLetIn] = useState<LetIn>({ ramp: journey.ramp, test_only: journey.test_only });
  const change = useCommand(() => api.post('/journeys/{key}/ramp', { path: { key: journey.key }, body: letIn }), t.launch.rampSet, onClose);
  return (
    <Modal open={open} title={t.launch.setRamp} onCancel={onClose} okText={t.launch.setRamp} cancelText={common.action.cancel} confirmLoading={change.isPending} onOk={() => change.mutate()} destroyOnHidden>
      <RampField value={letIn} onChange={setLetIn} />
    </Modal>
  );
}

function StopDialog({ journey, open, onClose }: DialogProps) {
  const t = useText(journeyTexts);
  const common = useText(words);
  const [positions, setPositions] = useState<'exit' | 'finish'>('finish');
  const stop = useCommand(() => api.post('/journeys/{key}/stop', { path: { key: journey.key }, body: { positions } }), t.stopped, onClose);
  return (
    <Modal open={open} title={t.stopTitle(journey.name)} onCancel={onClose} okText={t.stopDo} okButtonProps={{ danger: true }} cancelText={common.action.cancel} confirmLoading={stop.isPending} onOk={() => stop.mutate()}>
      <div className="stack">
        <p>{t.stopText} {t.insideNow(journey.inside)}</p>
        <div className="field"><span>{t.stopPositions}</span><Radio.Group aria-label={t.stopPositions} value={positions} onChange={(event) => setPositions(event.target.value as 'exit' | 'finish')} options={[{ value: 'finish', label: t.finishFirst }, { value: 'exit', label: t.exitNow }]} /></div>
      </div>
    </Modal>
  );
}

function RemoveDialog({ journey, open, onClose }: DialogProps) {
  const t = useText(journeyTexts);
  const common = useText(words);
  const navigate = useNavigate();
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const remove = useMutation({
    mutationFn: () => api.delete('/journeys/{key}', { path: { key: journey.key } }),
    onSuccess: async () => {
      void message.success(t.removed);
      await navigate('/journeys');
      await client.invalidateQueries({ queryKey: ['journeys', 'list'] });
    },
    onError: notice,
  });
  return (
    <Modal open={open} title={t.removeTitle(journey.name)} onCancel={onClose} okText={t.removeDo} okButtonProps={{ danger: true }} cancelText={common.action.cancel} confirmLoading={remove.isPending} onOk={() => remove.mutate()}>
      <p>{t.removeText}</p>
    </Modal>
  );
}
