/* SPDX-License-Identifier: Apache-2.0 */
/* texts of the pages of imports. */
import { catalogue } from '@/lib/text';

export const importTexts = catalogue({
  zh: {
    title: '文件导入', purpose: '把历史订单、会员名单、商品资料带进来。每次导入都能暂停、续传、整体撤回，同一个文件再导一次什么都不会变。',
    create: '导入文件', emptyTitle: '还没有导入过文件', empty: '从平台后台导出的订单、会员表，CSV、Excel、JSON 行、Parquet 都可以，压缩包也行。',
    name: '名称', file: '文件', status: '状态', rows: '行数', events: '事件', refused: '未收行', customers: '新客户', changed: '最近变化', dataSet: '数据集', untitled: '未命名',
    statuses: { waiting: '排队中', running: '进行中', paused: '已暂停', finished: '已完成', failed: '出错了', undoing: '撤回中', undone: '已撤回', cancelled: '已取消' },
    steps: { file: '选文件', form: '确认格式', mapping: '对应字段', preview: '先看结果', start: '开始' },
    choose: {
      title: '把文件拖到这里，或点一下选择', hint: 'CSV、TSV、Excel（xlsx）、JSON 行、Parquet；可以是 gzip 或 zstd 压缩。多大都行，断了会接着传。', button: '选择文件',
      sending: (name: string) => `正在上传 ${name}`, cancel: '停止上传', again: '换一个文件', path: '或者填服务器上的文件', pathHint: '放在服务器导入目录里的文件名', usePath: '用这个文件',
      uploaded: (name: string, size: string) => `${name}，${size}`, reading: '正在识别格式……',
    },
    form: {
      title: '这是怎样的文件', format: '格式', encoding: '编码', separator: '分隔符', header: '表头在第几行', headerNone: '没有表头（填 0）', sheet: '工作表', packing: '压缩',
      comma: '逗号', tab: '制表符', semicolon: '分号', pipe: '竖线', again: '按此重新读', sample: '前几行', columns: (count: number) => `${count} 列`, none: '没有读到数据行',
      formats: { csv: 'CSV / TSV', xlsx: 'Excel', jsonl: 'JSON 行', parquet: 'Parquet' }, packings: { plain: '没有', gzip: 'gzip', zstd: 'zstd' },
    },
    map: {
      title: '每一列是什么', preset: '按哪种导出', presetFound: (name: string, score: number) => `看起来是「${name}」（${score}%）`, guessed: '没有认出是哪种导出，下面是按列名和取值猜的，请检查。', saved: '已保存的对应关系', own: '自己填', kind: '一行是',
      kinds: { customers: '一位客户', events: '一个事件（或订单的一行）', objects: '一个对象' }, identifiers: '标识', identifiersHint: '靠哪些列认人。被打码的手机号不会用来认人。', addIdentifier: '加一个标识', type: '类型', namespace: '命名空间', value: '取自',
      traits: '属性', properties: '事件属性', addField: '加一个字段', field: '名称', expression: '列或表达式', events: '什么时候发生什么', addEvent: '加一种事件', event: '事件', when: '条件（空着就是每行都算）', time: '时间', remove: '删除',
      form: '表格', json: 'JSON', jsonBad: '这不是完整的 JSON：', columnsHint: '列写成 [列名]；可以用 coalesce、if、trim、replace 等函数。', saveAs: '保存为', saveKey: '代号', save: '保存对应关系', saved_: (key: string, version: number) => `已保存为 ${key} 第 ${version} 版`, more: '另有设置，在 JSON 里',
    },
    preview: {
      title: '前 1,000 行会带来什么', nothing: '现在什么都不会改变。', run: '先看结果', rows: '看了', made: '会新建客户', found: '会找到已有客户', merged: '会合并', events: '事件', objects: '对象', refused: '不收的行', sample: '会成为这样的事件', row: '行', reason: '原因', original: '原文', none: '每一行都收得下', source: '作为哪个来源', sourceHint: '文件里没写渠道的，用这个来源的渠道。', sourceNeeded: '团队的导入要选一个本团队的来源', codes: { lost_digits: '数字的位数已丢失', not_a_number: '不是数字', not_a_time: '不是时间', ambiguous_date: '日期的月和日分不清', not_a_boolean: '不是是/否', unknown_currency: '未知的币种', number_range: '数字超出范围', missing_value: '缺少必填的值', no_event_name: '没有事件名称', no_identifier: '没有可用的标识', bad_identifier: '标识不合规', not_json: '不是 JSON', too_large: '事件过大', too_many_values: '值太多', script_failed: '脚本出错', regex_limit: '正则匹配超出限制', order_refused: '同一订单的其他行有误', order_not_adjacent: '同一订单的行不相邻', refused: '被映射规则拒绝', unreadable_row: '无法读取的行', not_yours: '不是本团队能看到的事件' }, stale: '对应关系改过了，请再看一次结果',
    },
    start: { title: '开始导入', name: '名称', dataSet: '数据集', dataSetHint: '同一份数据以后的新文件用同一个数据集：订单号相同的会更新，而不是再加一份。', toldUntil: '数据截至', toldUntilHint: '文件说到哪一天为止。旅程判断「没有发生」时要用。', button: '开始导入', unchanged: '这个文件已经导入过，没有任何改变', unchangedOpen: '看那次导入' },
    job: {
      progress: '进度', rowsSaid: (count: string) => `${count} 行`, rate: (rows: string) => `每秒 ${rows} 行`, left: (text: string) => `还要 ${text}`, seconds: (count: number) => `${count} 秒`, minutes: (count: number) => `${count} 分钟`, hours: (count: number) => `${count} 小时`, pause: '暂停', resume: '继续', cancel: '取消并撤回', undo: '撤回这次导入',
      brought: '带来了什么', applied: '计入的事件', withheld: '有多少是新客户，要看别的团队有什么，所以不告诉团队', duplicates: '早已有的', replaced: '更新的', quarantined: '进隔离区', merges: '合并', refusedRows: '没收的行', download: '下载没收的行和原因', about: '文件', size: '大小', mapping: '对应关系', sha: '内容校验', toldUntil: '数据截至', created: '开始于',
      undoTitle: '撤回这次导入？', undoText: '它带来的事件、属性、标识、对象和合并都会拿走；别处也带来过的留下。撤回期间可以照常使用。', undoButton: '撤回', cancelTitle: '取消这次导入？', cancelText: '已经带进来的会全部拿走。', cancelButton: '取消并撤回', keep: '不了', back: '全部导入', stages: { reading: '读文件', joining: '合并订单行', looking_up: '查找已有', no_room: '磁盘已满，等待空间', moving: '带入', checking: '核对', replacing: '更新', undoing: '撤回', waiting: '排队' },
    },
    watermark: '数据截至', needFile: '先选一个文件', needMapping: '先把对应关系填好', next: '下一步', previous: '上一步',
  },
  en: {
    title: 'File imports', purpose: 'Brings in past orders, member lists, products. Each import can be paused, goes on after a break, and can be undone as a whole; the same file again changes nothing.',
    create: 'Import a file', emptyTitle: 'No file was imported yet', empty: 'Orders and members as a shop system exports them: CSV, Excel, JSON lines or Parquet, packed or not.',
    name: 'Name', file: 'File', status: 'Status', rows: 'Rows', events: 'Events', refused: 'Refused', customers: 'New customers', changed: 'Last change', dataSet: 'Data set', untitled: 'untitled',
    statuses: { waiting: 'Waiting', running: 'Running', paused: 'Paused', finished: 'Finished', failed: 'Failed', undoing: 'Being undone', undone: 'Undone', cancelled: 'Cancelled' },
    steps: { file: 'File', form: 'Form', mapping: 'Columns', preview: 'What would happen', start: 'Start' },
    choose: {
      title: 'Drop a file here, or click to choose one', hint: 'CSV, TSV, Excel (xlsx), JSON lines, Parquet; gzip or zstd too. Any size; a broken upload goes on.', button: 'Choose a file',
      sending: (name) => `Uploading ${name}`, cancel: 'Stop', again: 'Another file', path: 'Or a file on the server', pathHint: 'Name of a file in the import folder of the server', usePath: 'Use this file',
      uploaded: (name, size) => `${name}, ${size}`, reading: 'Looking at the file …',
    },
    form: {
      title: 'What kind of file this is', format: 'Format', encoding: 'Encoding', separator: 'Separator', header: 'Row of the header', headerNone: 'no header: 0', sheet: 'Sheet', packing: 'Packing',
      comma: 'comma', tab: 'tab', semicolon: 'semicolon', pipe: 'pipe', again: 'Read again like this', sample: 'The first rows', columns: (count) => `${count} columns`, none: 'There are no rows of data',
      formats: { csv: 'CSV / TSV', xlsx: 'Excel', jsonl: 'JSON lines', parquet: 'Parquet' }, packings: { plain: 'none', gzip: 'gzip', zstd: 'zstd' },
    },
    map: {
      title: 'What each column is', preset: 'Which export', presetFound: (name, score) => `This looks like "${name}" (${score}%)`, guessed: 'This export is not known; below is a guess from names and values. Please check it.', saved: 'Saved mappings', own: 'By hand', kind: 'A row is',
      kinds: { customers: 'a customer', events: 'an event (or a line of an order)', objects: 'an object' }, identifiers: 'Identifiers', identifiersHint: 'By which columns a person is known. Masked phones are never used.', addIdentifier: 'Add an identifier', type: 'Type', namespace: 'Namespace', value: 'From',
      traits: 'Traits', properties: 'Properties', addField: 'Add a field', field: 'Name', expression: 'Column or expression', events: 'What happened, and when', addEvent: 'Add an event', event: 'Event', when: 'Condition (none: every row)', time: 'Time', remove: 'Remove',
      form: 'Form', json: 'JSON', jsonBad: 'This is not complete JSON: ', columnsHint: 'A column is written [column]; there are functions such as coalesce, if, trim, replace.', saveAs: 'Save as', saveKey: 'Key', save: 'Save the mapping', saved_: (key, version) => `Saved as ${key}, version ${version}`, more: 'has more settings, see the JSON',
    },
    preview: {
      title: 'What the first 1,000 rows would bring', nothing: 'Nothing is changed yet.', run: 'What would happen', rows: 'looked at', made: 'customers made', found: 'customers found', merged: 'merges', events: 'events', objects: 'objects', refused: 'rows refused', sample: 'Events like these', row: 'Row', reason: 'Reason', original: 'As it stands', none: 'Every row can be taken', source: 'As which source', sourceHint: 'Rows that name no channel get that of the source.', sourceNeeded: 'An import of a team is made as one of its own sources', codes: { lost_digits: 'digits are lost', not_a_number: 'not a number', not_a_time: 'not a time', ambiguous_date: 'day and month cannot be told apart', not_a_boolean: 'neither yes nor no', unknown_currency: 'unknown currency', number_range: 'a number beyond its range', missing_value: 'a required value is missing', no_event_name: 'the event has no name', no_identifier: 'no usable identifier', bad_identifier: 'an identifier that is none', not_json: 'not JSON', too_large: 'the event is too large', too_many_values: 'too many values', script_failed: 'the script failed', regex_limit: 'a regular expression ran into its limit', order_refused: 'another row of the order is wrong', order_not_adjacent: 'rows of an order lie apart', refused: 'refused by the mapping', unreadable_row: 'the row cannot be read', not_yours: 'an event that your team would not see' }, stale: 'The mapping was changed: look again',
    },
    start: { title: 'Start', name: 'Name', dataSet: 'Data set', dataSetHint: 'Later files of the same data use the same data set: an order that comes again is replaced, not added.', toldUntil: 'Tells everything until', toldUntilHint: 'The day up to which the file is complete. Journeys need it to decide what did not happen.', button: 'Start the import', unchanged: 'This file was imported before: nothing is changed', unchangedOpen: 'Look at that import' },
    job: {
      progress: 'Progress', rowsSaid: (count) => `${count} rows`, rate: (rows) => `${rows} rows a second`, left: (text) => `${text} left`, seconds: (count) => `${count} s`, minutes: (count) => `${count} min`, hours: (count) => `${count} h`, pause: 'Pause', resume: 'Go on', cancel: 'Cancel and take back', undo: 'Undo this import',
      brought: 'What it brought', applied: 'Events counted', withheld: 'How many are new depends on what others have told: it is not told to a team', duplicates: 'There before', replaced: 'Replaced', quarantined: 'In quarantine', merges: 'Merges', refusedRows: 'Rows refused', download: 'Refused rows with their reasons', about: 'The file', size: 'Size', mapping: 'Mapping', sha: 'Checksum', toldUntil: 'Tells everything until', created: 'Started',
      undoTitle: 'Undo this import?', undoText: 'Events, traits, identifiers, objects and merges that it brought are taken away; what others brought too stays. Kith can be used meanwhile.', undoButton: 'Undo', cancelTitle: 'Cancel this import?', cancelText: 'What it has brought so far is taken away.', cancelButton: 'Cancel and take back', keep: 'No', back: 'All imports', stages: { reading: 'reading', joining: 'joining the rows of orders', looking_up: 'looking up what is known', no_room: 'the disk is full: waiting for room', moving: 'bringing in', checking: 'checking', replacing: 'replacing', undoing: 'undoing', waiting: 'waiting' },
    },
    watermark: 'Complete until', needFile: 'First choose a file', needMapping: 'First complete the mapping', next: 'Next', previous: 'Back',
  },
});
