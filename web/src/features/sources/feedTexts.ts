/* SPDX-License-Identifier: Apache-2.0 */
/* feedTexts: the words of feeds. */
import { catalogue } from '@/lib/text';

export const feedTexts = catalogue({
  zh: {
    title: 'Kafka 接入', purpose: '从 Kafka 的主题里读消息，算作某个数据源的事件。每条消息只算一次，停了再开从停的地方接着读。', create: '新建接入', emptyTitle: '还没有 Kafka 接入', empty: '已经把订单、会员变更写进 Kafka 的话，填上地址和主题就能读进来，不用再改程序。',
    key: '代号', topics: '主题', source: '算作数据源', state: '状态', behind: '未读', behindHint: '还在 Kafka 里等着的消息', unknown: '未知', messages: '已读', events: '事件', refused: '读不懂', lost: '已错过', lostHint: '回来时 Kafka 已不再保留的消息', last: '最近一条', pause: '暂停', resume: '继续', edit: '修改', of: (key: string) => `${key}`, paused: '已暂停', resumed: '已继续', none: '—', partitions: (count: number) => `${count} 个分区`,
    states: { paused: '已暂停', connecting: '连接中', running: '正常', failing: '连不上', waiting: '等待接管' } as Record<string, string>, stateHint: { waiting: '这台服务器不是写入的那台，由当前服务器读取', connecting: '正在连接 Kafka' } as Record<string, string>,
    drawer: {
      newTitle: '新建 Kafka 接入', title: (key: string) => `Kafka 接入「${key}」`, key: '代号', keyHelp: '小写字母、数字、下划线、减号；定了不改', brokers: 'Kafka 地址', brokersHelp: '主机:端口，可以填几个，用空格或逗号分开', topics: '主题', topicsHelp: '主题名，不支持通配',
      source: '算作哪个数据源', sourceHelp: '是否可信、属于哪个渠道、是否严格检查，都按这个数据源', format: '消息格式', formats: { segment: 'Segment 调用', sensors: '神策记录', mapping: '按导入映射' } as Record<string, string>, formatHelp: { segment: '一条 track、identify……，或一批 {"batch":[…]}', sensors: '一条神策记录，或一个列表', mapping: 'JSON 对象，按「文件导入」里保存的映射来读' } as Record<string, string>,
      mapping: '导入映射', noMappings: '还没有保存的映射：先在「文件导入」里做一次并保存', start: '从哪里开始', starts: { oldest: '最早的消息', newest: '从现在起' } as Record<string, string>, startHelp: '只在还没读过时起作用', historical: '历史数据：不触发旅程', sign: '登录 Kafka', signNone: '不用登录', username: '用户名', password: '密码', passwordKept: '留空则沿用现有密码', tls: '用 TLS 连接',
      more: '更多', group: '消费组名', groupHelp: '给你自己的监控看的：读到哪里由 Kith 自己记', restart: '忘记读到哪里，按「从哪里开始」重读', restartHelp: '30 天内读过的消息不会重复计数', save: '保存并试连', trying: '正在连接……', ok: (partitions: number) => `连上了，读 ${partitions} 个分区`, failed: '连不上', waiting: '已保存；由写入的那台服务器来连', savedPaused: '已保存，还暂停着', saved: '已保存', remove: '删除', removeTitle: (key: string) => `删除接入「${key}」？`, removeText: '读进来的事件都留着；以后再建同名接入，从「从哪里开始」读起，30 天内读过的不会重复计数。', removed: '已删除', keep: '不删',
      refusedTitle: '最近读不懂的消息', at: (topic: string, partition: number, offset: number) => `${topic} / ${partition} / ${offset}`,
      problems: { key: '先填代号', brokers: '填一个 Kafka 地址', broker: '地址要写成 主机:端口', topics: '填一个主题', source: '选一个数据源', mapping: '选一个导入映射', username: '填用户名', password: '填密码：它只发给填它时的那些地址', plain: 'PLAIN 要和 TLS 一起用，否则密码是明文' } as Record<string, string>,
    },
  },
  en: {
    title: 'Kafka feeds', purpose: 'Reads messages from topics of Kafka as events of a source. Each message counts once; after a stop it goes on where it stood.', create: 'New feed', emptyTitle: 'There are no feeds yet', empty: 'Where orders and members go through Kafka already, its address and topics are all that is needed to read them.',
    key: 'Key', topics: 'Topics', source: 'As source', state: 'State', behind: 'Unread', behindHint: 'messages that wait in Kafka', unknown: 'not known', messages: 'Read', events: 'Events', refused: 'Not understood', lost: 'Missed', lostHint: 'messages that Kafka no longer held when the feed came back', last: 'Last one', pause: 'Pause', resume: 'Go on', edit: 'Edit', of: (key) => `${key}`, paused: 'Paused', resumed: 'It goes on', none: '—', partitions: (count) => `${count} partitions`,
    states: { paused: 'paused', connecting: 'connecting', running: 'running', failing: 'not reached', waiting: 'waiting' }, stateHint: { waiting: 'this server does not write; the active one reads the feed', connecting: 'connecting to Kafka' },
    drawer: {
      newTitle: 'New Kafka feed', title: (key) => `Kafka feed ${key}`, key: 'Key', keyHelp: 'lower-case letters, digits, underscore, hyphen; it does not change', brokers: 'Addresses of Kafka', brokersHelp: 'host:port, several with a space or comma between', topics: 'Topics', topicsHelp: 'by name; patterns are not taken',
      source: 'Counts as source', sourceHelp: 'whether it is trusted, its channel and its strictness are those of the source', format: 'Messages are', formats: { segment: 'Segment calls', sensors: 'Sensors records', mapping: 'read by a mapping' }, formatHelp: { segment: 'one track, identify …, or {"batch":[…]}', sensors: 'a record of Sensors Analytics, or a list', mapping: 'JSON objects, read by a mapping that was saved in File imports' },
      mapping: 'Mapping', noMappings: 'No mapping is saved yet: make one in File imports and save it', start: 'Begin at', starts: { oldest: 'the oldest message', newest: 'now' }, startHelp: 'counts only while nothing was read', historical: 'Historical: starts no journey', sign: 'Sign in to Kafka', signNone: 'no sign-in', username: 'User name', password: 'Password', passwordKept: 'Leave empty to keep the one that is there', tls: 'Connect with TLS',
      more: 'More', group: 'Consumer group', groupHelp: 'for your own tools: Kith keeps its place itself', restart: 'Forget how far it is, and begin again', restartHelp: 'messages of the last 30 days are not counted twice', save: 'Save and try', trying: 'Connecting …', ok: (partitions) => `Connected; it reads ${partitions} partitions`, failed: 'Not reached', waiting: 'Saved; the server that writes will connect', savedPaused: 'Saved; it is still paused', saved: 'Saved', remove: 'Delete', removeTitle: (key) => `Delete the feed "${key}"?`, removeText: 'Events that it brought stay. A new feed of this name begins anew; messages of the last 30 days are not counted twice.', removed: 'Deleted', keep: 'Keep it',
      refusedTitle: 'Messages that were not understood', at: (topic, partition, offset) => `${topic} / ${partition} / ${offset}`,
      problems: { key: 'Say its key first', brokers: 'Say an address of Kafka', broker: 'An address is host:port', topics: 'Say a topic', source: 'Choose a source', mapping: 'Choose a mapping', username: 'Say the user name', password: 'Say the password: it goes only to the addresses it was given for', plain: 'PLAIN needs TLS, or the password goes in clear' },
    },
  },
});
