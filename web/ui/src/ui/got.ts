// What is asked of the server once, not kept up to date.
import { useCallback, useEffect, useState } from 'preact/hooks';
import { call, Refused } from '../api';

export interface Got<T> {
  value?: T;
  error?: Refused;
  busy: boolean;
  again: () => void;
}

/** Asks for an address, and anew when it is another one; undefined: for nothing. What was answered before stays until then. */
export function useGot<T>(path: string | undefined): Got<T> {
  const [state, setState] = useState<{ path?: string; value?: T; error?: Refused; busy: boolean }>({ busy: path !== undefined });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === undefined) return;
    let current = true;
    setState(s => ({ ...s, busy: true }));
    call<T>('GET', path).then(
      value => { if (current) setState({ path, value, busy: false }); },
      (e: unknown) => {
        if (!(e instanceof Refused)) throw e;
        if (current) setState({ path, error: e, busy: false });
      },
    );
    return () => { current = false; };
  }, [path, turn]);
  const again = useCallback(() => setTurn(n => n + 1), []);
  return { value: state.value, error: state.error, busy: state.busy, again };
}

/** The address of a question, without what is not asked. */
export function query(path: string, values: Record<string, string | number | boolean | undefined>): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(values)) if (v !== undefined && v !== '' && v !== false) q.set(k, String(v));
  const text = q.toString();
  return text === '' ? path : `${path}?${text}`;
}
