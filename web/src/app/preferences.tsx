/* SPDX-License-Identifier: Apache-2.0 */
/* preferences: what a person chose for this browser: language, light or dark, folded navigation.
 * Kept in local storage; public/first-paint.js reads the same keys before anything is drawn.
 */
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { textIn, type Catalogue, type Language } from '@/lib/text';
import { customProperties, palettes, type Scheme } from './colours';

export type ThemeChoice = 'light' | 'dark' | 'system';

interface Preferences {
  language: Language;
  setLanguage: (language: Language) => void;
  theme: ThemeChoice;
  setTheme: (theme: ThemeChoice) => void;
  scheme: Scheme;
  folded: boolean;
  setFolded: (folded: boolean) => void;
}

const PreferencesContext = createContext<Preferences | null>(null);

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    /* a browser that keeps nothing still works; it only forgets */
  }
}

export { kept };

function firstLanguage(): Language {
  const chosen = kept('kith.language');
  if (chosen === 'zh' || chosen === 'en') return chosen;
  return /^zh/i.test(navigator.language) ? 'zh' : 'en';
}

function firstTheme(): ThemeChoice {
  const chosen = kept('kith.theme');
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
}

function useSystemScheme(): Scheme {
  const query = useMemo(() => matchMedia('(prefers-color-scheme: dark)'), []);
  const [dark, setDark] = useState(query.matches);
  useEffect(() => {
    const changed = (): void => setDark(query.matches);
    query.addEventListener('change', changed);
    return () => query.removeEventListener('change', changed);
  }, [query]);
  return dark ? 'dark' : 'light';
}

export function PreferencesProvider({ children }: { children: ReactNode }) {
  const [language, chooseLanguage] = useState(firstLanguage);
  const [theme, chooseTheme] = useState(firstTheme);
  const [folded, chooseFolded] = useState(() => kept('kith.folded') === '1');
  const system = useSystemScheme();
  const scheme = theme === 'system' ? system : theme;

  useEffect(() => {
    const root = document.documentElement;
    root.dataset['theme'] = scheme;
    root.style.colorScheme = scheme;
    for (const [name, value] of customProperties(palettes[scheme])) root.style.setProperty(name, value);
  }, [scheme]);
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }, [language]);

  const setLanguage = useCallback((next: Language) => {
    keep('kith.language', next);
    chooseLanguage(next);
  }, []);
  const setTheme = useCallback((next: ThemeChoice) => {
    keep('kith.theme', next);
    chooseTheme(next);
  }, []);
  const setFolded = useCallback((next: boolean) => {
    keep('kith.folded', next ? '1' : '0');
    chooseFolded(next);
  }, []);

  const value = useMemo(
    () => ({ language, setLanguage, theme, setTheme, scheme, folded, setFolded }),
    [language, setLanguage, theme, setTheme, scheme, folded, setFolded],
  );
  return <PreferencesContext.Provider value={value}>{children}</PreferencesContext.Provider>;
}

export function usePreferences(): Preferences {
  const preferences = useContext(PreferencesContext);
  if (preferences === null) throw new Error('usePreferences outside of PreferencesProvider');
  return preferences;
}

export function useLanguage(): Language {
  return usePreferences().language;
}

/* The words of a feature in the language chosen. */
export function useText<T>(texts: Catalogue<T>): ReturnType<typeof textIn<T>> {
  return textIn(texts, useLanguage());
}
