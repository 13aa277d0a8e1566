// SPDX-License-Identifier: Apache-2.0
// sources: the doors of the demo brand house, made by the API like anybody's.

/** key, kind, protocol, channel, name */
export const sources = [
  ['tmall', 'server', 'segment', 'tmall', '天猫旗舰店'],
  ['jd', 'server', 'segment', 'jd', '京东自营'],
  ['douyin', 'server', 'segment', 'douyin', '抖音小店'],
  ['pdd', 'server', 'segment', 'pdd', '拼多多旗舰店'],
  ['vip', 'server', 'segment', 'vip', '唯品会'],
  ['mp_server', 'server', 'segment', 'mini_program', '小程序服务端'],
  ['wechat_mp', 'public', 'sensors', 'mini_program', '微信小程序'],
  ['h5', 'public', 'segment', 'web', 'H5 活动页'],
  ['app', 'public', 'segment', 'app', '品牌 App'],
  ['wecom', 'server', 'segment', 'wecom', '企业微信'],
  ['store', 'server', 'segment', 'store', '门店 POS'],
  ['crm', 'server', 'segment', 'crm', '会员中心'],
];

/** Make those that are not there; returns { source: { write_key, signing_secret? } }. */
export async function makeSources(server, known) {
  const keys = { ...known };
  const there = new Set((await server.api('GET', '/sources')).items.map((source) => source.key));
  for (const [key, kind, protocol, channel, name] of sources) {
    if (!there.has(key)) {
      const made = await server.api('POST', '/sources', { key, kind, protocol, channel, name });
      keys[key] = { write_key: made.write_key };
    } else if (!keys[key]) {
      // made by hand, or by a run that did not come to write its key down
      keys[key] = { write_key: (await server.api('POST', `/sources/${key}/rotate`)).write_key };
    }
    if (key === 'wechat_mp' && !keys[key].signing_secret) {
      const made = await server.api('POST', `/sources/${key}/signing-secret`);
      keys[key].signing_secret = made.signing_secret;
    }
  }
  return keys;
}
