// The feed of all tabs of this browser.
import { Feed, type Told, type Wish } from './feed';

const feed = new Feed();

/** A tab says what it wishes for; refresh: that it has just sent a command; bye: that it goes. */
export interface Word { wish?: Wish; refresh?: boolean; bye?: boolean }

addEventListener('connect', e => {
  const port = (e as MessageEvent).ports[0]!;
  port.onmessage = ({ data }: MessageEvent<Word>) => {
    if (data.bye) feed.leave(port);
    if (data.wish) feed.wish(port, data.wish, (t: Told) => port.postMessage(t));
    if (data.refresh) feed.refresh();
  };
});
