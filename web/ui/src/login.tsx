import { useState } from 'preact/hooks';
import { languages, language } from './prefs';
import { speak, t, tWord } from './i18n';
import { choosePassword, expired, linkUsed, me, signIn, signOut } from './session';
import { refusal } from './ui/toast';

/** Sends what is in a form's fields, by their names, at that moment: who fills them in may be a program
    that sends the form in the same breath. What the server refuses is shown in it. */
function useForm(send: (field: (name: string) => string) => Promise<void>) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState('');
  const onSubmit = async (e: preact.TargetedEvent<HTMLFormElement>) => {
    e.preventDefault();
    const fields = new FormData(e.currentTarget);
    setBusy(true);
    setWrong('');
    try {
      await send(name => String(fields.get(name) ?? ''));
    } catch (e) {
      setWrong(refusal(e));
    } finally {
      setBusy(false);
    }
  };
  return { busy, wrong, setWrong, onSubmit };
}

function Page({ title, children, hint }: { title: string; children: preact.ComponentChildren; hint?: string }) {
  return (
    <main class="login">
      <div class="brand"><Brand />{t('product')}</div>
      <section class="card">
        <h1>{title}</h1>
        {hint && <p class="hint">{hint}</p>}
        {children}
      </section>
      <p class="languages">
        {languages.map(l => (
          <button key={l} class="quiet" lang={l} aria-pressed={language.value === l} onClick={() => void speak(l)}>{tWord('language', l)}</button>
        ))}
      </p>
    </main>
  );
}

export function Brand() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <circle cx="8" cy="16" r="4.6" /><circle cx="24" cy="7.500" r="3.400" /><circle cx="24" cy="24.500" r="3.400" />
      <path d="M12 13.700 20.900 9M12 18.300l8.900 4.700" />
    </svg>
  );
}

export function Login() {
  const f = useForm(field => signIn(field('username').trim(), field('password')));
  return (
    <Page title={t('login.title')} hint={expired.value ? t('login.expired') : linkUsed.value ? t('login.link-used') : undefined}>
      <form onSubmit={f.onSubmit}>
        <label>{t('login.name')}
          <input name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus />
        </label>
        <label>{t('login.password')}
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <p class="wrong" role="alert">{f.wrong}</p>
        <button class="main wide" disabled={f.busy}>{t('login.enter')}</button>
      </form>
    </Page>
  );
}

export function ChoosePassword() {
  const f = useForm(async field => {
    if (field('new') !== field('again')) f.setWrong(t('login.differ'));
    else await choosePassword(field('new'));
  });
  return (
    <Page title={t('login.choose')} hint={t('login.choose.why', { user: me.value!.user })}>
      <form onSubmit={f.onSubmit}>
        <input type="text" name="username" autocomplete="username" value={me.value!.user} readOnly hidden />
        <label>{t('login.new')}
          <input name="new" type="password" autocomplete="new-password" minLength={10} maxLength={200} required autofocus />
        </label>
        <label>{t('login.again')}
          <input name="again" type="password" autocomplete="new-password" required />
        </label>
        <p class="wrong" role="alert">{f.wrong}</p>
        <button class="main wide" disabled={f.busy}>{t('login.save')}</button>
        <button type="button" class="quiet wide" onClick={() => signOut().catch((e: unknown) => f.setWrong(refusal(e)))}>{t('sign-out')}</button>
      </form>
    </Page>
  );
}
