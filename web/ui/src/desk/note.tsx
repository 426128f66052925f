import { t } from '../i18n';
import { draftOf, write } from './draft';

/** A note about a call. It is kept as it is typed. */
export function NoteField({ id }: { id: string }) {
  const draft = draftOf(id);
  if (!draft) return null;
  return (
    <label class="note">{t('note.title')}
      <textarea rows={2} maxLength={2000} value={draft.text} onInput={e => write(id, { text: e.currentTarget.value })} />
    </label>
  );
}
