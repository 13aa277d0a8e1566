/* SPDX-License-Identifier: Apache-2.0 */
/* audience: definitions of segments and tags as pages use them: folders, keys, what is sent, what moved. */
import type { Schemas } from '@/api/client';
import type { Json, JsonObject } from '@/features/rules/model';

export type Definition = Schemas['Definition'];

export interface Meta {
  key: string;
  name: string;
  folder: string;
  owner: string;
  description: string;
}

export const emptyMeta: Meta = { key: '', name: '', folder: '', owner: '', description: '' };

export function metaOf(definition: Definition): Meta {
  const { key, name, folder, owner, description } = definition;
  return { key, name, folder, owner, description };
}

export const keyPattern = /^[a-z0-9_-]{1,100}$/;

/* A key from a name: 'Tmall buyers 90d' is tmall-buyers-90d. A Chinese name gives none that can be read, so it is given a number. */
export function keyFrom(name: string, taken: ReadonlySet<string>, prefix: string): string {
  const plain = name.toLowerCase().normalize('NFKD').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 60);
  const base = plain.length >= 2 ? plain : prefix;
  if (!taken.has(base) && base !== prefix) return base;
  for (let number = 1; ; number += 1) if (!taken.has(`${base}-${number}`)) return `${base}-${number}`;
}

/* The name, or with a number behind it where another is called so: two of one name cannot be told apart. */
export function nameFrom(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let number = 2; ; number += 1) if (!taken.has(`${name} ${number}`)) return `${name} ${number}`;
}

/* The members of a definition that say what it is, without its name, folder, owner and description. */
export function coreOf(definition: Definition): JsonObject {
  const { key: _key, name: _name, folder: _folder, owner: _owner, description: _description, ...core } = (definition.definition ?? {}) as JsonObject;
  return core;
}

/* What is put. Empty members are not sent: the server has its own words for nothing. */
export function putOf(meta: Meta, core: JsonObject): JsonObject {
  const said: JsonObject = { name: meta.name.trim() };
  for (const member of ['folder', 'owner', 'description'] as const) if (meta[member].trim() !== '') said[member] = meta[member].trim();
  return { ...said, ...core };
}

export interface Folder {
  path: string;
  name: string;
  level: number;
  count: number;
}

/* 'A/B' lies in 'A'. A folder counts what lies in it and below. */
export function foldersOf(definitions: readonly { folder: string }[]): Folder[] {
  const counts = new Map<string, number>();
  for (const { folder } of definitions) {
    const parts = folder.split('/').map((part) => part.trim()).filter((part) => part !== '');
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const path = parts.slice(0, depth).join('/');
      counts.set(path, (counts.get(path) ?? 0) + 1);
    }
  }
  return [...counts].sort(([a], [b]) => a.localeCompare(b, 'zh-CN')).map(([path, count]) => ({ path, name: path.split('/').at(-1) ?? path, level: path.split('/').length - 1, count }));
}

export function isInFolder(folder: string, wanted: string): boolean {
  if (wanted === '') return true;
  if (wanted === '-') return folder.trim() === '';
  return folder === wanted || folder.startsWith(`${wanted}/`);
}

export function matches(definition: Definition, query: string): boolean {
  const wanted = query.trim().toLowerCase();
  return wanted === '' || `${definition.name} ${definition.key} ${definition.description}`.toLowerCase().includes(wanted);
}

export function nameOf(definition: { key: string; name: string }): string {
  return definition.name === '' ? definition.key : definition.name;
}

/* ---- drafts: what was typed and not saved, kept in this browser ---- */

export interface Draft<T> {
  body: T;
  version: number;
  at: number;
}

export function readDraft<T>(text: string | null): Draft<T> | null {
  if (text === null || text === '') return null;
  try {
    const draft = JSON.parse(text) as Partial<Draft<T>>;
    return draft.body === undefined || typeof draft.version !== 'number' ? null : (draft as Draft<T>);
  } catch {
    return null;
  }
}

export function jsonOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, Json>) : {};
}
