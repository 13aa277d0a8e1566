/* SPDX-License-Identifier: Apache-2.0 */
/* sinkTexts: the words of sinks. */
import { catalogue } from '@/lib/text';
import type { NewsKind, SinkProblem } from './sink';

export const sinkTexts = catalogue({
  zh: {
    title: 'Kafka 推送', purpose: '客户身上发生的事写进 Kafka 的主题：进出人群、标签变化、触达、事件、合并与删除。Kafka 断开时消息留着，连上再补。', create: '新建推送', emptyTitle: '还没有 Kafka 推送', empty: '数仓、推荐或客服系统想随时知道谁进了人群、谁的标签变了，就把这些写进它们读的 Kafka 主题。',
    key: '代号', news: '推送什么', state: '状态', behind: '待推送', behindHint: '还没写进 Kafka 的消息；下面是其中最早一条的时间', messages: '已推送', messagesHint: '启动以来 Kafka 收下的', skipped: '已跳过', skippedHint: '客户已删除，或消息超过 Kafka 的上限', lost: '已丢失', lostHint: '等得超过保留时间，已经不在', last: '最近一条', pause: '暂停', resume: '继续', edit: '修改', paused: '已暂停，消息继续留着', resumed: '已继续', none: '—', clear: '明文',
    kinds: { segments: '人群进出', tags: '标签变化', touches: '触达', events: '事件', customers: '合并与删除' } as Record<NewsKind, string>,
    states: { paused: '已暂停', connecting: '连接中', running: '正常', failing: '推不出去', waiting: '等待接管' } as Record<string, string>, stateHint: { waiting: '这台服务器不是写入的那台，由当前服务器推送', connecting: '正在连接 Kafka' } as Record<string, string>,
    drawer: {
      newTitle: '新建 Kafka 推送', title: (key: string) => `Kafka 推送「${key}」`, key: '代号', keyHelp: '小写字母、数字、下划线、减号；定了不改', brokers: 'Kafka 地址', brokersHelp: '主机:端口，可以填几个，用空格或逗号分开', topics: '推送什么，写到哪个主题', topicsHelp: '不填主题就不推送；主题要先在 Kafka 里建好',
      topicOf: (kind: string) => `${kind}的主题`, kindHelp: { segments: '谁进了、谁出了哪个人群', tags: '谁的哪个标签变成了什么', touches: '每条触达的每一步', events: '每个事件，按统一格式', customers: '谁和谁合并、拆开、被删除：下游据此删她的数据' } as Record<NewsKind, string>, only: { segments: '只推这些人群', tags: '只推这些标签', events: '只推这些事件' } as Record<string, string>, all: '不选就是全部',
      personal: '个人信息', personals: { none: '不带', clear: '明文' } as Record<string, string>, personalHelp: { none: '手机号等标识不写，加密的属性值写成空', clear: '手机号、邮箱等原样写进 Kafka，读主题的人都看得到' } as Record<string, string>, hold: '断开时保留多久', holdHelp: '1h 到 90d，如 7d；超过的算丢失，会在列表里看到',
      sign: '登录 Kafka', signNone: '不用登录', username: '用户名', password: '密码', passwordKept: '留空则沿用现有密码', tls: '用 TLS 连接', begins: '从保存那一刻起推送：之前就在人群里的人，用导出来取。',
      save: '保存并试连', trying: '正在连接……', ok: '连上了，正在推送', failed: '推不出去', waiting: '已保存；由写入的那台服务器来推', savedPaused: '已保存，还暂停着', remove: '删除', removeTitle: (key: string) => `删除推送「${key}」？`, removeText: (count: string) => (count === '0' ? '写进 Kafka 的都留着；以后的不再推送。' : `还有 ${count} 条没有推送，会随它一起丢掉；写进 Kafka 的都留着。`), removed: '已删除', keep: '不删',
      problems: { key: '先填代号', taken: '已有这个代号', brokers: '填一个 Kafka 地址', broker: '地址要写成 主机:端口', topics: '至少填一个主题', topic: '主题名只有字母、数字、点、下划线、减号', hold: '保留时间写成 1h 到 90d', username: '填用户名', password: '填密码：它只发给填它时的地址和用户', plain: 'PLAIN 要和 TLS 一起用，否则密码是明文' } as Record<SinkProblem, string>,
    },
  },
  en: {
    title: 'Kafka sinks', purpose: 'What happens to customers, told to topics of Kafka: segments, tags, touches, events, merges and erasures. While Kafka is away the news wait.', create: 'New sink', emptyTitle: 'There are no sinks yet', empty: 'Where a warehouse, a recommender or a help desk wants to know at once who entered a segment or whose tag changed, tell it by the topics of Kafka that it reads.',
    key: 'Key', news: 'Tells', state: 'State', behind: 'Waiting', behindHint: 'news that are not in Kafka yet; below, when the oldest happened', messages: 'Told', messagesHint: 'that the brokers have, since the start', skipped: 'Skipped', skippedHint: 'of erased customers, or too large for the brokers', lost: 'Lost', lostHint: 'news that waited longer than they are held', last: 'Last one', pause: 'Pause', resume: 'Go on', edit: 'Edit', paused: 'Paused; its news wait', resumed: 'It goes on', none: '—', clear: 'in clear',
    kinds: { segments: 'segments', tags: 'tags', touches: 'touches', events: 'events', customers: 'merges and erasures' },
    states: { paused: 'paused', connecting: 'connecting', running: 'running', failing: 'not told', waiting: 'waiting' }, stateHint: { waiting: 'this server does not write; the active one tells', connecting: 'connecting to Kafka' },
    drawer: {
      newTitle: 'New Kafka sink', title: (key) => `Kafka sink ${key}`, key: 'Key', keyHelp: 'lower-case letters, digits, underscore, hyphen; it does not change', brokers: 'Addresses of Kafka', brokersHelp: 'host:port, several with a space or comma between', topics: 'What is told, and to which topic', topicsHelp: 'Without a topic it is not told; make the topics in Kafka first',
      topicOf: (kind) => `Topic of ${kind}`, kindHelp: { segments: 'who entered and left which segment', tags: 'which tag of whom became what', touches: 'each step of each touch', events: 'each event in the normal form', customers: 'who was merged, split, erased: by this others delete her too' }, only: { segments: 'Only these segments', tags: 'Only these tags', events: 'Only these events' }, all: 'None chosen: all',
      personal: 'Personal data', personals: { none: 'left out', clear: 'in clear' }, personalHelp: { none: 'identifiers such as phones are missing, sealed values are null', clear: 'phones, e-mail addresses and the like go to Kafka as they are; who reads the topics sees them' }, hold: 'Held while Kafka is away', holdHelp: '1h to 90d, such as 7d; what waits longer is lost, and counted in the list',
      sign: 'Sign in to Kafka', signNone: 'no sign-in', username: 'User name', password: 'Password', passwordKept: 'Leave empty to keep the one that is there', tls: 'Connect with TLS', begins: 'It tells what happens from now on: who is in a segment already, an export says.',
      save: 'Save and try', trying: 'Connecting …', ok: 'Connected; it tells', failed: 'Not told', waiting: 'Saved; the server that writes will tell', savedPaused: 'Saved; it is still paused', remove: 'Delete', removeTitle: (key) => `Delete the sink "${key}"?`, removeText: (count) => (count === '0' ? 'What is in Kafka stays; nothing more is told.' : `${count} news wait and are lost with it; what is in Kafka stays.`), removed: 'Deleted', keep: 'Keep it',
      problems: { key: 'Say its key first', taken: 'There is one of this key', brokers: 'Say an address of Kafka', broker: 'An address is host:port', topics: 'Say at least one topic', topic: 'A topic has letters, digits, dots, underscores, hyphens', hold: 'It is held 1h to 90d', username: 'Say the user name', password: 'Say the password: it goes only to the addresses, and for the name, it was given for', plain: 'PLAIN needs TLS, or the password goes in clear' },
    },
  },
});
