/* SPDX-License-Identifier: Apache-2.0 */
/* routes: addresses to pages; each page is a chunk of its own, loaded when it is first opened. */
import { createBrowserRouter } from 'react-router';
import { Frame } from './Frame';
import { NoSuchPage, PageFailure } from './PageFailure';
import { pages } from './pages';

export function makeRouter() {
  return createBrowserRouter([
    {
      path: '/',
      element: <Frame />,
      errorElement: <PageFailure />,
      hydrateFallbackElement: <div aria-busy="true" />,
      children: [
        ...pages.map((page) => ({ path: page.path, lazy: page.load, errorElement: <PageFailure /> })),
        {
          path: '/customers/:oneId/:tab?',
          lazy: async () => ({ Component: (await import('@/features/customer/CustomerPage')).CustomerPage }),
          errorElement: <PageFailure />,
        },
        {
          path: '/data/sources/:key',
          lazy: async () => ({ Component: (await import('@/features/sources/SourcePage')).SourcePage }),
          errorElement: <PageFailure />,
        },
        {
          path: '/data/objects/:kind/:id',
          lazy: async () => ({ Component: (await import('@/features/objects/ObjectPage')).ObjectPage }),
          errorElement: <PageFailure />,
        },
        {
          path: '/data/imports/new',
          lazy: async () => ({ Component: (await import('@/features/imports/NewImportPage')).NewImportPage }),
          errorElement: <PageFailure />,
        },
        {
          path: '/data/imports/:id',
          lazy: async () => ({ Component: (await import('@/features/imports/JobPage')).JobPage }),
          errorElement: <PageFailure />,
        },
        ...['/new/segment', '/segments/:key/edit'].map((path) => ({
          path,
          lazy: async () => ({ Component: (await import('@/features/segments/SegmentEditPage')).SegmentEditPage }),
          errorElement: <PageFailure />,
        })),
        {
          path: '/segments/:key/:tab?',
          lazy: async () => ({ Component: (await import('@/features/segments/SegmentPage')).SegmentPage }),
          errorElement: <PageFailure />,
        },
        ...['/new/tag', '/tags/:key/edit'].map((path) => ({
          path,
          lazy: async () => ({ Component: (await import('@/features/tags/TagEditPage')).TagEditPage }),
          errorElement: <PageFailure />,
        })),
        {
          path: '/tags/:key/:tab?',
          lazy: async () => ({ Component: (await import('@/features/tags/TagPage')).TagPage }),
          errorElement: <PageFailure />,
        },
        ...['/new/template', '/templates/:key'].map((path) => ({
          path,
          lazy: async () => ({ Component: (await import('@/features/templates/TemplateEditPage')).TemplateEditPage }),
          errorElement: <PageFailure />,
        })),
        {
          path: '/journeys/:key/:tab?',
          lazy: async () => ({ Component: (await import('@/features/journeys/JourneyPage')).JourneyPage }),
          errorElement: <PageFailure />,
        },
        ...['/new/team', '/settings/teams/:key'].map((path) => ({
          path,
          lazy: async () => ({ Component: (await import('@/features/settings/TeamPage')).TeamPage }),
          errorElement: <PageFailure />,
        })),
        { path: '*', element: <NoSuchPage /> },
      ],
    },
  ]);
}
