/* SPDX-License-Identifier: Apache-2.0 */
/* first-paint: sets theme and language before anything is drawn, so that a dark console never
 * flashes white. The same keys are read by src/app/preferences.tsx. */
(function () {
  var root = document.documentElement;
  var theme = null;
  var language = null;
  try {
    theme = localStorage.getItem('kith.theme');
    language = localStorage.getItem('kith.language');
  } catch (_) {
    /* storage may be forbidden: the defaults below hold */
  }
  var dark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  root.dataset.theme = dark ? 'dark' : 'light';
  root.lang = language === 'en' || (!language && !/^zh/i.test(navigator.language)) ? 'en' : 'zh-CN';
})();
