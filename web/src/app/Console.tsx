/* SPDX-License-Identifier: Apache-2.0 */
/* Console: providers around the router: preferences, query cache, theme, session. */
import { QueryClientProvider, useQuery, useQueryClient } from '@tanstack/react-query';
import { App as AntApp, ConfigProvider } from 'antd';
import enGB from 'antd/locale/en_GB';
import zhCN from 'antd/locale/zh_CN';
import 'dayjs/locale/en-gb';
import 'dayjs/locale/zh-cn';
import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import { RouterProvider } from 'react-router';
import { ApiProblem, onUnauthenticated } from '@/api/client';
import { useStill } from '@/lib/media';
import { makeQueryClient, queries } from '@/api/queries';
import { SignIn } from '@/features/session/SignIn';
import { Failure } from '@/ui/States';
import { ClockProvider } from './clock';
import { PreferencesProvider, usePreferences } from './preferences';
import { makeRouter } from './routes';
import { SessionProvider } from './session';
import { themeOf } from './theme';

/* few people ever see it */
const MustEnrol = lazy(async () => ({ default: (await import('./MustEnrol')).MustEnrol }));

export function Console() {
  const [client] = useState(makeQueryClient);
  return (
    <PreferencesProvider>
      <QueryClientProvider client={client}>
        <Themed />
      </QueryClientProvider>
    </PreferencesProvider>
  );
}

function Themed() {
  const { language, scheme } = usePreferences();
  const isStill = useStill();
  const theme = useMemo(() => themeOf(scheme, isStill), [scheme, isStill]);
  return (
    <ConfigProvider
      theme={theme} locale={language === 'zh' ? zhCN : enGB} button={{ autoInsertSpace: false }}
      componentSize="middle" wave={{ disabled: true }}
    >
      <AntApp style={{ minHeight: '100%' }}>
        <SignedIn />
      </AntApp>
    </ConfigProvider>
  );
}

function SignedIn() {
  const session = useQuery(queries.session());
  const client = useQueryClient();
  const [router] = useState(makeRouter);
  const [ended, setEnded] = useState(false);
  useEffect(() => onUnauthenticated(() => setEnded(true)), []);
  /* once begun it stays until the recovery codes were kept, whatever the session says by then */
  const [enrolling, setEnrolling] = useState(false);
  if (session.data?.must_enrol === true && !enrolling) setEnrolling(true);

  const isUnknown = session.error instanceof ApiProblem && session.error.status === 401;
  if (ended || isUnknown) {
    const entered = (): void => {
      client.removeQueries({ predicate: (query) => query.queryKey[0] !== 'session' });
      setEnded(false);
      void session.refetch();
    };
    return <SignIn expired={ended && session.data !== undefined} onEntered={entered} />;
  }
  if (session.data === undefined) {
    if (session.isError) return <Failure error={session.error} retry={() => void session.refetch()} />;
    return <div aria-busy="true" />;
  }
  return (
    <SessionProvider value={session.data}>
      <ClockProvider zone={session.data.server.zone} serverNow={session.data.server.now}>
        {session.data.must_enrol || enrolling ? <Suspense fallback={<div aria-busy="true" />}><MustEnrol onDone={() => setEnrolling(false)} /></Suspense> : <RouterProvider router={router} />}
      </ClockProvider>
    </SessionProvider>
  );
}
