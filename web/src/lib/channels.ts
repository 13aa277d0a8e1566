/* SPDX-License-Identifier: Apache-2.0 */
/* channels: one colour and one mark for each channel, everywhere the same (timeline, charts, lists).
 *
 * A shop platform is marked by the character that people call it by, our own channels by a drawn sign
 * on a 16 × 16 grid.
 */
import type { Scheme } from '@/app/colours';

export interface ChannelLook {
  colour: Record<Scheme, string>;
  mark: string | readonly string[];
}

const globe = ['M8 1.800a6.2 6.2 0 1 0 0 12.400A6.2 6.2 0 0 0 8 1.800Z', 'M1.9 8h12.2', 'M8 1.900c-4.2 4-4.2 8.2 0 12.200c4.2-4 4.2-8.2 0-12.200Z'];
const phone = ['M5 1.500h6a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-11a1 1 0 0 1 1-1Z', 'M7.2 12.200h1.6'];
const loop = ['M8 8v2.600a2.3 2.3 0 1 1-2.3-2.3', 'M8 8V5.400a2.3 2.3 0 1 1 2.3 2.3'];
const house = ['M2 6.5 3.2 2.500h9.600L14 6.5', 'M2 6.500c0 2.2 4 2.2 4 0c0 2.2 4 2.2 4 0c0 2.2 4 2.2 4 0', 'M3.2 8.600v5h9.600v-5'];
const rack = ['M3 2.500h10v4H3z', 'M3 9.500h10v4H3z', 'M5.2 4.500h.1', 'M5.2 11.500h.1'];
const talk = ['M2 3.500h12v7.500H7.500L4.5 13.500V11H2z'];
const handset = ['M3.5 2.500h2.500l1 3-1.5 1.200a8 8 0 0 0 3.8 3.800L10.5 9l3 1v2.500c0 .8-.6 1.2-1.3 1.200C6.5 13.5 2.3 9.3 2.3 3.800c0-.7.4-1.3 1.2-1.300Z'];
const letter = ['M2 3.500h12v9H2z', 'M2 4l6 4.500L14 4'];
const sheet = ['M4 1.800h5.500L12.5 5v9.200H4z', 'M6.2 8h4', 'M6.2 11h4'];
const card = ['M1.8 3.800h12.400v8.400H1.800z', 'M1.8 6.800h12.4'];
const dot = ['M8 5.200a2.8 2.8 0 1 0 0 5.600a2.8 2.8 0 0 0 0-5.600Z'];

const look = (light: string, dark: string, mark: ChannelLook['mark']): ChannelLook => ({ colour: { light, dark }, mark });

const looks: Readonly<Record<string, ChannelLook>> = {
  web: look('#2f6fb5', '#7fb2ea', globe),
  h5: look('#2a7f93', '#68bfd2', phone),
  mini_program: look('#3d8a1f', '#8ac96b', loop),
  app: look('#5a55b5', '#a9a4ee', phone),
  server: look('#5d6a64', '#a3afa9', rack),
  crm: look('#5d6a64', '#a3afa9', card),
  store: look('#8a5a1f', '#d6a868', house),
  pos: look('#8a5a1f', '#d6a868', house),
  tmall: look('#c0392b', '#f08a7e', '猫'),
  jd: look('#a8213c', '#ea7d95', '京'),
  douyin: look('#3a4450', '#b9c4cf', '抖'),
  pdd: look('#b9471f', '#f0965a', '拼'),
  vip: look('#b02a78', '#e88bc0', '唯'),
  xiaohongshu: look('#c22f4d', '#f08ba0', '红'),
  youzan: look('#b5453a', '#ee948b', '赞'),
  wecom: look('#1f6fa0', '#74bbe6', '企'),
  wechat: look('#2b7d43', '#7bcb92', talk),
  call_center: look('#7a4fa3', '#b592dc', handset),
  sms: look('#8f6a00', '#d7b04a', talk),
  subscription: look('#3d8a1f', '#8ac96b', '订'),
  coupon: look('#a3452a', '#ec9a80', '券'),
  points: look('#8a5a1f', '#d6a868', '分'),
  webhook: look('#5d6a64', '#a3afa9', rack),
  email: look('#8f6a00', '#d7b04a', letter),
  file: look('#5d6a64', '#a3afa9', sheet),
};

const unknown = look('#5d6a64', '#a3afa9', dot);

const aliases: Readonly<Record<string, string>> = {
  'mini-program': 'mini_program', miniprogram: 'mini_program', mp: 'mini_program', weapp: 'mini_program', mobile: 'app', ios: 'app', android: 'app',
  taobao: 'tmall', vipshop: 'vip', pinduoduo: 'pdd', official_account: 'wechat', wechat_oa: 'wechat', phone: 'call_center', call: 'call_center',
  import: 'file', files: 'file', retail: 'store',
};

/* The name under which a channel is known here: 'miniprogram' is 'mini_program'. */
export function canonicalChannel(channel: string): string {
  return Object.hasOwn(looks, channel) ? channel : (aliases[channel] ?? channel);
}

export function channelLook(channel: string): ChannelLook {
  return looks[canonicalChannel(channel)] ?? unknown;
}

export const knownChannels: readonly string[] = Object.keys(looks);
