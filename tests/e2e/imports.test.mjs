// SPDX-License-Identifier: Apache-2.0
// Files in the browser: a member list in GB18030 and an order export are uploaded, recognised, looked at, imported; what
// cannot be taken is told with its reason; the same file again changes nothing; an import is taken back.
import assert from 'node:assert/strict';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import iconv from 'iconv-lite';
import { phone } from '../s1/support.mjs';
import { Place, missingConsole, until } from './support.mjs';

let place;
let folder;
before(async () => {
  if (missingConsole) return;
  place = await Place.open();
  folder = mkdtempSync(join(tmpdir(), 'kith-files-'));
});
after(async () => {
  await place?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

const members = () => [
  '会员卡号,姓名,手机号,性别,生日,会员等级,城市',
  `MC-f1,陈书意,${phone(60_000_001)},女,1992-03-08,金卡,扬州`,
  `MC-f2,李望舒,${phone(60_000_002)},男,1988-11-20,银卡,苏州`,
  'MC-f3,王芷若,1.38E+10,女,1995-07-01,银卡,无锡',
].join('\r\n') + '\r\n';

async function upload(visit, name, bytes) {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  await visit.go('/data/imports/new');
  await visit.page.locator('input[type=file]').setInputFiles(path);
  await visit.page.getByText('前几行').waitFor();
}

async function importIt(visit) {
  await visit.page.getByRole('button', { name: '先看结果' }).click();
  await visit.page.getByText('会新建客户').waitFor();
  await visit.page.getByRole('button', { name: '开始导入' }).click();
  await visit.page.waitForURL(/\/data\/imports\/\d+$/);
  await visit.page.getByText('已完成').first().waitFor();
}

test('a member list in GB18030 is recognised, looked at, imported, and taken back', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  const { page } = visit;
  await upload(visit, 'members.csv', iconv.encode(members(), 'gb18030'));
  await page.getByText('看起来是「会员名单」', { exact: false }).waitFor();
  await page.getByText('陈书意').first().waitFor();
  await visit.accessible('the columns of a file');
  await page.getByRole('button', { name: '先看结果' }).click();
  await page.getByText('会新建客户').waitFor();
  await page.getByText('1.38E+10', { exact: false }).first().waitFor();
  await page.getByRole('heading', { level: 1 }).scrollIntoViewIfNeeded(); // nothing lies under the bar at the top
  await visit.accessible('what would happen');
  await page.getByRole('button', { name: '开始导入' }).click();
  await page.waitForURL(/\/data\/imports\/\d+$/);
  await page.getByText('已完成').first().waitFor();
  await visit.accessible('an import');

  await place.kith.settled();
  const her = await place.kith.customerBy('member_card', 'MC-f1');
  assert.equal(her.traits.city, '扬州');
  assert.equal((await place.kith.customerBy('mobile', phone(60_000_001))).one_id, her.one_id);
  assert.equal(await place.kith.findBy('member_card', 'MC-f3'), undefined);
  const [refused] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: '下载没收的行和原因' }).click()]);
  assert.match(refused.suggestedFilename(), /^refused-\d+\.csv$/);

  /* the same file again: nothing, and it says so */
  const first = page.url();
  await upload(visit, 'again.csv', iconv.encode(members(), 'gb18030'));
  await importIt(visit);
  assert.equal(page.url(), first, 'the job that brought it');

  await page.getByRole('button', { name: '撤回这次导入' }).click();
  await page.getByRole('dialog').getByRole('button', { name: '撤回', exact: true }).click();
  await page.getByText('已撤回').first().waitFor();
  await until('nobody is left of it', async () => (await place.kith.findBy('member_card', 'MC-f1')) === undefined);
  await visit.go('/data/imports');
  await page.getByText('已撤回').first().waitFor();
  visit.clean();
  await visit.close();
});

test('an order export becomes orders of the customers who are known', { skip: missingConsole }, async () => {
  const visit = await place.enter();
  const rows = [
    '订单号,商品ID,商品名称,订购数量,支付方式,下单时间,京东价,订单金额,结算金额,余额支付,应付金额,订单状态,下单帐号,付款确认时间',
    'JD-1,P-1,修护精华,1,在线支付,2026-01-05 10:00:00,399.00,498.00,498.00,0,498.00,完成,jd_shuyi,2026-01-05 10:00:41',
    'JD-1,P-2,洁面乳,1,在线支付,2026-01-05 10:00:00,99.00,498.00,498.00,0,498.00,完成,jd_shuyi,2026-01-05 10:00:41',
    'JD-2,P-1,修护精华,2,在线支付,2026-02-01 21:00:00,399.00,798.00,798.00,0,798.00,已取消,jd_shuyi,',
  ].join('\n');
  await upload(visit, '京东订单.csv', rows);
  await visit.page.getByText('看起来是「京东 订单导出」', { exact: false }).waitFor();
  await importIt(visit);
  await place.kith.settled();
  const her = await place.kith.customerBy('jd_open_id', 'jd_shuyi', 'pin');
  assert.deepEqual([her.summary.orders, her.summary.revenue], [1, 49_800]);
  visit.clean();
  await visit.close();
});
