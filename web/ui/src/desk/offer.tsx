import { useEffect, useRef } from 'preact/hooks';
import type { DeskCall } from '../api';
import { until } from '../clock';
import { decline } from '../commands';
import { t } from '../i18n';
import { useLive } from '../live';
import { callerOf } from '../notify';
import { answer, answerExpected, phone } from '../phone/station';
import { useShortcuts } from '../shortcuts';
import { Icon } from '../ui/icon';
import { Elapsed, Left } from '../ui/time';

/** The call that is being offered, over whatever screen is shown. */
export function OfferCard() {
  const desk = useLive('desk');
  const offers = desk?.calls.filter(c => c.kind === 'call' && c.offer_until) ?? [];
  const group = (c: DeskCall) => desk?.groups.find(g => g.id === c.group)?.name ?? c.group ?? '';
  const rings = (c: DeskCall) => c.offers.some(o => o.agent === desk?.agent?.id && o.ringing);
  return <div class="offers">{offers.map(c => <Offered key={c.id} call={c} group={group(c)} rings={rings(c)} />)}</div>;
}

/** The time that is left is told once the phone rings: until then it is of no use to who is waiting for that. */
function Offered({ call, group, rings }: { call: DeskCall; group: string; rings: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const whole = useRef(1);
  useEffect(() => {
    const before = document.activeElement;
    box.current!.focus();
    // The focus goes back where it was, unless it has been taken elsewhere meanwhile.
    return () => {
      if ((document.activeElement === document.body || box.current?.contains(document.activeElement)) && before instanceof HTMLElement) before.focus();
    };
  }, []);
  const left = rings ? until(call.offer_until) : undefined;
  whole.current = Math.max(whole.current, left ?? 0);
  const rung = phone.value.call?.state; // in this browser
  useEffect(() => answerExpected(call.id), [rung]);
  useShortcuts({ 'hang-up': () => void decline(call.id), ...(rung === 'rings' && { answer }) });
  const ringing = call.consulted ? t('offer.consult', { who: call.agent ?? '' }) : t('offer.title');
  let what = phone.value.where === 'here' ? '' : t('offer.pick-up');
  if (rung) what = rung === 'rings' ? '' : t('offer.answering');
  else if (!rings) what = t('offer.calling');
  return (
    <div ref={box} class="offer tone-ringing" role="alertdialog" aria-labelledby={`who-${call.id}`} aria-describedby={`what-${call.id}`} tabIndex={-1}>
      <p class="label"><Icon name="bell" />{ringing}</p>
      <p class="name" id={`who-${call.id}`}>{callerOf(call)}</p>
      {call.from.name && <p class="number digits">{call.from.number}</p>}
      <p class="hint" id={`what-${call.id}`}>{group && <strong>{group}</strong>} {what}</p>
      <div class="offer-times">
        <span>{t('offer.waited')} <Elapsed from={call.arrived} /></span>
        {rings && <span>{t('offer.left')} <Left to={call.offer_until} /></span>}
      </div>
      <progress max={whole.current} value={left} aria-label={t(rings ? 'offer.left' : 'offer.calling')} />
      <div class="buttons">
        {rung && <button class="main" disabled={rung !== 'rings'} onClick={answer}><Icon name="phone" />{t('offer.accept')}</button>}
        <button class="end" onClick={() => void decline(call.id)}><Icon name="hangup" />{t('offer.decline')}</button>
      </div>
    </div>
  );
}
