// Owns how this browser tells of alerts: toast always, sound and system notification as `heard` says.
import type { Alert, News } from '$lib/api/alert-types';
import { serverNow } from '$lib/format/server-clock';
import { i18n } from '$lib/i18n/index.svelte';
import { paths } from '$lib/state/route';
import { router } from '$lib/state/router.svelte';
import { toasts } from '$lib/state/toasts.svelte';
import { heard } from './heard.svelte';
import { loudness, Told, type Loudness } from './news';
import { play } from './sound';

class Tell {
  #told = new Told();

  take(news: News): void {
    if (!this.#told.first(news.key)) return;
    const { alert } = news;
    // Somebody is at it, or it is over: what stands on the screen of it is no longer true.
    if (alert) toasts.dismissGroup(groupOf(alert));
    const loud = loudness(news, serverNow());
    if (loud === 'silent') return;
    this.#toast(news, loud);
    if (loud === 'calm') return;
    if (heard.sounds(loud)) play(loud);
    if (heard.notifies(loud)) this.#notification(news);
  }

  #toast(news: News, loud: Loudness): void {
    const text = news.text[i18n.language];
    const href = news.alert ? paths.alert(news.alert.id) : paths.alerts();
    toasts.show({
      text,
      tone: ({ calm: 'ok', warning: 'warn', critical: 'bad', silent: 'ok' } as const)[loud],
      group: news.alert ? groupOf(news.alert) : news.key,
      stays: loud === 'critical',
      alert: true,
      action: { label: i18n.t.alerts.show, run: () => router.go(href) },
    });
  }

  #notification(news: News): void {
    const { alert } = news;
    if (!alert) return;
    try {
      // Two tabs of the same browser show one: the tag is the same.
      const shown = new Notification(i18n.t.alerts.severity[alert.severity], {
        body: news.text[i18n.language],
        tag: news.key,
        icon: '/favicon.svg',
      });
      shown.onclick = () => {
        focus();
        router.go(paths.alert(alert.id));
        shown.close();
      };
    } catch {
      // Some phones know notifications of a service worker only: the toast is there all the same.
    }
  }
}

const groupOf = ({ id }: Alert): string => `alert-${id}`;
export const tell = new Tell();
