// SPDX-License-Identifier: Apache-2.0
// newcomers: people whom the house does not know yet. They register, mostly agree to be written to, buy for the first time, put
// things into the cart, add the adviser: whatever starts a journey, or ends it.
import { randomBytes, randomInt } from 'node:crypto';
import { DAY_MS, cartTemplate, corp, miniProgram } from './journeys.mjs';

const shops = [['tmall', 'tmall_open_uid', '33120458', '天猫旗舰店'], ['pdd', 'pdd_open_id', 'c4e90b73', '拼多多旗舰店']];
const skins = ['干性', '油性', '中性', '敏感', '混合偏油', '混合偏干'];
const surnames = ['王', '李', '张', '陈', '刘', '杨', '周', '吴', '徐', '孙', '朱', '高'];
const names = ['小雨', '静怡', '一诺', '梦琪', '子涵', '丽华', '敏', '娜', '思远', '佳宁', '若溪', '雅文'];
/** Assigned to no operator. */
const segments = ['154', '160', '161', '163', '164', '168'];
const CLICKS_MS = 5000;
const CLICK = 0.3;
const pick = (list) => list[randomInt(list.length)];
const chance = (share) => randomInt(1_000_000) < share * 1_000_000;
const token = (bytes) => randomBytes(bytes).toString('hex');
const external = (type, id, collection) => ({ type, id, collection, encoding: 'none' });

export class Newcomers {
  constructor(house, sandbox) {
    this.house = house;
    this.sandbox = sandbox;
    this.after = 0;
  }

  /** A provider's event, as it comes when people do something there; the sandbox calls the hook. */
  happens(kind, account, event) {
    this.sandbox.call('POST', '/sandbox/events', { kind, account, event }).catch(() => void this.house.failures++);
  }

  come() {
    const one = { userId: `n${token(6)}`, mobile: `${pick(segments)}${randomInt(100_000_000).toString().padStart(8, '0')}`,
                  name: pick(surnames) + pick(names), openid: `o${token(13)}`, wecom: `wm${token(15)}`, unionid: `u${token(13)}`, shop: pick(shops),
                  buyer: token(13) };
    const ids = { userId: one.userId, external: [] };
    this.register(one);
    if (chance(0.7)) this.house.track('crm', ids, 'Consent Granted', { purpose: 'marketing', evidence: '注册时勾选' });
    if (chance(0.1)) this.house.track('crm', ids, 'Consent Withdrawn', { purpose: 'sms', evidence: '客服电话' });
    if (chance(0.75)) this.house.later(2000, () => this.firstOrder(one));
    if (chance(0.6)) this.house.later(3000 + randomInt(6000), () => this.visitMiniProgram(one));
    if (chance(0.6)) this.house.later(4000 + randomInt(DAY_MS), () => this.addAdviser(one));
  }

  register({ userId, mobile, name, shop: [, type, namespace], buyer }) {
    this.house.appended++;
    this.house.clients.crm.identify({
      userId, traits: { name, phone: mobile, favourite_brand: '沐野', member_since: new Date().toISOString(), birthday: `${1970 + randomInt(35)}-${this.birthday()}` },
      context: { externalIds: [external(type, buyer, namespace)] },
    });
  }

  /** Every third has her birthday in a week. */
  birthday() {
    const days = chance(0.33) ? 7 : randomInt(365);
    const day = new Date(Date.now() + 8 * 3_600_000 + days * 86_400_000).toISOString().slice(5, 10);
    return day === '02-29' ? '02-28' : day;
  }

  firstOrder({ shop: [source, type, namespace, shop], buyer }) {
    this.house.buy(source, { external: [external(type, buyer, namespace)] }, `沐野${shop}`, '沐野');
  }

  visitMiniProgram({ userId, openid, unionid }) {
    const product = pick(this.house.products.filter((one) => one.brand === '沐野'));
    const ids = { userId, external: [external('wx_openid', openid, miniProgram), external('wx_unionid', unionid, 'users')] };
    this.house.track('mp_server', ids, 'Product Added', { product_id: product.product_id, name: product.name, price: product.price, quantity: 1 });
    if (chance(0.6)) this.house.track('mp_server', ids, 'SkinTestTaken', { skin_type: pick(skins), score: 55 + randomInt(45) });
    if (chance(0.7))
      this.happens('mini_program', miniProgram, {
        FromUserName: openid, Event: 'subscribe_msg_popup_event',
        SubscribeMsgPopupEvent: { List: { TemplateId: cartTemplate, SubscribeStatusString: 'accept', PopupScene: 2 } },
      });
  }

  addAdviser({ userId, wecom, unionid }) {
    this.happens('wecom', corp, {
      Event: 'change_external_contact', ChangeType: 'add_external_contact', UserID: 'lin', ExternalUserID: wecom, State: 'parcel-card',
    });
    const ids = { userId, external: [external('wecom_external_userid', wecom, corp), external('wx_unionid', unionid, 'users')] };
    this.house.track('wecom', ids, 'Friend Added', { adviser: 'lin', state: 'parcel-card' });
    this.house.later(3000, () => this.house.track('mp_server', ids, 'SkinTestTaken', { skin_type: pick(skins), score: 60 }));
    if (chance(0.5)) this.house.later(8000, () => this.house.buy('mp_server', ids, '沐野小程序商城', '沐野'));
  }

  /** Whoever got a message from her adviser may follow its link. */
  async click() {
    const { messages } = await this.sandbox.call('GET', `/sandbox/messages?kind=wecom&form=customer_mass&limit=100&after=${this.after}`);
    for (const message of messages) {
      const link = JSON.stringify(message).match(/http:[^"\\ ]+\/l\/\w{11}/)?.[0];
      this.after = Math.max(this.after, message.seq);
      if (link && chance(CLICK)) await fetch(link, { redirect: 'manual' });
    }
  }

  read() {
    this.house.later(CLICKS_MS, () => this.click().catch(() => void this.house.failures++).finally(() => this.read()));
  }
}
