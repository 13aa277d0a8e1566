/* SPDX-License-Identifier: Apache-2.0 */
/* vocabulary: what rules can speak of here: the served catalogue, and the traits, events, tags, segments and objects of this
 * workspace with their kinds and names. Read once, given to the whole editor.
 */
import { useQuery } from '@tanstack/react-query';
import { createContext, useContext, useMemo } from 'react';
import { queries } from '@/api/queries';
import { useLanguage, useText } from '@/app/preferences';
import { canonicalChannel, knownChannels } from '@/lib/channels';
import { identifierName } from '@/lib/identifiers';
import { eventWord, wordFor, type Language } from '@/lib/text';
import { words } from '@/lib/words';
import { kindOfType, readCatalogue, type Kind, type ObjectEntry, type RuleCatalogue } from './catalogue';

export interface Named {
  value: string;
  label: string;
  kind: Kind;
  /* values that are known to occur */
  values?: readonly string[];
  group?: string;
}

export interface Vocabulary {
  catalogue: RuleCatalogue;
  language: Language;
  traits: readonly Named[];
  events: readonly Named[];
  tags: readonly Named[];
  segments: readonly Named[];
  identifiers: readonly Named[];
  purposes: readonly Named[];
  channels: readonly Named[];
  relations: readonly Named[];
  objects: readonly Named[];
  sources: readonly Named[];
  /* properties of these events, the built-in ones first */
  propertiesOf: (events: readonly string[]) => readonly Named[];
  objectProperties: (kind: string) => readonly Named[];
  objectTags: (kind: string) => readonly Named[];
  /* what is known to lead to this kind: from events, from an object of another kind, or (both null) from the customer */
  viasTo: (kind: string, events: readonly string[] | null, from: string | null) => readonly string[];
}

const VocabularyContext = createContext<Vocabulary | null>(null);
export const VocabularyProvider = VocabularyContext.Provider;

export function useVocabulary(): Vocabulary {
  const vocabulary = useContext(VocabularyContext);
  if (vocabulary === null) throw new Error('useVocabulary outside of VocabularyProvider');
  return vocabulary;
}

const eventProperties: readonly [string, Kind, string, string][] = [
  ['channel', 'text', '渠道', 'Channel'], ['$time', 'time', '发生时间', 'Time'], ['$hour', 'number', '几点 (0–23)', 'Hour (0–23)'], ['$weekday', 'number', '星期几 (1 是周一)', 'Weekday (1 is Monday)'],
  ['$received', 'time', '收到时间', 'Received'], ['$source', 'number', '数据源编号', 'Number of the source'], ['products.product_id', 'texts', '商品列表里的商品编号', 'Ids of all products'],
];

const propertyWords: Readonly<Record<string, readonly [string, string]>> = {
  revenue: ['金额', 'Revenue'], total: ['总额', 'Total'], order_id: ['订单号', 'Order id'], product_id: ['商品编号', 'Product id'], category: ['类目', 'Category'], brand: ['品牌', 'Brand'], coupon: ['优惠券', 'Coupon'],
  discount: ['优惠金额', 'Discount'], price: ['价格', 'Price'], quantity: ['数量', 'Quantity'], store_id: ['门店编号', 'Store id'], campaign: ['活动', 'Campaign'], city: ['城市', 'City'], name: ['名称', 'Name'], sku: ['SKU', 'SKU'],
  products: ['商品列表', 'Products'], currency: ['币种', 'Currency'], score: ['得分', 'Score'], skin_type: ['肤质', 'Skin type'], query: ['搜索词', 'Query'], title: ['标题', 'Title'], url: ['网址', 'Address'], path: ['路径', 'Path'],
};

export function propertyLabel(name: string, language: Language): string {
  const builtin = eventProperties.find(([own]) => own === name);
  if (builtin !== undefined) return language === 'zh' ? builtin[2] : builtin[3];
  const word = propertyWords[name];
  return word === undefined ? name : word[language === 'zh' ? 0 : 1];
}

export const reachChannels = ['wecom', 'sms', 'official_account', 'subscription', 'call', 'email'] as const;

const objectWords: Readonly<Record<string, readonly [string, string]>> = {
  product: ['商品', 'Product'], store: ['门店', 'Store'], adviser: ['导购', 'Adviser'], group: ['社群', 'Customer group'], order: ['订单', 'Order'], campaign: ['活动', 'Campaign'], content: ['内容', 'Content'], coupon: ['优惠券', 'Coupon'],
  brand: ['品牌', 'Brand'], dealer: ['经销商', 'Dealer'],
};

/* The name that the workspace gave to a kind of objects, or a word that everybody knows. */
function objectWord({ kind, name }: ObjectEntry, language: Language): string {
  if (name !== '' && name !== kind) return name;
  return objectWords[kind]?.[language === 'zh' ? 0 : 1] ?? kind;
}

/* null until the catalogue and every list have come or were refused: with half of the names, a word that is known would be taken for a
 * new one. */
export function useLoadedVocabulary(): { vocabulary: Vocabulary | null; error: unknown; retry: () => void } {
  const language = useLanguage();
  const common = useText(words);
  const catalogue = useQuery({ ...queries.ruleCatalogue(), select: readCatalogue });
  const traits = useQuery(queries.traitTypes());
  const plan = useQuery({ ...queries.planEvents(), staleTime: 30_000 });
  const tags = useQuery(queries.definitions('tags'));
  const segments = useQuery(queries.definitions('segments'));
  const identifiers = useQuery(queries.identityTypes());
  const sources = useQuery(queries.sources());
  const isWaiting = [traits, plan, tags, segments, identifiers, sources].some((one) => one.isPending);
  const vocabulary = useMemo((): Vocabulary | null => {
    if (catalogue.data === undefined || isWaiting) return null;
    const channelNames = [...new Set([...knownChannels, ...(sources.data?.items.map((one) => one.channel).filter((one) => one !== '') ?? [])])];
    const channels = channelNames.map((value): Named => ({ value, label: wordFor(common.channel, canonicalChannel(value)), kind: 'text' }));
    const planned = plan.data?.items ?? [];
    const kindsOfObjects = catalogue.data.objects;
    const property = (name: string, kind: Kind, values?: readonly string[]): Named => ({ value: name, label: propertyLabel(name, language), kind, ...(values === undefined || values.length === 0 ? {} : { values }) });
    return {
      catalogue: catalogue.data, language,
      traits: (traits.data?.items ?? []).map((one) => ({ value: one.name, label: wordFor(common.trait, one.name), kind: kindOfType(one.type) })),
      events: planned.filter((one) => one.status !== 'blocked').map((one) => ({ value: one.name, label: eventWord(common.event, one.name), kind: 'text', group: one.status })),
      tags: (tags.data?.items ?? []).filter((one) => one.on === 'customer').map((one) => ({ value: one.key, label: one.name === '' ? one.key : one.name, kind: one.value_type, ...(one.sizes === undefined ? {} : { values: one.sizes.map((size) => size.value) }) })),
      segments: (segments.data?.items ?? []).filter((one) => one.on === 'customer').map((one) => ({ value: one.key, label: one.name === '' ? one.key : one.name, kind: 'bool', group: one.folder })),
      identifiers: (identifiers.data?.items ?? []).map((one) => ({ value: one.name, label: identifierName(one, language, common.identifier), kind: 'text' })),
      purposes: ['marketing', 'sms', 'call', 'wecom', 'email', 'personalisation', 'sensitive'].map((value) => ({ value, label: wordFor(common.consent, value), kind: 'bool' })),
      channels,
      relations: [{ value: 'adviser', label: wordFor(common.trait, 'adviser'), kind: 'text' }],
      objects: kindsOfObjects.map((one) => ({ value: one.kind, label: objectWord(one, language), kind: 'text' })),
      sources: (sources.data?.items ?? []).map((one) => ({ value: one.key, label: one.name === '' ? one.key : one.name, kind: 'text' })),
      propertiesOf: (events) => {
        const found = new Map<string, Named>(eventProperties.map(([name, kind]) => [name, property(name, kind, name === 'channel' ? channelNames : undefined)]));
        const wanted = events.length === 0 || events.includes('*') ? planned : planned.filter((one) => events.includes(one.name));
        for (const event of wanted) {
          for (const one of event.properties) {
            if (found.has(one.name) || one.type === 'object') continue;
            found.set(one.name, property(one.name, one.name === 'products' ? 'texts' : kindOfType(one.type), one.values?.map(String)));
          }
        }
        return [...found.values()];
      },
      objectProperties: (kind) => {
        const described = kindsOfObjects.find((one) => one.kind === kind)?.properties ?? [];
        return described.map((one) => property(one.name, one.kind));
      },
      objectTags: (kind) => (kindsOfObjects.find((one) => one.kind === kind)?.tags ?? []).map((one) => ({ value: one.key, label: one.name === '' ? one.key : one.name, kind: one.kind, values: one.values })),
      viasTo: (kind, events, from) => {
        const entry = kindsOfObjects.find((one) => one.kind === kind);
        if (from !== null) return (kindsOfObjects.find((one) => one.kind === from)?.properties ?? []).filter((one) => one.object === kind).map((one) => one.name);
        if (entry === undefined) return [];
        if (events === null) return entry.traits;
        return [...new Set(entry.vias.filter((one) => events.length === 0 || events.includes('*') || events.includes(one.event)).map((one) => one.via))];
      },
    };
  }, [catalogue.data, isWaiting, traits.data, plan.data, tags.data, segments.data, identifiers.data, sources.data, language, common]);
  return { vocabulary, error: catalogue.error, retry: () => void catalogue.refetch() };
}

export function labelIn(list: readonly Named[], value: string): string {
  return list.find((one) => one.value === value)?.label ?? value;
}

export function kindIn(list: readonly Named[], value: string): Kind {
  return list.find((one) => one.value === value)?.kind ?? 'text';
}
