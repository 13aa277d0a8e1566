/* SPDX-License-Identifier: Apache-2.0 */
/* theme: our colours and measures as tokens of Ant Design. */
import { theme as antTheme, type ThemeConfig } from 'antd';
import { palettes, type Scheme } from './colours';

export const fontFamily =
  '"PingFang SC", "HarmonyOS Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", "Segoe UI", system-ui, -apple-system, sans-serif';
export const monoFamily = 'ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';

/* `isStill`: popups are there at once. Style sheets cannot do that alone: an animation of no length still has to be waited for, and
 * takes no click meanwhile. */
export function themeOf(scheme: Scheme, isStill = false): ThemeConfig {
  const colours = palettes[scheme];
  return {
    algorithm: scheme === 'dark' ? antTheme.darkAlgorithm : antTheme.defaultAlgorithm,
    token: {
      colorPrimary: colours.accent,
      colorPrimaryHover: colours.accentHover,
      colorPrimaryActive: colours.accentActive,
      colorPrimaryText: colours.accentInk,
      colorPrimaryBg: colours.accentSoft,
      colorPrimaryBgHover: colours.accentSoft,
      colorLink: colours.accentInk,
      colorLinkHover: colours.accentHover,
      colorLinkActive: colours.accentActive,
      colorSuccess: colours.good,
      colorWarning: colours.warn,
      colorError: colours.bad,
      colorErrorText: colours.bad,
      colorInfo: colours.info,
      colorText: colours.ink,
      colorTextSecondary: colours.inkSoft,
      colorTextTertiary: colours.inkFaint,
      colorTextQuaternary: colours.inkFaint,
      colorTextDescription: colours.inkFaint,
      colorTextPlaceholder: colours.inkFaint,
      colorTextDisabled: colours.inkFaint,
      colorBgBase: colours.paper,
      colorBgLayout: colours.ground,
      colorBgContainer: colours.paper,
      colorBgElevated: scheme === 'dark' ? '#1e2723' : colours.paper,
      colorBorder: colours.lineStrong,
      colorBorderSecondary: colours.line,
      colorSplit: colours.line,
      fontFamily,
      fontFamilyCode: monoFamily,
      fontSize: 14,
      controlHeight: 32,
      borderRadius: 6,
      borderRadiusLG: 8,
      borderRadiusSM: 5,
      borderRadiusXS: 4,
      motionDurationSlow: '0.2s',
      motionDurationMid: '0.15s',
      motion: !isStill,
      wireframe: false,
    },
    components: {
      Button: {
        primaryColor: colours.onAccent, primaryShadow: 'none', defaultShadow: 'none', dangerShadow: 'none', contentFontSizeSM: 13,
        dangerColor: scheme === 'dark' ? '#2b0b08' : '#ffffff',
      },
      Table: {
        headerBg: colours.paperSoft, headerColor: colours.inkSoft, headerSplitColor: 'transparent',
        cellPaddingBlockSM: 6.5, cellPaddingInlineSM: 12, rowHoverBg: colours.paperSoft, fontSize: 13,
        cellFontSizeSM: 13, headerBorderRadius: 0,
      },
      Segmented: { trackBg: scheme === 'dark' ? '#0b0f0d' : '#e9eeeb', itemSelectedBg: colours.paper },
      Tooltip: { colorBgSpotlight: scheme === 'dark' ? '#33413b' : '#23302a' },
      Tag: { defaultBg: colours.paperSoft, defaultColor: colours.inkSoft },
      Drawer: { paddingLG: 20 },
      Modal: { titleFontSize: 16 },
    },
  };
}
