/* SPDX-License-Identifier: Apache-2.0 */
/* rules: the conditions on an event, which journeys write as a list, as a rule of the editor and back. */
import type { Json, JsonObject } from '@/features/rules/model';

export function ruleOf(matches: readonly JsonObject[]): JsonObject {
  return { all: [...matches] };
}

/* No condition is none, not an empty list. A rule that is no plain list stays whole, as the one condition: the server says what it takes. */
export function matchesOf(rule: JsonObject): JsonObject[] | undefined {
  const all: Json | undefined = rule['all'];
  const list = Array.isArray(all) && Object.keys(rule).length === 1 ? (all as JsonObject[]) : [rule];
  return list.length === 0 ? undefined : list;
}
