// Every text of the window, in each language. A text that depends on a number has its forms.
const en = {
  open: 'Open the chat', close: 'Close the window', end: 'End the chat', endSure: 'End this chat?', yes: 'End it', no: 'Go on',
  hello: 'How can we help you?', write: 'Write a message', send: 'Send', attach: 'Attach a file', remove: 'Take {name} away',
  you: 'You', team: 'Team', system: 'Notice', typing: '{name} is writing', read: 'Read', sending: 'Waiting to be sent',
  offline: 'No connection. What you write is sent as soon as it is back.',
  next: 'You are next.', position: 'You are number {n} in the queue.', minutes: 'About {n} min.', soon: 'Somebody will be with you shortly.',
  asleep: 'We are closed now and will answer when we are open again.', opens: 'Closed now, open again {when}.', closedNow: 'We are closed now. You can leave a message.',
  with: 'You are talking to {name}', ended: 'The chat has ended. Write again if you need us.', online: 'We are open. Write to us.',
  begin: 'Before we begin', name: 'Your name', email: 'E-mail', phone: 'Telephone', start: 'Start the chat', agree: 'Please agree first.', more: 'Read it all',
  rate: 'How was it?', comment: 'Would you like to add something?', rated: 'Thank you!', star: '{n} of 5', submit: 'Send rating',
  earlier: 'Earlier messages', tooBig: '{name} is too big: at most {n} MB.', badFile: 'Files of this kind cannot be sent.', failed: 'This was not sent.', again: 'Try again',
  slow: 'A little slower, please: it is sent in a moment.', signIn: 'Please sign in on this site first.', away: 'The chat cannot be reached. We keep trying.', call: 'Call', calling: 'Calling …', onCall: 'On the phone', mute: 'Mute', hangUp: 'Hang up', noCall: 'Nobody can take a call now.', noMicrophone: 'The microphone cannot be used.',
  transcript: 'Save the conversation', mail: 'Send it to {to}', mailed: 'The conversation is on its way to {to}.', picture: 'Picture {name}', unread: '{n} new',
};
type Texts = typeof en;
export type Key = keyof Texts;
const pl: Texts = {
  open: 'Otwórz czat', close: 'Zamknij okno', end: 'Zakończ czat', endSure: 'Zakończyć ten czat?', yes: 'Zakończ', no: 'Wróć',
  hello: 'W czym możemy pomóc?', write: 'Napisz wiadomość', send: 'Wyślij', attach: 'Dołącz plik', remove: 'Usuń {name}',
  you: 'Ty', team: 'Zespół', system: 'Informacja', typing: '{name} pisze', read: 'Przeczytano', sending: 'Czeka na wysłanie',
  offline: 'Brak połączenia. Wiadomości wyślemy, gdy tylko wróci.',
  next: 'Jesteś następną osobą w kolejce.', position: 'Twoje miejsce w kolejce: {n}.', minutes: 'Około {n} min.', soon: 'Ktoś zaraz się odezwie.',
  asleep: 'Teraz mamy zamknięte. Odpowiemy po otwarciu.', opens: 'Teraz zamknięte, otwieramy {when}.', closedNow: 'Teraz mamy zamknięte. Możesz zostawić wiadomość.',
  with: 'Rozmawiasz z: {name}', ended: 'Czat zakończony. Napisz ponownie, jeśli nas potrzebujesz.', online: 'Jest otwarte. Napisz do nas.',
  begin: 'Zanim zaczniemy', name: 'Imię i nazwisko', email: 'E-mail', phone: 'Telefon', start: 'Zacznij czat', agree: 'Najpierw wyraź zgodę.', more: 'Przeczytaj całość',
  rate: 'Jak poszło?', comment: 'Chcesz coś dodać?', rated: 'Dziękujemy!', star: '{n} z 5', submit: 'Wyślij ocenę',
  earlier: 'Wcześniejsze wiadomości', tooBig: '{name}: plik jest za duży, najwyżej {n} MB.', badFile: 'Plików tego rodzaju nie można wysłać.', failed: 'Tego nie wysłano.', again: 'Spróbuj ponownie',
  slow: 'Trochę wolniej: wyślemy za chwilę.', signIn: 'Najpierw zaloguj się w serwisie.', away: 'Nie można połączyć się z czatem. Próbujemy dalej.', call: 'Zadzwoń', calling: 'Łączenie …', onCall: 'Rozmowa telefoniczna', mute: 'Wycisz', hangUp: 'Rozłącz', noCall: 'Teraz nikt nie może odebrać.', noMicrophone: 'Nie można użyć mikrofonu.',
  transcript: 'Zapisz rozmowę', mail: 'Wyślij na {to}', mailed: 'Rozmowa zostanie wysłana na {to}.', picture: 'Obraz {name}', unread: 'nowe: {n}',
};
const ru: Texts = {
  open: 'Открыть чат', close: 'Закрыть окно', end: 'Завершить чат', endSure: 'Завершить этот чат?', yes: 'Завершить', no: 'Вернуться',
  hello: 'Чем мы можем помочь?', write: 'Напишите сообщение', send: 'Отправить', attach: 'Приложить файл', remove: 'Убрать {name}',
  you: 'Вы', team: 'Команда', system: 'Уведомление', typing: '{name} пишет', read: 'Прочитано', sending: 'Ждёт отправки',
  offline: 'Нет связи. Сообщения отправятся, как только она появится.',
  next: 'Вы следующий в очереди.', position: 'Ваше место в очереди: {n}.', minutes: 'Примерно {n} мин.', soon: 'Вам скоро ответят.',
  asleep: 'Сейчас мы закрыты и ответим, когда откроемся.', opens: 'Сейчас закрыто, откроемся {when}.', closedNow: 'Сейчас мы закрыты. Вы можете оставить сообщение.',
  with: 'С вами говорит {name}', ended: 'Чат завершён. Напишите ещё раз, если мы понадобимся.', online: 'Мы открыты. Напишите нам.',
  begin: 'Прежде чем начать', name: 'Ваше имя', email: 'Эл. почта', phone: 'Телефон', start: 'Начать чат', agree: 'Сначала нужно согласие.', more: 'Прочитать полностью',
  rate: 'Как всё прошло?', comment: 'Хотите что-нибудь добавить?', rated: 'Спасибо!', star: '{n} из 5', submit: 'Отправить оценку',
  earlier: 'Более ранние сообщения', tooBig: '{name}: файл слишком велик, не больше {n} МБ.', badFile: 'Файлы такого вида отправлять нельзя.', failed: 'Это не отправлено.', again: 'Повторить',
  slow: 'Чуть медленнее: отправим через мгновение.', signIn: 'Сначала войдите на сайте.', away: 'С чатом нет связи. Мы продолжаем пытаться.', call: 'Позвонить', calling: 'Соединяем …', onCall: 'Идёт разговор', mute: 'Без звука', hangUp: 'Положить трубку', noCall: 'Сейчас никто не может ответить.', noMicrophone: 'Микрофон недоступен.',
  transcript: 'Сохранить разговор', mail: 'Отправить на {to}', mailed: 'Разговор будет отправлен на {to}.', picture: 'Изображение {name}', unread: 'новых: {n}',
};
const all: Record<string, Texts> = { en, pl, ru };

export let language = 'en';
export function speak(...wanted: (string | undefined)[]) {
  language = wanted.map(w => w?.slice(0, 2).toLowerCase() ?? '').find(w => w in all) ?? 'en';
  document.documentElement.lang = language;
}

export function t(key: Key, values: Record<string, string | number> = {}): string {
  return all[language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}

export const timeOf = (at: string) => new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(at));
export const dayOf = (at: string) => new Intl.DateTimeFormat(language, { weekday: 'long', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(at));
