/* SPDX-License-Identifier: Apache-2.0 */
/* glossary: the words of the console, one thing one word, each with what it is and an example. The one file of terms: help cards, the glossary
 * page and the marks beside titles are made of it. Chinese and English have the same terms; a missing one does not compile.
 */
import { catalogue } from '@/lib/text';

export interface TermText {
  name: string;
  what: string;
  example: string;
}

export const terms = catalogue({
  zh: {
    customer: { name: '客户 · OneID', what: '认得的每一个人，匿名访客也算。不管从几个渠道来，合起来只有一个 OneID。', example: '天猫下单、企微加好友、门店办会员的是同一位：一个客户。' },
    identifier: { name: '标识', what: '认人的凭据：类型、命名空间、值；已验证的可信，只是声称的不能合并两个已知客户。', example: '手机号、会员号、unionid、设备号。' },
    merge: { name: '合并 · 拆分', what: '发现两份记录是同一个人就合并，记下日期和原因；错了可以拆开，积分、订单、旅程位置都能拆回去。', example: '同一手机号在天猫和门店各有一份，合并为一位。' },
    profile: { name: '画像', what: '一位客户的属性、标签、人群和汇总数字。', example: '' },
    trait: { name: '属性', what: '记在客户身上的事实，由数据源说；几个来源说法不同时，按优先级取一个。', example: '城市、肤质、生日。' },
    tag: { name: '标签', what: '由规则、评分或人工得出的结论，一个名字一个值，可以打在客户上，也可以打在商品、门店上。', example: '生命周期 = 沉睡；热销商品 = 是。' },
    segment: { name: '人群', what: '符合同一条规则的一群客户。动态的随每个事件进出，静态的名单固定。不是企微社群。', example: '近 90 天支付 ≥ 2 次的上海会员。' },
    export: { name: '人群包', what: '把一个人群导成文件带走。谁导的、导了多少都有记录。', example: '' },
    group: { name: '社群', what: '企业微信的客户群，是对象的一种；不是人群。', example: '杭州护肤福利群 3。' },
    object: { name: '对象', what: '客户之外的人和物，事件里的编号指向它们；种类和字段由品牌定义。', example: '商品、门店、导购、经销商。' },
    relation: { name: '穿过对象的条件', what: '从事件里的编号找到对象，再看对象的属性或标签，可以一层层穿过去。', example: '买过「品牌负责人是李雷」的商品的人。' },
    journey: { name: '旅程', what: '一步步自动做的事：谁进来、等什么、走哪边、发什么。', example: '加购两天没付款，先企微提醒，再发短信。' },
    node: { name: '节点 · 位置', what: '节点是旅程里的一步；位置是一位客户此刻停在哪一步。', example: '' },
    touch: { name: '触达', what: '一次发送尝试，无论成没成；为什么发、为什么没发都查得到。', example: '' },
    gate: { name: '触达关卡', what: '每次发送都要过的检查：授权、疲劳度、免打扰、预算、空白组、急停。任何一道不过就不发。', example: '' },
    reach: { name: '可触达', what: '此刻能用某个渠道发给她：有账号、没拒绝、过得了关卡。', example: '' },
    cap: { name: '疲劳度', what: '一段时间里最多收几条，可以按渠道、用途、品牌分别定。', example: '每周短信不超过 2 条。' },
    quiet: { name: '免打扰', what: '这段时间不发，等到能发时再发或放弃。', example: '22:00–08:00。' },
    stop: { name: '急停', what: '马上停掉所有发送，或某个渠道、账号、旅程的；已发出的收不回。', example: '' },
    whatif: { name: '预演', what: '用过去真实发生的事件，把所有规则都开着，跑一遍旅程，看会发多少、发给谁。不会真的发。', example: '' },
    control: { name: '对照组 · 空白组', what: '对照组是这个旅程里故意不发的人，用来比效果；空白组是任何活动都不发的人。', example: '发了的人复购 12%，没发的 9%，增量是 3 个百分点。' },
    lift: { name: '增量 · 显著', what: '和对照组相比多带来的；显著是说这个差别不大像碰巧。', example: '' },
    template: { name: '消息模板', what: '每个渠道说什么，里面可以用画像里的变量。', example: '' },
    net: { name: '净销售额', what: '已付款减退款。结果都按净的算，并注明截至何时。', example: '' },
    newBuyer: { name: '新客 · 复购', what: '新客：第一笔已支付订单；复购：在另一天的第二笔。退掉的不算。', example: '' },
    plan: { name: '埋点方案', what: '约定会收到哪些事件、带哪些属性；不符合的进隔离区，不会丢。', example: '' },
    quarantine: { name: '隔离区', what: '不符合约定的事件在这里等着：改好方案或改正内容，就能重放。', example: '' },
    watermark: { name: '数据水位', what: '一个数据源把多早以前的事都说完了。「没有做过」要等水位过了才判断。', example: '水位 10:05：10:05 之前的事都到了。' },
    source: { name: '数据源', what: '事件从哪里来：网站、小程序、门店系统。可信的能认人，公开的只能说它自己的访客。', example: '' },
    linkRate: { name: '渠道打通率', what: '一个渠道里，有多少客户在别的渠道也认得出。', example: '天猫 62%：十个天猫客户里六个也是会员或好友。' },
    consent: { name: '授权 · 用途', what: '她同意为什么目的联系她、用她的资料；每次决定都留着来源、文本版本和依据。', example: '营销触达：同意，会员协议 v3。' },
    erasure: { name: '删除 · 限制处理', what: '删除：各处都不再有她，汇总数不变；限制：资料留着但不用。', example: '' },
    retention: { name: '保留期限', what: '各类数据留多久，过期由任务删掉；先试算会删多少。', example: '' },
    sealingKey: { name: '加密密钥', what: '手机号、邮箱、姓名、地址收进来时就用它加密；可以更换：所有内容换新密钥重新加密，旧密钥随后销毁。查找用的密钥不变。', example: '' },
    smallCells: { name: '小人数', what: '人数很少时数字会泄露个人：没有权限的人看到的数向下取整。', example: '少于 5 显示为 0。' },
    team: { name: '团队 · 数据范围', what: '团队决定看得到哪些客户：按店铺、经销商、品牌。看不到的，数也不算在内。', example: '' },
    role: { name: '角色', what: '能做什么：一组「动作 × 事物」的权限。', example: '' },
    lease: { name: '主服务器 · 租约', what: '几台服务器里只有拿着租约的那台写入，其余跟着读；它停了，别的会接过去。', example: '' },
    shard: { name: '分片', what: '数据仓库分在几台机器上，每台一份客户。少一台时，收数不停，查询会说缺了什么。', example: '' },
  },
  en: {
    customer: { name: 'Customer · OneID', what: 'Any person known, anonymous visitors included. However many channels she comes by, she has one OneID.', example: 'She orders at Tmall, is a contact on WeCom and a member of the store: one customer.' },
    identifier: { name: 'Identifier', what: 'What somebody is known by: type, namespace, value. Verified ones are trusted; one that is only claimed never merges two known customers.', example: 'Phone, member card, unionid, device.' },
    merge: { name: 'Merge · split', what: 'Two records of one person become one, with date and cause. A merge that was wrong is taken back, with points, orders and positions.', example: 'One phone at Tmall and in the store: one customer.' },
    profile: { name: 'Profile', what: 'Traits, tags, segments and summary of a customer.', example: '' },
    trait: { name: 'Trait', what: 'A fact kept on the customer, said by sources. Where they differ, precedence decides.', example: 'City, skin type, birthday.' },
    tag: { name: 'Tag', what: 'What a rule, a score or a person concludes: a name with a value, on customers or on products and stores.', example: 'Lifecycle = asleep; hot product = yes.' },
    segment: { name: 'Segment', what: 'The customers for whom a rule holds. A dynamic one follows each event, a static one is a fixed list. Not a chat group.', example: 'Members in Shanghai with two payments in 90 days.' },
    export: { name: 'Audience export', what: 'A segment taken out as a file. Who took it and how many is on record.', example: '' },
    group: { name: 'Customer group', what: 'A group chat on WeCom: a kind of objects, not a segment.', example: 'Skin care group 3, Hangzhou.' },
    object: { name: 'Object', what: 'What there is beside customers; events point at them by id. The brand defines kinds and fields.', example: 'Products, stores, advisers, dealers.' },
    relation: { name: 'Condition through an object', what: 'From the id on an event to the object, its properties and tags, and on to others.', example: 'Who bought products whose brand is owned by Li.' },
    journey: { name: 'Journey', what: 'What is done step by step by itself: who enters, what is waited for, which way, what is sent.', example: 'Two days after a cart without payment: WeCom first, then a text.' },
    node: { name: 'Node · position', what: 'A node is a step of a journey; a position is one customer at a step.', example: '' },
    touch: { name: 'Touch', what: 'One attempted message, whatever came of it; why it went out, or why not, can be asked.', example: '' },
    gate: { name: 'Gate', what: 'What each message has to pass: consent, caps, quiet hours, budget, hold-out, the red stop. One that says no is enough.', example: '' },
    reach: { name: 'Reachable', what: 'A message could go out to her by this channel now: there is an account, she did not refuse, the gates are open.', example: '' },
    cap: { name: 'Frequency cap', what: 'How many messages somebody gets at most in a time, by channel, purpose or brand.', example: 'Two texts a week.' },
    quiet: { name: 'Quiet hours', what: 'Nothing goes out in them; it waits, or is given up.', example: '22:00 to 08:00.' },
    stop: { name: 'Stop-all', what: 'Stops all sending at once, or that of a channel, an account, a journey. What has gone out cannot be called back.', example: '' },
    whatif: { name: 'What-if run', what: 'A journey over events that really happened, with every policy on: how many, to whom. Nothing is sent.', example: '' },
    control: { name: 'Control group · hold-out', what: 'The control group of a journey gets nothing, to compare with; the universal hold-out gets nothing of any campaign.', example: '12% of those who got it bought again, 9% of those who did not: a lift of 3 points.' },
    lift: { name: 'Lift · significant', what: 'What came beyond the control group; significant when chance alone would rarely do it.', example: '' },
    template: { name: 'Template', what: 'What each channel says, with variables of the profile.', example: '' },
    net: { name: 'Net revenue', what: 'Paid less refunds. Outcomes are net, with the date up to which they are true.', example: '' },
    newBuyer: { name: 'New buyer · repeat purchase', what: 'The first paid order; the second one on another day. Refunded ones are left out.', example: '' },
    plan: { name: 'Tracking plan', what: 'Which events are expected with which properties. What does not fit is kept in quarantine.', example: '' },
    quarantine: { name: 'Quarantine', what: 'Events that do not fit the plan wait here: mend the plan or the event, and replay.', example: '' },
    watermark: { name: 'Watermark', what: 'Up to when a source has told everything. "Did not" is decided only after it.', example: 'Watermark 10:05: everything before has come.' },
    source: { name: 'Source', what: 'Where events come from. A server source is trusted; a public one speaks only for its own visitors.', example: '' },
    linkRate: { name: 'Link rate', what: 'How many customers of a channel are known in another, too.', example: 'Tmall 62%: six of ten are members or contacts as well.' },
    consent: { name: 'Consent · purpose', what: 'For what she agreed to be reached or her data to be used; each decision is kept with source, text version and proof.', example: 'Marketing: agreed, member terms v3.' },
    erasure: { name: 'Erasure · restriction', what: 'Erased: she is nowhere any more, sums stay. Restricted: her data are kept and not used.', example: '' },
    retention: { name: 'Retention', what: 'How long each kind of data is kept; a job removes the rest, after a dry run that says how many.', example: '' },
    sealingKey: { name: 'Sealing key', what: 'Phones, e-mail addresses, names and addresses are sealed with it as they come in. It can be changed; every value is then sealed anew and the old key destroyed. The look-up key stays.', example: '' },
    smallCells: { name: 'Small cells', what: 'Counts of few people would tell who they are: who has not the right gets them rounded down.', example: 'Below 5 it is 0.' },
    team: { name: 'Team · scope', what: 'Which customers are seen: by shop, dealer, brand. Who is not seen is not counted.', example: '' },
    role: { name: 'Role', what: 'What may be done: a set of actions on kinds of things.', example: '' },
    lease: { name: 'Active server · lease', what: 'Of several servers the one with the lease writes, the others follow; when it ends, another takes over.', example: '' },
    shard: { name: 'Shard', what: 'The warehouse on several machines, each with its part of the customers. When one is away events are still taken, and answers say what is missing.', example: '' },
  },
});

export type TermKey = keyof typeof terms.zh;
export const termKeys = Object.keys(terms.zh) as TermKey[];

/* What a page is about: the mark beside its title. The longest path that fits counts. */
const ofPages: readonly [string, TermKey][] = [
  ['/customers', 'customer'], ['/segments', 'segment'], ['/new/segment', 'segment'], ['/overlap', 'segment'], ['/tags', 'tag'], ['/new/tag', 'tag'], ['/journeys', 'journey'], ['/calendar', 'touch'], ['/templates', 'template'], ['/new/template', 'template'], ['/touches', 'touch'], ['/policy', 'gate'],
  ['/identity/link-rate', 'linkRate'], ['/identity/review', 'merge'], ['/identity/suggestions', 'merge'], ['/identity/rules', 'identifier'], ['/data/live', 'source'], ['/data/sources', 'source'], ['/data/feeds', 'source'], ['/data/sinks', 'source'], ['/data/objects', 'object'], ['/data/plan', 'plan'], ['/data/traits', 'trait'],
  ['/data/quarantine', 'quarantine'], ['/settings/system', 'watermark'], ['/settings/roles', 'role'], ['/settings/teams', 'team'], ['/settings/privacy', 'erasure'], ['/settings/retention', 'retention'], ['/settings/keys', 'sealingKey'],
];

export function termOfPage(path: string): TermKey | null {
  const fitting = ofPages.filter(([own]) => path === own || path.startsWith(`${own}/`));
  return fitting.sort((a, b) => b[0].length - a[0].length)[0]?.[1] ?? null;
}

/* Terms in whose name, meaning or example the text stands. */
export function foundTerms(texts: Readonly<Record<TermKey, TermText>>, query: string): TermKey[] {
  const wanted = query.trim().toLowerCase();
  return termKeys.filter((key) => wanted === '' || `${texts[key].name} ${texts[key].what} ${texts[key].example}`.toLowerCase().includes(wanted));
}
