/* SPDX-License-Identifier: Apache-2.0 */
/* agent: what browser and system a session was opened with, from the words by which browsers call themselves. */

const browsers: readonly (readonly [string, RegExp])[] = [
  ['WeChat', /MicroMessenger\/(\d+)/], ['WeCom', /wxwork\/(\d+)/], ['DingTalk', /DingTalk\/(\d+)/], ['Edge', /Edg(?:A|iOS)?\/(\d+)/], ['Opera', /OPR\/(\d+)/], ['Firefox', /(?:Firefox|FxiOS)\/(\d+)/], ['Chrome', /(?:Chrome|CriOS)\/(\d+)/], ['Safari', /Version\/(\d+).*Safari/],
];
const systems: readonly (readonly [string, RegExp])[] = [['HarmonyOS', /HarmonyOS|OpenHarmony/], ['iPhone', /iPhone/], ['iPad', /iPad/], ['Android', /Android/], ['Windows', /Windows/], ['macOS', /Macintosh|Mac OS X/], ['Linux', /Linux|X11/]];

/* 'Chrome 131 · Windows'; what is no browser by its first words. */
export function agentName(agent: string | null): string {
  if (agent === null || agent === '') return '';
  const browser = browsers.flatMap(([name, pattern]) => {
    const found = pattern.exec(agent);
    return found === null ? [] : [`${name} ${found[1] ?? ''}`.trim()];
  })[0];
  const system = systems.find(([, pattern]) => pattern.test(agent))?.[0];
  if (browser === undefined) return agent.split(/[ (]/)[0] ?? agent;
  return system === undefined ? browser : `${browser} · ${system}`;
}
