/* SPDX-License-Identifier: Apache-2.0 */
/* Tour: a minute for who is here for the first time. It asks first, covers nothing that is needed, goes by arrow keys and ends by Escape; it
 * can be begun again from the account menu. */
import { Button } from 'antd';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useLocation } from 'react-router';
import { keep, kept, useText } from '@/app/preferences';
import { cardPlace, onTour, steps, tourKept, tourTexts } from './tour';
import './help.css';

type Step = (typeof steps)[number];

function placeOf(step: Step): HTMLElement | null {
  const element = document.querySelector<HTMLElement>(step.place);
  return element !== null && element.offsetParent !== null ? element : null;
}

export function Tour() {
  const t = useText(tourTexts);
  const [isAsked, setAsked] = useState(() => kept(tourKept) === null);
  const { pathname } = useLocation();
  const [shown, setShown] = useState<readonly Step[] | null>(null);
  const begin = useCallback(() => {
    setAsked(false);
    setShown(steps.filter((step) => placeOf(step) !== null));
  }, []);
  const end = useCallback(() => {
    keep(tourKept, 'done');
    setAsked(false);
    setShown(null);
  }, []);
  useEffect(() => onTour(begin), [begin]);
  if (shown !== null && shown.length > 0) return <Running shown={shown} onEnd={end} />;
  /* where one lands; who has begun to work is not in the way of it */
  if (!isAsked || pathname !== '/') return null;
  return (
    <aside className="tour-card tour-invite" aria-label={t.label}>
      <h2>{t.invite}</h2>
      <p>{t.inviteText}</p>
      <div className="row"><Button type="primary" size="small" onClick={begin}>{t.begin}</Button><Button size="small" type="text" onClick={end}>{t.no}</Button></div>
    </aside>
  );
}

function Running({ shown, onEnd }: { shown: readonly Step[]; onEnd: () => void }) {
  const t = useText(tourTexts);
  const [at, setAt] = useState(0);
  const card = useRef<HTMLDivElement>(null);
  const [box, setBox] = useState<DOMRect | null>(null);
  const [place, setPlace] = useState({ left: -999, top: 0 });
  const step = shown[at];
  const isLast = at === shown.length - 1;
  const go = useCallback((by: number) => setAt((now) => Math.max(0, Math.min(shown.length - 1, now + by))), [shown.length]);
  useLayoutEffect(() => {
    const measure = (): void => {
      const element = step === undefined ? null : placeOf(step);
      if (element === null || card.current === null) return;
      element.scrollIntoView({ block: 'nearest' });
      const next = element.getBoundingClientRect();
      setBox(next);
      setPlace(cardPlace(next, card.current.getBoundingClientRect(), { width: innerWidth, height: innerHeight }));
    };
    measure();
    card.current?.focus();
    addEventListener('resize', measure);
    return () => removeEventListener('resize', measure);
  }, [step, t]);
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') onEnd();
      else if (event.key === 'ArrowRight') go(1);
      else if (event.key === 'ArrowLeft') go(-1);
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [go, onEnd]);
  if (step === undefined) return null;
  const { title, text } = t.steps[step.key];
  return (
    <>
      {box !== null && <div className="tour-ring" aria-hidden="true" style={{ left: box.left - 4, top: box.top - 4, width: box.width + 8, height: box.height + 8 }} />}
      <div ref={card} className="tour-card" role="dialog" aria-label={`${t.label} · ${title}`} tabIndex={-1} style={place}>
        <h2>{title}</h2>
        <p>{text}</p>
        <div className="row between">
          <span className="faint small tabular">{t.at(at + 1, shown.length)}</span>
          <span className="row" style={{ gap: 4 }}>
            {!isLast && <Button size="small" type="text" onClick={onEnd}>{t.skip}</Button>}
            {at > 0 && <Button size="small" onClick={() => go(-1)}>{t.back}</Button>}
            <Button size="small" type="primary" onClick={() => (isLast ? onEnd() : go(1))}>{isLast ? t.done : t.next}</Button>
          </span>
        </div>
      </div>
    </>
  );
}
