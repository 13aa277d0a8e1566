/* SPDX-License-Identifier: Apache-2.0 */
/* pages: the one list of what the console has. Navigation, router and search palette are made of it. */
import {
  ApartmentOutlined, ApiOutlined, AppstoreOutlined, AuditOutlined, BlockOutlined, CalendarOutlined, ClusterOutlined, ControlOutlined, DashboardOutlined, DeploymentUnitOutlined, ExportOutlined, EyeInvisibleOutlined, FileProtectOutlined, FileTextOutlined, FilterOutlined, HourglassOutlined, ImportOutlined, KeyOutlined, LockOutlined, LoginOutlined, MergeCellsOutlined, NodeIndexOutlined,
  PartitionOutlined, ProfileOutlined, ReadOutlined, SafetyCertificateOutlined, SafetyOutlined, SendOutlined, SlidersOutlined, StopOutlined, TagsOutlined, TeamOutlined, ThunderboltOutlined, UsergroupAddOutlined, UserOutlined,
} from '@ant-design/icons';
import type { ComponentType, ReactNode } from 'react';
import { catalogue } from '@/lib/text';

export const pageTexts = catalogue({
  zh: {
    group: { today: '', customers: '客户', audience: '标签与人群', engage: '触达', identity: 'OneID', data: '数据', settings: '设置' },
    page: {
      today: '今日', customers: '全部客户', segments: '人群', tags: '标签', overlap: '人群重叠', journeys: '旅程', templates: '消息模板', touches: '触达记录', calendar: '触达日历', policy: '发送规则', linkRate: '渠道打通率', review: '待复核', suggestions: '疑似同一人', rules: '识别规则', live: '实时事件',
      sources: '数据源', feeds: 'Kafka 接入', sinks: 'Kafka 推送', imports: '文件导入', objects: '对象', plan: '埋点方案', traits: '客户属性', quarantine: '隔离区', system: '系统状态', users: '成员', roles: '角色', teams: '团队', tokens: '访问令牌', signIn: '登录与安全', privacy: '隐私', retention: '数据保留', keys: '加密密钥', audit: '操作记录', preferences: '我的账户', glossary: '术语',
    },
    hint: {
      today: '概览 总览 首页', customers: '搜索 客户 手机号', segments: '人群 分群 圈人 规则', tags: '标签 评分 RFM 生命周期 阶段', overlap: '重叠 交集', journeys: '自动化 流程 画布 触发 等待', templates: '文案 短信 内容 变量 预览', touches: '发送 急停 短信 消息 渠道 账号', calendar: '日历 排期 哪天发 计划', policy: '疲劳度 频次 免打扰 优先级 空白组 预算', linkRate: '打通 渠道', review: '合并 拒绝 复核', suggestions: '重复 合并', rules: '合并 规则 预演',
      live: '调试 日志 事件', sources: '写入密钥 接入 SDK', feeds: '消息队列 主题 消费', sinks: '消息队列 主题 输出 下游 同步', imports: '上传 CSV Excel 历史 订单 会员', objects: '商品 门店 导购', plan: '事件 属性 埋点', traits: '属性 优先级', quarantine: '隔离 重放', system: '内存 日志 引擎', users: '用户 账号 密码 邀请', roles: '权限 矩阵', teams: '范围 数据权限 店铺 经销商 共享',
      tokens: '令牌 接口', signIn: '单点登录 两步验证 会话 SSO', privacy: '个人信息 删除 查阅 请求 期限', retention: '保留 期限 过期 删除 小人数', keys: '密钥 轮换 更换 加密 销毁', audit: '审计 日志', preferences: '偏好 语言 深色 主题 密码 两步验证 会话', glossary: '帮助 词汇 解释',
    },
  },
  en: {
    group: { today: '', customers: 'Customers', audience: 'Tags & segments', engage: 'Engage', identity: 'OneID', data: 'Data', settings: 'Settings' },
    page: {
      today: 'Today', customers: 'All customers', segments: 'Segments', tags: 'Tags', overlap: 'Overlap', journeys: 'Journeys', templates: 'Templates', touches: 'Touches', calendar: 'Calendar', policy: 'Sending policy', linkRate: 'Link rate', review: 'To review', suggestions: 'Likely the same', rules: 'Identity rules', live: 'Live events',
      sources: 'Sources', feeds: 'Kafka feeds', sinks: 'Kafka sinks', imports: 'File imports', objects: 'Objects', plan: 'Tracking plan', traits: 'Traits', quarantine: 'Quarantine', system: 'System', users: 'People', roles: 'Roles', teams: 'Teams', tokens: 'Access tokens', signIn: 'Sign-in', privacy: 'Privacy', retention: 'Retention', keys: 'Sealing keys', audit: 'Audit', preferences: 'My account', glossary: 'Glossary',
    },
    hint: {
      today: 'overview home dashboard', customers: 'search people phone', segments: 'audience rule count', tags: 'score rfm lifecycle stage', overlap: 'intersection venn upset', journeys: 'automation flow canvas trigger wait', templates: 'message text sms content variable preview', touches: 'send stop sms message channel account', calendar: 'schedule plan when month week', policy: 'frequency caps quiet hours priority hold-out budget', linkRate: 'channels linked', review: 'refusals merge', suggestions: 'duplicates merge', rules: 'merge rules what-if',
      live: 'debugger log events', sources: 'write key sdk connect', feeds: 'topics broker stream consumer', sinks: 'topics broker stream producer outward downstream', imports: 'upload csv excel history orders members', objects: 'products stores advisers', plan: 'events properties', traits: 'precedence', quarantine: 'replay discard', system: 'memory log engine', users: 'users invite password', roles: 'rights permissions matrix', teams: 'scope shops dealers sharing',
      tokens: 'api bearer', signIn: 'single sign-on oidc second factor rules', privacy: 'erasure access request due consent', retention: 'days kept delete old small cells', keys: 'encryption rotate rotation seal', audit: 'history who did what', preferences: 'preferences language dark theme password second factor sessions', glossary: 'help terms words',
    },
  },
});

export type PageKey = keyof typeof pageTexts.zh.page;
export type GroupKey = keyof typeof pageTexts.zh.group;

export interface PageEntry {
  key: PageKey;
  group: GroupKey;
  path: string;
  icon: ReactNode;
  load: () => Promise<{ Component: ComponentType }>;
  /* found by the search and the menu of the person, not in the navigation */
  hidden?: boolean;
  /* which open work is counted beside the name */
  count?: 'refusals' | 'quarantined';
}

export const pages: readonly PageEntry[] = [
  { key: 'today', group: 'today', path: '/', icon: <DashboardOutlined />, load: async () => ({ Component: (await import('@/features/today/TodayPage')).TodayPage }) },
  { key: 'customers', group: 'customers', path: '/customers', icon: <TeamOutlined />, load: async () => ({ Component: (await import('@/features/customers/CustomersPage')).CustomersPage }) },
  { key: 'segments', group: 'audience', path: '/segments', icon: <FilterOutlined />, load: async () => ({ Component: (await import('@/features/segments/SegmentsPage')).SegmentsPage }) },
  { key: 'tags', group: 'audience', path: '/tags', icon: <TagsOutlined />, load: async () => ({ Component: (await import('@/features/tags/TagsPage')).TagsPage }) },
  { key: 'overlap', group: 'audience', path: '/overlap', icon: <BlockOutlined />, load: async () => ({ Component: (await import('@/features/segments/OverlapPage')).OverlapPage }) },
  { key: 'journeys', group: 'engage', path: '/journeys', icon: <ApartmentOutlined />, load: async () => ({ Component: (await import('@/features/journeys/JourneysPage')).JourneysPage }) },
  { key: 'templates', group: 'engage', path: '/templates', icon: <FileTextOutlined />, load: async () => ({ Component: (await import('@/features/templates/TemplatesPage')).TemplatesPage }) },
  { key: 'touches', group: 'engage', path: '/touches', icon: <SendOutlined />, load: async () => ({ Component: (await import('@/features/touches/TouchesPage')).TouchesPage }) },
  { key: 'calendar', group: 'engage', path: '/calendar', icon: <CalendarOutlined />, load: async () => ({ Component: (await import('@/features/calendar/CalendarPage')).CalendarPage }) },
  { key: 'policy', group: 'engage', path: '/policy', icon: <SlidersOutlined />, load: async () => ({ Component: (await import('@/features/policy/PolicyPage')).PolicyPage }) },
  { key: 'linkRate', group: 'identity', path: '/identity/link-rate', icon: <NodeIndexOutlined />, load: async () => ({ Component: (await import('@/features/identity/LinkRatePage')).LinkRatePage }) },
  { key: 'review', group: 'identity', path: '/identity/review', icon: <SafetyOutlined />, count: 'refusals', load: async () => ({ Component: (await import('@/features/identity/ReviewPage')).ReviewPage }) },
  { key: 'suggestions', group: 'identity', path: '/identity/suggestions', icon: <UsergroupAddOutlined />, load: async () => ({ Component: (await import('@/features/identity/SuggestionsPage')).SuggestionsPage }) },
  { key: 'rules', group: 'identity', path: '/identity/rules', icon: <PartitionOutlined />, load: async () => ({ Component: (await import('@/features/identity/RulesPage')).RulesPage }) },
  { key: 'live', group: 'data', path: '/data/live', icon: <ThunderboltOutlined />, load: async () => ({ Component: (await import('@/features/live/LivePage')).LivePage }) },
  { key: 'sources', group: 'data', path: '/data/sources', icon: <ApiOutlined />, load: async () => ({ Component: (await import('@/features/sources/SourcesPage')).SourcesPage }) },
  { key: 'feeds', group: 'data', path: '/data/feeds', icon: <MergeCellsOutlined />, load: async () => ({ Component: (await import('@/features/sources/FeedsPage')).FeedsPage }) },
  { key: 'sinks', group: 'data', path: '/data/sinks', icon: <ExportOutlined />, load: async () => ({ Component: (await import('@/features/sources/SinksPage')).SinksPage }) },
  { key: 'imports', group: 'data', path: '/data/imports', icon: <ImportOutlined />, load: async () => ({ Component: (await import('@/features/imports/ImportsPage')).ImportsPage }) },
  { key: 'objects', group: 'data', path: '/data/objects', icon: <AppstoreOutlined />, load: async () => ({ Component: (await import('@/features/objects/ObjectsPage')).ObjectsPage }) },
  { key: 'plan', group: 'data', path: '/data/plan', icon: <FileProtectOutlined />, load: async () => ({ Component: (await import('@/features/plan/PlanPage')).PlanPage }) },
  { key: 'traits', group: 'data', path: '/data/traits', icon: <ProfileOutlined />, load: async () => ({ Component: (await import('@/features/traits/TraitsPage')).TraitsPage }) },
  { key: 'quarantine', group: 'data', path: '/data/quarantine', icon: <StopOutlined />, count: 'quarantined', load: async () => ({ Component: (await import('@/features/quarantine/QuarantinePage')).QuarantinePage }) },
  { key: 'system', group: 'settings', path: '/settings/system', icon: <DeploymentUnitOutlined />, load: async () => ({ Component: (await import('@/features/settings/SystemPage')).SystemPage }) },
  { key: 'users', group: 'settings', path: '/settings/people', icon: <UserOutlined />, load: async () => ({ Component: (await import('@/features/settings/PeoplePage')).PeoplePage }) },
  { key: 'roles', group: 'settings', path: '/settings/roles', icon: <SafetyCertificateOutlined />, load: async () => ({ Component: (await import('@/features/settings/RolesPage')).RolesPage }) },
  { key: 'teams', group: 'settings', path: '/settings/teams', icon: <ClusterOutlined />, load: async () => ({ Component: (await import('@/features/settings/TeamsPage')).TeamsPage }) },
  { key: 'tokens', group: 'settings', path: '/settings/tokens', icon: <KeyOutlined />, load: async () => ({ Component: (await import('@/features/settings/TokensPage')).TokensPage }) },
  { key: 'signIn', group: 'settings', path: '/settings/sign-in', icon: <LoginOutlined />, load: async () => ({ Component: (await import('@/features/settings/SignInPage')).SignInPage }) },
  { key: 'privacy', group: 'settings', path: '/settings/privacy', icon: <EyeInvisibleOutlined />, load: async () => ({ Component: (await import('@/features/settings/PrivacyPage')).PrivacyPage }) },
  { key: 'retention', group: 'settings', path: '/settings/retention', icon: <HourglassOutlined />, load: async () => ({ Component: (await import('@/features/settings/RetentionPage')).RetentionPage }) },
  { key: 'keys', group: 'settings', path: '/settings/keys', icon: <LockOutlined />, load: async () => ({ Component: (await import('@/features/settings/KeysPage')).KeysPage }) },
  { key: 'audit', group: 'settings', path: '/settings/audit', icon: <AuditOutlined />, load: async () => ({ Component: (await import('@/features/settings/AuditPage')).AuditPage }) },
  { key: 'preferences', group: 'settings', hidden: true, path: '/settings/preferences', icon: <ControlOutlined />, load: async () => ({ Component: (await import('@/features/settings/PreferencesPage')).PreferencesPage }) },
  { key: 'glossary', group: 'settings', hidden: true, path: '/help/glossary', icon: <ReadOutlined />, load: async () => ({ Component: (await import('@/help/GlossaryPage')).GlossaryPage }) },
];

export const groups: readonly GroupKey[] = ['today', 'customers', 'audience', 'engage', 'identity', 'data', 'settings'];
