// Chats on the desk, loaded for those who serve a channel.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Agent } from '../api';

const loaded = signal<typeof import('./chats') | undefined>(undefined);

export function ChatPart({ agent }: { agent: Agent }) {
  const serves = agent.groups.some(g => g.startsWith('channel:'));
  useEffect(() => { if (serves && !loaded.value) void import('./chats').then(m => { loaded.value = m; }, () => undefined); }, [serves]);
  const part = loaded.value;
  return serves && part ? <part.Chats agent={agent} /> : null;
}
