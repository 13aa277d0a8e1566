/* SPDX-License-Identifier: Apache-2.0 */
import { expect, test } from 'vitest';
import { themeOf } from './theme';

test('who wants nothing to move gets popups without motion, in light and dark', () => {
  for (const scheme of ['light', 'dark'] as const) {
    expect(themeOf(scheme, true).token?.motion).toBe(false);
    expect(themeOf(scheme).token?.motion).toBe(true);
  }
});
