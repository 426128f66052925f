import { t } from '../i18n';
import { write, type CallDraft } from './draft';

/** A note about a call. It is kept as it is typed. */
export function NoteField({ draft }: { draft?: CallDraft }) {
  if (!draft) return null;
  return (
    <label class="note">{t('note.title')}
      <textarea rows={2} maxLength={2000} value={draft.text} onInput={e => write(draft, { text: e.currentTarget.value })} />
    </label>
  );
}
