// SPDX-License-Identifier: Apache-2.0
// objects: brands, products, dealers, stores, advisers, groups and courses of the house, as files that its systems export.
import { readFileSync } from 'node:fs';
import { bringFile, csv } from './import.mjs';
import { catalogueOf } from './world.mjs';

export const settings = JSON.parse(readFileSync(new URL('brand/objects.json', import.meta.url), 'utf8'));
const skins = ['干性', '油性', '中性', '敏感', '混合偏油', '混合偏干'];
const surnames = ['王', '李', '张', '刘', '陈', '杨', '赵', '黄', '周', '吴', '徐', '孙'];
const number = (n, digits) => `${n}`.padStart(digits, '0');
const of = (list, n) => list[n % list.length];
/** Looks like chance, and is the same in each run. */
const draw = (n) => ((Math.imul(n + 1, 2654435761) >>> 0) % 1000) / 1000;

export const stores = settings.stores.flatMap(({ city, count, dealers }) => Array.from({ length: count }, (_, n) => ({ city, n, dealer: of(dealers, n) })))
  .map(({ city, n, dealer }, i) => ({
    id: `S${number(i + 1, 4)}`, name: `${city}${of(settings.places, n)}${n < settings.places.length ? '' : ` ${Math.floor(n / settings.places.length) + 1} 号柜`}`, city, dealer_id: dealer,
    score: (3 + 2 * Math.sqrt(draw(i))).toFixed(1), opened: `${2016 + (i % 9)}-${number(1 + (i % 12), 2)}-15`,
  }));

export const groupOf = (skin, n) => `G${skins.indexOf(skin) + 1}${number(n % settings.groups.per_skin + 1, 2)}`;
export const courseIds = stores.slice(0, 200).map((store) => `C${store.id.slice(1)}`);

const adviserName = (n) => settings.advisers.names[n] ?? `${of(surnames, n)}${of(settings.advisers.names, n * 7 + 3).slice(1)}`;

const rowsOf = {
  brand: () => settings.brands,
  product: (catalogue) => catalogue.map((one) => ({
    id: one.product_id, name: one.name, brand: one.brand, category: one.category, price: one.price, care_days: settings.care_days[one.category] ?? 90,
  })),
  dealer: () => settings.dealers.map(([id, name, region]) => ({ id, name, region })),
  store: () => stores,
  adviser: () => [{ id: 'lin', name: '林老师', store_id: 'S0001', level: '金牌' }, ...Array.from({ length: settings.advisers.count }, (_, n) => ({
    id: `adviser-${number(n + 1, 3)}`, name: adviserName(n), store_id: stores[(n * 5) % stores.length].id, level: settings.advisers.levels[Math.floor(draw(n) ** 2 * settings.advisers.levels.length)],
  }))],
  group: () => skins.flatMap((skin) => Array.from({ length: settings.groups.per_skin }, (_, n) => ({
    id: groupOf(skin, n), name: `${skin}肌交流群 ${n + 1}`, skin_type: skin, adviser_id: `adviser-${number(1 + ((skins.indexOf(skin) * settings.groups.per_skin + n) % settings.advisers.count), 3)}`, places: settings.groups.places,
  }))),
  course: () => courseIds.map((id, n) => {
    const [name, sessions] = of(settings.courses, n);
    return { id, name, store_id: stores[n].id, sessions, left: Math.floor(draw(n) * sessions) };
  }),
};

/** Each kind with its fields, then its file. */
export async function bringObjects(server, world) {
  const catalogue = await catalogueOf(world);
  for (const [kind, about] of Object.entries(settings.kinds)) await server.api('PUT', `/object-kinds/${kind}`, about);
  for (const [kind, about] of Object.entries(settings.kinds)) {
    const names = ['id', ...Object.keys(about.properties)];
    const properties = Object.fromEntries(Object.entries(about.properties).map(([name, { type }]) =>
      [name, type === 'text' ? `[${name}]` : { expression: `[${name}]`, type }]));
    await bringFile(server, {
      name: `${about.name}.csv`, text: csv(names, rowsOf[kind](catalogue).map((row) => names.map((name) => row[name]))),
      mapping: { kind: 'objects', zone: '+08:00', objects: [{ kind, id: '[id]', properties }] }, dataSet: kind,
    });
  }
}
