/* SPDX-License-Identifier: Apache-2.0 */
/* template: what an editor of templates holds: the body as it is saved, its parts that are texts, and what a new one begins with. */
import type { Schemas } from '@/api/client';

/* What a filter of the catalogue adds behind a value, as its example has it: ` | truncate: 12`. */
export function pipeOf(example: string): string {
  const at = example.indexOf('|');
  return at < 0 ? '' : ` ${example.slice(at).replace(/\}\}.*$/s, '').trim()}`;
}

export type Template = Schemas['Template'];
export type TemplateHead = Omit<Template, 'findings'>;
export type Body = Readonly<Record<string, unknown>>;

export interface Finding {
  level: 'error' | 'advice';
  code: string;
  part: string;
  line: number;
  column: number;
  text: { zh: string; en: string };
  cure: { zh: string; en: string } | null;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isSaid = (value: unknown): value is { zh: string; en: string } => isObject(value) && typeof value['zh'] === 'string' && typeof value['en'] === 'string';

/* The server describes findings as objects; one that says nothing is left out. */
export function findingsOf(template: Template): Finding[] {
  return template.findings.flatMap((one): Finding[] => {
    const held = one as Record<string, unknown>;
    if (!isSaid(held['text'])) return [];
    return [{
      level: held['level'] === 'error' ? 'error' : 'advice', code: String(held['code'] ?? ''), part: String(held['part'] ?? ''), line: Number(held['line'] ?? 0), column: Number(held['column'] ?? 0), text: held['text'], cure: isSaid(held['cure']) ? held['cure'] : null,
    }];
  });
}

export function textIn(body: Body, member: string): string {
  const value = body[member];
  return typeof value === 'string' ? value : '';
}

export function partsOf(body: Body): Record<string, unknown> {
  return isObject(body['parts']) ? body['parts'] : {};
}

/* A part as it is typed: a text as it is, anything nested as its JSON. */
export function partText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

/* … and back: what was nested and is JSON again stays nested. */
export function partValue(text: string, before: unknown): unknown {
  if (typeof before === 'string' || before === undefined) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

export function withPart(body: Body, part: string, value: unknown): Body {
  return { ...body, parts: { ...partsOf(body), [part]: value } };
}

export function withoutPart(body: Body, part: string): Body {
  return { ...body, parts: Object.fromEntries(Object.entries(partsOf(body)).filter(([name]) => name !== part)) };
}

/* The parts that a channel shows people, in the order in which they read them. */
export const shownParts: Readonly<Record<string, readonly string[]>> = {
  sms: ['text'], wecom: ['text', 'title', 'description', 'url'], official_account: ['text', 'title', 'description', 'url', 'data'], subscription: ['page', 'data'], email: ['subject', 'html', 'text'], call: ['text'], webhook: ['body'], coupon: ['text'],
};

export function freshBody(channel: string): Body {
  const parts = Object.fromEntries((shownParts[channel] ?? ['text']).slice(0, channel === 'email' ? 2 : 1).map((part) => [part, '']));
  return { name: '', channel, purpose: 'marketing', parts };
}

/* Everything a template may speak of without being told more; what an event brings depends on the journey. */
export function variables(traits: readonly string[], tags: readonly string[]): string[] {
  return ['customer.name', ...traits.map((trait) => `customer.${trait}`), ...tags.map((tag) => `tag.${tag}`), 'event.order_id', 'event.products[0].name', 'now'].filter((one, at, all) => all.indexOf(one) === at);
}
