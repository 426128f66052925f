import { useEffect } from 'preact/hooks';
import { ChatPart } from '../chat/part';
import { t } from '../i18n';
import { useLive } from '../live';
import { Calls, farEnd } from './call';
import { follow } from './draft';
import { MissedCalls, MyDay } from './mine';
import { MyState } from './state';
import { Groups, Parked, Waiting } from './side';
import { WrapUp } from './wrapup';

export function DeskScreen() {
  const desk = useLive('desk');
  useEffect(() => { if (desk?.agent) follow(desk, c => farEnd(c, desk.agent!)); }, [desk]);
  if (!desk) return <main class="desk" aria-busy="true" aria-label={t('nav.desk')} />;
  const agent = desk.agent;
  if (!agent) return <main class="desk"><h1 class="unseen">{t('nav.desk')}</h1><p class="card empty">{t('desk.no-agent')}</p></main>;
  return (
    <main class="desk">
      <h1 class="unseen">{t('nav.desk')}</h1>
      <div class="column now">
        <MyState agent={agent} desk={desk} />
        <Calls agent={agent} desk={desk} />
        <WrapUp agent={agent} desk={desk} />
      </div>
      <ChatPart agent={agent} />
      <MyDay desk={desk} />
      <div class="column side">
        <Groups agent={agent} groups={desk.groups} />
        <Parked calls={desk.parked} />
        <Waiting calls={desk.waiting} groups={desk.groups} />
        <MissedCalls agent={agent} desk={desk} />
      </div>
    </main>
  );
}
