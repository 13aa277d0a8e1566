/* SPDX-License-Identifier: Apache-2.0 */
/* useEditing: a definition while it is edited: what is saved, the draft that is kept, who else has saved, and saving. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import { useEffect, useMemo, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { api } from '@/api/client';
import { queries, type AudienceKind } from '@/api/queries';
import { keep, kept, useText } from '@/app/preferences';
import { useSession } from '@/app/session';
import { canonical, type JsonObject } from '@/features/rules/model';
import { useProblemNotice } from '@/ui/Controls';
import { coreOf, emptyMeta, jsonOf, metaOf, putOf, readDraft, type Definition, type Meta } from './audience';
import { audienceTexts } from './texts';

export interface Edited {
  meta: Meta;
  core: JsonObject;
}

export interface Editing {
  edited: Edited;
  setMeta: (meta: Meta) => void;
  setCore: (core: JsonObject) => void;
  body: JsonObject;
  isNew: boolean;
  isDirty: boolean;
  isDraft: boolean;
  discard: () => void;
  /* the version that somebody else has saved since; null if nobody has */
  newer: number | null;
  loadNewer: () => void;
  save: () => void;
  isSaving: boolean;
  error: unknown;
  others: readonly Definition[];
  link: string;
}

interface Start {
  kind: AudienceKind;
  saved: Definition | null; /* null: a new one */
  fresh: JsonObject;
}

const draftKey = (kind: AudienceKind, key: string): string => `kith.draft.${kind}.${key === '' ? '~new' : key}`;

function startOf({ saved, fresh }: Start, given: string | null, owner: string): Edited {
  if (saved !== null) return { meta: metaOf(saved), core: coreOf(saved) };
  if (given !== null) {
    try {
      const said = jsonOf(JSON.parse(given) as unknown);
      const { name, folder, owner: whose, description, key, ...core } = said;
      const text = (value: unknown): string => (typeof value === 'string' ? value : '');
      return { meta: { key: text(key), name: text(name), folder: text(folder), owner: text(whose), description: text(description) }, core };
    } catch {
      /* a link that was cut off: begin with nothing */
    }
  }
  return { meta: { ...emptyMeta, owner }, core: fresh };
}

export function useEditing(start: Start): Editing {
  const { kind, saved } = start;
  const { user } = useSession();
  const t = useText(audienceTexts);
  const [params] = useSearchParams();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const key = saved?.key ?? '';
  const given = params.get('define');
  const [base, setBase] = useState(saved);
  const fresh = useMemo(() => startOf({ ...start, saved: base }, given, user.name === '' ? user.login : user.name), [base, given]);
  const [draft] = useState(() => (given === null ? readDraft<Edited>(kept(draftKey(kind, key))) : null));
  const [edited, setEdited] = useState<Edited>(draft?.body ?? fresh);
  const [isDraft, setDraft] = useState(draft !== null);
  const body = useMemo(() => putOf(edited.meta, edited.core), [edited]);
  const isDirty = canonical({ ...body, key: edited.meta.key }) !== canonical({ ...putOf(fresh.meta, fresh.core), key: fresh.meta.key });
  const others = useQuery(queries.definitions(kind));
  const version = base?.version ?? 0;
  useEffect(() => {
    const timer = setTimeout(() => keep(draftKey(kind, key), isDirty ? JSON.stringify({ body: edited, version, at: Date.now() }) : ''), 400);
    return () => clearTimeout(timer);
  }, [edited, isDirty, kind, key, version]);
  const forget = (): void => keep(draftKey(kind, key), '');
  const put = useMutation({
    mutationFn: () => {
      const options = { path: { key: edited.meta.key }, body: body as never };
      return kind === 'segments' ? api.put('/segments/{key}', options) : api.put('/tags/{key}', options);
    },
    onSuccess: (answer) => {
      forget();
      void client.invalidateQueries({ queryKey: [kind] });
      void message.success(answer.state === 'live' ? t.savedLive : t.saved);
      void navigate(`/${kind}/${answer.key}`);
    },
    onError: notice,
  });
  const latest = saved !== null && base !== null && saved.version !== base.version ? saved.version : null;
  return {
    edited, body, isNew: saved === null, isDirty, isDraft, others: others.data?.items ?? [],
    setMeta: (meta) => setEdited((now) => ({ ...now, meta })),
    setCore: (core) => setEdited((now) => ({ ...now, core })),
    discard: () => {
      forget();
      setDraft(false);
      setEdited(fresh);
    },
    newer: latest,
    loadNewer: () => {
      if (saved === null) return;
      forget();
      setBase(saved);
      setDraft(false);
      setEdited({ meta: metaOf(saved), core: coreOf(saved) });
    },
    save: () => put.mutate(),
    isSaving: put.isPending,
    error: put.error,
    link: `${location.origin}/new/${kind === 'segments' ? 'segment' : 'tag'}?define=${encodeURIComponent(JSON.stringify({ key: edited.meta.key, ...body }))}`,
  };
}
