// SPDX-License-Identifier: Apache-2.0
// exports: the order and member files that a brand would upload, in the layouts and encodings of the systems that
// write them, from one seeded world: the same people buy on every channel.
//
//   node demo/exports.mjs [--out build/exports] [--people 500] [--orders 2000] [--seed 1]
//
// truth.json says for each file which preset is its own, and how many rows, orders and fen of paid and of refunded
// orders it has.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { deflateRawSync } from 'node:zlib';

// ---- chance ----

/** mulberry32: the same numbers for the same seed, everywhere. */
function dice(seed) {
  let state = seed >>> 0;
  const unit = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(unit() * n);
  return { unit, below, pick: (list) => list[below(list.length)] };
}

// ---- the world ----

const surnames = [...'王李张刘陈杨赵黄周吴徐孙胡朱高林'];
const given = ['小雨', '芳', '伟', '敏', '静怡', '子涵', '明', '丽华', '一诺', '娜', '浩然', '梦琪'];
const cities = [['浙江省', '杭州市', '西湖区'], ['上海市', '上海市', '浦东新区'], ['广东省', '深圳市', '南山区'], ['四川省', '成都市', '武侯区'], ['北京市', '北京市', '朝阳区']];
const products = [
  { code: 'ZB30', barcode: '6901234567001', id: '3512345678901234001', title: '臻白精华 30ml', spec: '30ml', price: 25900 },
  { code: 'MS50', barcode: '6901234567002', id: '3512345678901234002', title: '面霜, 50g "大"', spec: '50g', price: 129900 },
  { code: 'FS50', barcode: '6901234567003', id: '3512345678901234003', title: '防晒霜 SPF50', spec: '50ml', price: 8900 },
  { code: 'MM10', barcode: '6901234567004', id: '3512345678901234004', title: '补水面膜 10片', spec: '10片装', price: 1990 },
  { code: 'KH35', barcode: '6901234567005', id: '3512345678901234005', title: '口红 3.5g', spec: '正红', price: 15800 },
];
const channels = ['tmall', 'jd', 'douyin', 'pdd', 'vip', 'youzan', 'pos'];

const pad = (number, size) => String(number).padStart(size, '0');

function makePeople(count, roll) {
  return Array.from({ length: count }, (_, i) => {
    const name = roll.pick(surnames) + roll.pick(given);
    return {
      name, phone: `13${pad(100000000 + (i + 1) * 7919, 9)}`, card: `VIP${pad(i + 1, 6)}`, city: roll.pick(cities),
      gender: roll.pick(['男', '女', '未知']), born: `${1960 + roll.below(45)}-${pad(1 + roll.below(12), 2)}-${pad(1 + roll.below(28), 2)}`,
      email: roll.below(3) === 0 ? `buyer${i}@example.com` : '', nick: `${name[0]}**${i}`, account: `jd_${(i * 2654435761 >>> 0).toString(16)}`,
      level: roll.pick(['普卡', '银卡', '金卡']), points: roll.below(20000),
    };
  });
}

/** "2024-06-18 08:00:05" of `day` days and `second` seconds into 2024, and further on by `more` seconds. */
const timeAt = (seconds) => new Date(Date.UTC(2024, 0, 1) + seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');

function makeOrder(number, channel, people, roll) {
  const lines = Array.from({ length: 1 + roll.below(3) }, (_, i) => {
    const product = products[(roll.below(products.length) + i) % products.length];
    const count = 1 + roll.below(2);
    return { product, count, fen: product.price * count };
  });
  const state = roll.pick(['done', 'done', 'done', 'done', 'sent', 'closed', 'refunded']);
  const goods = lines.reduce((sum, line) => sum + line.fen, 0);
  const discount = roll.below(3) === 0 ? 1000 : 0;
  return { number, channel, buyer: roll.pick(people), lines, state, goods, discount, paid: goods - discount, at: roll.below(300 * 86400) };
}

export function makeWorld({ seed = 1, people: peopleCount = 500, orders: orderCount = 2000 } = {}) {
  const roll = dice(seed);
  const people = makePeople(peopleCount, roll);
  const orders = Array.from({ length: orderCount }, (_, i) => makeOrder(i + 1, roll.pick(channels), people, roll));
  return { people, orders, roll };
}

// ---- values as the systems write them ----

const yuan = (fen) => (fen / 100).toFixed(2);
const grouped = (fen) => yuan(fen).replace(/\B(?=(\d{3})+\.)/g, ',');
const masked = (phone) => `${phone.slice(0, 3)}****${phone.slice(7)}`;
const hidden = (name) => `${name[0]}*`;
const formula = (id) => `="${id}"`;
const tabbed = (id) => `\t${id}`;
export const isPaid = (order) => order.state !== 'closed';
const slashed = (time) => time.replace(/-0?/g, '/').slice(0, -3);

/** Rows of one file: `of` gives an order's rows as {name: value}; what it leaves out is empty. */
const byOrder = (world, channel, of) => world.orders.filter((order) => order.channel === channel).flatMap(of);

// ---- the systems ----

const tmallState = { done: '交易成功', sent: '卖家已发货，等待买家确认', closed: '交易关闭', refunded: '交易关闭' };
const tmallId = (order) => `20854123${pad(order.number, 11)}`;

function tmallOrders(world) {
  return byOrder(world, 'tmall', (order) => [{
    订单编号: formula(tmallId(order)), 买家会员名: order.buyer.nick, 买家应付货款: grouped(order.goods), 买家应付邮费: '0.00', 总金额: grouped(order.goods),
    买家实际支付金额: isPaid(order) ? grouped(order.paid) : '0.00', 订单状态: tmallState[order.state], 收货人姓名: hidden(order.buyer.name),
    '收货地址 ': `${order.buyer.city.join(' ')} ****`, 运送方式: '快递', 联系手机: `'${masked(order.buyer.phone)}`, 订单创建时间: timeAt(order.at),
    '订单付款时间 ': isPaid(order) ? timeAt(order.at + 60) : '', '宝贝标题 ': order.lines.map((line) => line.product.title).join('，'),
    '宝贝种类 ': String(order.lines.length), 宝贝总数量: String(order.lines.reduce((sum, line) => sum + line.count, 0)), 店铺名称: '熟客旗舰店',
    退款金额: order.state === 'refunded' ? yuan(order.paid) : '0.00',
  }]);
}

function tmallOrdersNow(world) {
  return byOrder(world, 'tmall', (order) => [{
    订单编号: tmallId(order), 买家应付货款: yuan(order.goods), 买家应付邮费: '0.00', 总金额: yuan(order.goods), 买家实付金额: isPaid(order) ? yuan(order.paid) : '0.00',
    订单状态: tmallState[order.state], 收货地址: `${order.buyer.city.join(' ')} ****`, 运送方式: '快递', 订单创建时间: timeAt(order.at),
    商品标题: order.lines.map((line) => line.product.title).join('，'), 宝贝种类: String(order.lines.length),
    宝贝总数量: String(order.lines.reduce((sum, line) => sum + line.count, 0)),
  }]);
}

function tmallItems(world) {
  return byOrder(world, 'tmall', (order) => order.lines.map((line, i) => ({
    主订单编号: formula(tmallId(order)), 子订单编号: formula(`30854123${pad(order.number * 10 + i, 11)}`), 商品标题: line.product.title, 商品价格: yuan(line.product.price),
    购买数量: String(line.count), 外部系统编号: line.product.code, 商品属性: `规格:${line.product.spec}`, 套餐信息: 'null', 订单状态: tmallState[order.state],
    商家编码: line.product.code, 退款状态: order.state === 'refunded' ? '退款成功' : '没有申请退款', 退款金额: order.state === 'refunded' ? yuan(line.fen) : '0.00',
  })));
}

function jdOrders(world) {
  const state = { done: '完成', sent: '等待确认收货', closed: '(删除)等待付款', refunded: '(锁定)退款完成' };
  return byOrder(world, 'jd', (order) => order.lines.map((line) => ({
    订单号: `29${pad(order.number, 10)}`, 商品ID: `1000${line.product.barcode.slice(-8)}`, 商品名称: line.product.title, 订购数量: String(line.count), 支付方式: '在线支付',
    下单时间: timeAt(order.at), 京东价: yuan(line.product.price), 订单金额: yuan(order.goods), 结算金额: yuan(order.paid), 余额支付: '0.00', 应付金额: yuan(order.paid),
    订单状态: state[order.state], 下单帐号: order.buyer.account, 客户姓名: hidden(order.buyer.name), 联系电话: masked(order.buyer.phone), 运费金额: '0.00',
    付款确认时间: isPaid(order) ? timeAt(order.at + 40) : '', 订单完成时间: order.state === 'done' ? timeAt(order.at + 4 * 86400) : '', 订单来源: 'APP', 商家SKUID: line.product.code,
  })));
}

function douyinOrders(world) {
  const state = { done: '已完成', sent: '已发货', closed: '已关闭', refunded: '已关闭' };
  return byOrder(world, 'douyin', (order) => order.lines.map((line, i) => ({
    主订单编号: tabbed(`69171234${pad(order.number, 11)}`), 子订单编号: tabbed(`69171234${pad(order.number * 10 + i, 11)}`), 选购商品: line.product.title,
    商品规格: line.product.spec, 商品数量: String(line.count), 商品ID: tabbed(line.product.id), 商家编码: line.product.code, 商品单价: yuan(line.product.price),
    订单应付金额: yuan(line.fen - (i === 0 ? order.discount : 0)), 运费: '0', 优惠总金额: i === 0 ? yuan(order.discount) : '0', 支付方式: '支付宝',
    收件人: hidden(order.buyer.name), 收件人手机号: '1*********0', 省: order.buyer.city[0], 市: order.buyer.city[1], 订单提交时间: timeAt(order.at),
    订单完成时间: order.state === 'done' ? timeAt(order.at + 8 * 86400) : '', 支付完成时间: isPaid(order) ? timeAt(order.at + 30) : '', APP渠道: '抖音', 流量来源: '直播',
    订单状态: state[order.state], 订单类型: '普通订单', 达人ID: tabbed('7012345678901234567'), 达人昵称: '小美推荐', 售后状态: order.state === 'refunded' ? '退款成功' : '-',
    取消原因: order.state === 'closed' ? '超时未支付' : '',
  })));
}

function pddOrders(world) {
  const state = { done: '已收货', sent: '已发货，待签收', closed: '已取消', refunded: '已发货，退款成功' };
  /* One product an order: what a basket would be is several. */
  return byOrder(world, 'pdd', (order) => order.lines.map((line, i) => ({
    商品: line.product.title, 订单号: `240618-${pad(order.number * 10 + i, 15)}`, 订单状态: state[order.state], '商品总价(元)': yuan(line.fen), '邮费(元)': '0.00',
    '店铺优惠折扣(元)': i === 0 ? yuan(order.discount) : '0.00', '平台优惠折扣(元)': '0.00', '用户实付金额(元)': yuan(line.fen - (i === 0 ? order.discount : 0)),
    '商家实收金额(元)': yuan(line.fen - (i === 0 ? order.discount : 0)), '商品数量(件)': String(line.count), 支付时间: isPaid(order) ? timeAt(order.at + 5) : '',
    确认收货时间: order.state === 'done' ? timeAt(order.at + 4 * 86400) : '', 商品id: line.product.id.slice(0, 12), 商品规格: line.product.spec, 样式ID: '1234567',
    商品一级类目: '美容护肤', '商家编码-规格维度': line.product.code, 售后状态: order.state === 'refunded' ? '退款成功' : '无售后或售后取消', 订单成交时间: timeAt(order.at), 支付方式: '微信',
  })));
}

function vipOrders(world) {
  const state = { done: '已签收', sent: '已发货', closed: '已取消', refunded: '已退货' };
  return byOrder(world, 'vip', (order) => order.lines.map((line, i) => ({
    订单号: `240618${pad(order.number, 8)}`, PO号: 'PO77', 下单时间: timeAt(order.at), 订单状态: state[order.state], 品牌: '熟客', 货号: line.product.code,
    条码: line.product.barcode, 商品名称: line.product.title, 尺码: line.product.spec, 数量: line.count, 唯品价: line.product.price / 100,
    实付金额: (line.fen - (i === 0 ? order.discount : 0)) / 100, 送货仓库: 'VIP_NH',
  })));
}

function youzanOrders(world) {
  const state = { done: '交易完成', sent: '等待买家收货', closed: '交易关闭', refunded: '交易关闭' };
  return byOrder(world, 'youzan', (order) => order.lines.map((line) => ({
    订单号: `E20240618${pad(order.number, 15)}`, 订单状态: state[order.state], 订单类型: '普通订单', 订单创建时间: timeAt(order.at), 买家付款时间: isPaid(order) ? timeAt(order.at + 20) : '',
    交易成功时间: order.state === 'done' ? timeAt(order.at + 7 * 86400) : '', 订单实付金额: yuan(order.paid), 订单已退款金额: order.state === 'refunded' ? yuan(order.paid) : '0.00',
    买家昵称: order.buyer.nick, 买家手机号: order.buyer.phone, 收货人: order.buyer.name, 收货人手机号: order.buyer.phone, 归属店铺: '熟客微商城', 商品名称: line.product.title,
    商品编码: line.product.code, 规格编码: `${line.product.code}-1`, 商品规格: line.product.spec, 商品单价: yuan(line.product.price), 商品数量: String(line.count), 支付方式: '微信支付', 运费: '0',
  })));
}

function posOrders(world) {
  const counted = byOrder(world, 'pos', (order) => (isPaid(order) ? [order] : []));
  return counted.flatMap((order) => order.lines.map((line, i) => ({
    门店编码: `S00${1 + (order.number % 3)}`, 门店名称: '杭州湖滨店', 小票号: pad(order.number, 8), 销售时间: new Date(`${timeAt(order.at).replace(' ', 'T')}Z`),
    会员卡号: order.buyer.card, 会员手机号: order.buyer.phone, 商品编码: line.product.code, 条码: line.product.barcode, 商品名称: line.product.title, 数量: line.count,
    单价: line.product.price / 100, 实收金额: (line.fen - (i === 0 ? order.discount : 0)) / 100, 导购: 'D07', 支付方式: '微信',
  })));
}

const membersCrm = (world) => world.people.filter((_, i) => i % 5 !== 0).map((person) => ({
  会员卡号: person.card, 手机号: person.phone, 姓名: person.name, 性别: person.gender, 生日: person.born, 会员等级: person.level, 积分: person.points.toLocaleString('en'),
  注册时间: '2019-03-08 10:00:00', 邮箱: person.email, 城市: person.city[1], 注册门店: 'S001', 是否接收短信: '是',
}));

/** Phones as numbers and dates as days, as spreadsheets make them. */
const membersShop = (world) => world.people.filter((_, i) => i % 3 !== 0).map((person) => ({
  会员编号: person.card, 会员姓名: person.name, 手机: Number(person.phone), 出生日期: new Date(`${person.born}T00:00:00Z`), 等级: person.level, 入会时间: slashed('2021-05-06 07:08:09'),
}));

// ---- layouts: every column of the export, in its order ----

const layouts = {
  tmall_orders: '订单编号|买家会员名|买家支付宝账号|支付单号|支付详情|买家应付货款|买家应付邮费|买家支付积分|总金额|返点积分|买家实际支付金额|买家实际支付积分|订单状态|买家留言|收货人姓名|收货地址 |运送方式|联系电话 |联系手机|订单创建时间|订单付款时间 |宝贝标题 |宝贝种类 |物流单号 |物流公司|订单备注|宝贝总数量|店铺Id|店铺名称|订单关闭原因|卖家服务费|买家服务费|发票抬头|是否手机订单|分阶段订单信息|定金排名|修改后的sku|修改后的收货地址|异常信息|天猫卡券抵扣|集分宝抵扣|是否是O2O交易|退款金额',
  tmall_orders_now: '订单编号|支付单号|买家应付货款|买家应付邮费|总金额|买家实付金额|订单状态|收货地址|运送方式|订单创建时间|商品标题|宝贝种类|物流单号|物流公司|备注标签|商家备注|宝贝总数量|开票信息|手机订单|商品属性SKU|发货时间',
  tmall_items: '主订单编号|子订单编号|商品标题|商品价格|购买数量|外部系统编号|商品属性|套餐信息|备注|订单状态|商家编码|退款状态|退款金额',
  jd_orders: '订单号|商品ID|商品名称|订购数量|支付方式|下单时间|京东价|订单金额|结算金额|余额支付|应付金额|订单状态|订单类型|下单帐号|客户姓名|客户地址|联系电话|订单备注|发票类型|发票抬头|发票内容|商家备注|商家备注等级（等级1-5为由高到低）|运费金额|付款确认时间|增值税发票|货号|订单完成时间|订单来源|订单渠道|送装服务|服务费|仓库id|仓库名称|商家SKUID',
  douyin_orders: '主订单编号|子订单编号|选购商品|商品规格|商品数量|商品ID|商家编码|商品单价|订单应付金额|运费|优惠总金额|平台优惠|商家优惠|达人优惠|商家改价|支付优惠|红包抵扣|支付方式|手续费|收件人|收件人手机号|省|市|区|街道|详细地址|是否修改过地址|地址修改时段|买家留言|订单提交时间|旗帜颜色|商家备注|订单完成时间|支付完成时间|APP渠道|流量来源|订单状态|承诺发货时间|订单类型|鲁班落地页ID|达人ID|达人昵称|所属门店ID|售后状态|取消原因|预约发货时间|仓库ID|仓库名称|是否安心购|广告渠道|流量类型|流量体裁|流量渠道|发货主体|发货主体明细|发货时间|降价类优惠|平台实际承担优惠金额|商家实际承担优惠金额|达人实际承担优惠金额|预计送达时间|是否平台仓自流转|车型|商品69码|发货SN码|发货IMEI码1|发货IMEI码2|预约送达时间|建议发货时间（起）|建议发货时间（止）|物流SN码|物流IMEI码1|物流IMEI码2',
  pdd_orders: '商品|订单号|订单状态|商品总价(元)|邮费(元)|店铺优惠折扣(元)|平台优惠折扣(元)|多多支付立减金额(元)|上门安装费(元)|送货入户费(元)|用户实付金额(元)|商家实收金额(元)|商品数量(件)|支付时间|承诺发货时间|发货时间|确认收货时间|商品id|商品规格|样式ID|商品一级类目|商品二级类目|商品三级类目|商品四级类目|商家编码-规格维度|商家编码-商品维度|商家备注|买家留言|售后状态|快递单号|快递公司|省|市|区|街道/镇|订单成交时间|团ID|团身份|是否抽奖或0元试用|支付方式|是否直播间成交|是否分期|分期期数|手续费承担方|分期方式',
  vip_orders: '订单号|PO号|下单时间|订单状态|品牌|货号|条码|商品名称|尺码|数量|唯品价|实付金额|送货仓库',
  youzan_orders: '订单号|订单状态|订单类型|订单创建时间|买家付款时间|交易成功时间|订单实付金额|订单已退款金额|买家昵称|买家手机号|收货人|收货人手机号|归属店铺|商品名称|商品编码|规格编码|商品规格|商品单价|商品数量|支付方式|运费',
  pos_orders: '门店编码|门店名称|小票号|销售时间|会员卡号|会员手机号|商品编码|条码|商品名称|数量|单价|实收金额|导购|支付方式',
  members_crm: '会员卡号|手机号|姓名|性别|生日|会员等级|积分|注册时间|邮箱|城市|注册门店|是否接收短信',
  members_shop: '会员编号|会员姓名|手机|出生日期|等级|入会时间',
};

// ---- GB18030 ----

let pairs;
/** What the two-byte characters of GB18030 are, asked of the decoder once. */
function gbTable() {
  if (pairs) return pairs;
  pairs = new Map();
  const decoder = new TextDecoder('gb18030');
  for (let lead = 0x81; lead <= 0xfe; lead++)
    for (let trail = 0x40; trail <= 0xfe; trail++) {
      const text = trail === 0x7f ? '' : decoder.decode(Uint8Array.of(lead, trail));
      if (text.length === 1 && text !== '\ufffd' && !pairs.has(text)) pairs.set(text, [lead, trail]);
    }
  return pairs;
}

function encodeGb18030(text) {
  const table = gbTable();
  const bytes = [];
  for (const character of text) {
    const code = character.codePointAt(0);
    const pair = code < 0x80 ? [code] : table.get(character);
    if (!pair) throw new Error(`U+${code.toString(16)} takes four bytes in GB18030: use another character`);
    bytes.push(...pair);
  }
  return Buffer.from(bytes);
}

// ---- files ----

const quoted = (cell) => (/[",\r\n]/.test(cell) && !cell.startsWith('="') ? `"${cell.replaceAll('"', '""')}"` : cell);

function csv(columns, rows) {
  return [columns, ...rows.map((row) => columns.map((column) => String(row[column] ?? '')))].map((cells) => `${cells.map(quoted).join(',')}\r\n`).join('');
}

const crcTable = Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n >>> 0;
});
const crc32 = (bytes) => (bytes.reduce((crc, byte) => (crc >>> 8) ^ crcTable[(crc ^ byte) & 0xff], 0xffffffff) ^ 0xffffffff) >>> 0;

/** APPNOTE 4.3, deflated. */
function zip(parts) {
  const files = [], directory = [];
  let offset = 0;
  for (const [name, text] of parts) {
    const bytes = Buffer.from(text), packed = deflateRawSync(bytes), path = Buffer.from(name);
    const head = Buffer.alloc(26);
    [20, 0, 8, 0, 0x21].forEach((value, i) => head.writeUInt16LE(value, 2 * i));
    [crc32(bytes), packed.length, bytes.length].forEach((value, i) => head.writeUInt32LE(value, 10 + 4 * i));
    head.writeUInt16LE(path.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    const file = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), head, path, packed]);
    files.push(file);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), head, tail, path);
    offset += file.length;
  }
  const index = Buffer.concat(directory), end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(index.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, index, end]);
}

const escaped = (text) => text.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign]);

function columnName(index) {
  return index < 26 ? String.fromCharCode(65 + index) : columnName(Math.floor(index / 26) - 1) + columnName(index % 26);
}

/** One sheet: texts shared, numbers as numbers, dates as days with a style. */
function xlsx(columns, rows) {
  const strings = new Map();
  const cell = (value, column, row) => {
    const place = `${columnName(column)}${row}`;
    if (value === undefined || value === '') return '';
    if (typeof value === 'number') return `<c r="${place}"><v>${value}</v></c>`;
    if (value instanceof Date) return `<c r="${place}" s="1"><v>${value.getTime() / 86400000 + 25569}</v></c>`;
    if (!strings.has(value)) strings.set(value, strings.size);
    return `<c r="${place}" t="s"><v>${strings.get(value)}</v></c>`;
  };
  const table = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  const sheet = table.map((cells, i) => `<row r="${i + 1}">${cells.map((value, k) => cell(value, k, i + 1)).join('')}</row>`).join('');
  const xml = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
  const main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
  const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
  const relations = (list) => `${xml}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${list
    .map(([type, target], i) => `<Relationship Id="rId${i + 1}" Type="${office}/${type}" Target="${target}"/>`).join('')}</Relationships>`;
  const types = [['workbook', 'sheet.main'], ['worksheets/sheet1', 'worksheet'], ['sharedStrings', 'sharedStrings'], ['styles', 'styles']];
  return zip([
    ['[Content_Types].xml', `${xml}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>${types
      .map(([part, type]) => `<Override PartName="/xl/${part}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.${type}+xml"/>`).join('')}</Types>`],
    ['_rels/.rels', relations([['officeDocument', 'xl/workbook.xml']])],
    ['xl/workbook.xml', `${xml}<workbook ${main} xmlns:r="${office}"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`],
    ['xl/_rels/workbook.xml.rels', relations([['worksheet', 'worksheets/sheet1.xml'], ['sharedStrings', 'sharedStrings.xml'], ['styles', 'styles.xml']])],
    ['xl/worksheets/sheet1.xml', `${xml}<worksheet ${main}><sheetData>${sheet}</sheetData></worksheet>`],
    ['xl/sharedStrings.xml', `${xml}<sst ${main}>${[...strings.keys()].map((text) => `<si><t xml:space="preserve">${escaped(text)}</t></si>`).join('')}</sst>`],
    ['xl/styles.xml', `${xml}<styleSheet ${main}><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy/m/d\\ h:mm:ss"/></numFmts><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164" applyNumberFormat="1"/></cellXfs></styleSheet>`],
  ]);
}

// ---- all of it ----

/** FILE, preset, layout, rows, how it is written, channel */
const files = [
  ['tmall_orders.csv', 'tmall_orders', 'tmall_orders', tmallOrders, 'gb18030', 'tmall'],
  ['tmall_orders_now.xlsx', 'tmall_orders', 'tmall_orders_now', tmallOrdersNow, 'xlsx', 'tmall'],
  ['tmall_items.csv', 'tmall_items', 'tmall_items', tmallItems, 'gb18030', 'tmall'],
  ['jd_orders.csv', 'jd_orders', 'jd_orders', jdOrders, 'gb18030', 'jd'],
  ['douyin_orders.csv', 'douyin_orders', 'douyin_orders', douyinOrders, 'utf-8', 'douyin'],
  ['pdd_orders.csv', 'pdd_orders', 'pdd_orders', pddOrders, 'utf-8', 'pdd'],
  ['vip_orders.xlsx', 'vip_orders', 'vip_orders', vipOrders, 'xlsx', 'vip'],
  ['youzan_orders.csv', 'youzan_orders', 'youzan_orders', youzanOrders, 'gb18030', 'youzan'],
  ['pos_orders.xlsx', 'pos_orders', 'pos_orders', posOrders, 'xlsx', 'pos'],
  ['members_crm.csv', 'members', 'members_crm', membersCrm, 'gb18030', null],
  ['members_shop.xlsx', 'members', 'members_shop', membersShop, 'xlsx', null],
];

function bytesOf(columns, rows, written) {
  if (written === 'xlsx') return xlsx(columns, rows);
  const text = csv(columns, rows);
  return written === 'gb18030' ? encodeGb18030(text) : Buffer.from(`\ufeff${text}`);
}

/** Pinduoduo has an order for each product; a till has paid ones alone, and JD's export does not say what went back. */
function ordersIn(world, channel) {
  const sold = world.orders.filter((order) => order.channel === channel && (channel !== 'pos' || isPaid(order)));
  const paid = sold.filter(isPaid);
  const returned = ['jd', 'pos'].includes(channel) ? [] : sold.filter((order) => order.state === 'refunded');
  const count = (list) => (channel === 'pdd' ? list.reduce((sum, order) => sum + order.lines.length, 0) : list.length);
  const fen = (list) => list.reduce((sum, order) => sum + order.paid, 0);
  return { orders: count(sold), paid_orders: count(paid), paid_fen: fen(paid), refunded_orders: count(returned), refunded_fen: fen(returned) };
}

export function writeExports(folder, options = {}) {
  const world = makeWorld(options);
  const truth = {};
  mkdirSync(folder, { recursive: true });
  for (const [name, preset, layout, rowsOf, written, channel] of files) {
    const columns = layouts[layout].split('|'), rows = rowsOf(world);
    for (const row of rows)
      for (const key of Object.keys(row)) if (!columns.includes(key)) throw new Error(`${name} has no column '${key}'`);
    writeFileSync(join(folder, name), bytesOf(columns, rows, written));
    truth[name] = { preset, written, columns: columns.length, rows: rows.length, ...(channel ? ordersIn(world, channel) : { people: rows.length }) };
  }
  truth.people = world.people.length;
  writeFileSync(join(folder, 'truth.json'), `${JSON.stringify(truth, null, 2)}\n`);
  return truth;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { out: { type: 'string', default: 'build/exports' }, people: { type: 'string', default: '500' },
    orders: { type: 'string', default: '2000' }, seed: { type: 'string', default: '1' } } });
  const truth = writeExports(values.out, { seed: Number(values.seed), people: Number(values.people), orders: Number(values.orders) });
  for (const [name, { rows }] of Object.entries(truth)) if (rows !== undefined) console.log(`${String(rows).padStart(8)} rows  ${join(values.out, name)}`);
}
