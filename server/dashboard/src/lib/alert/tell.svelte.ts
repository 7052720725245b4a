// Owns how this browser tells of alerts: toast always, sound and system notification as `heard` says.
import type { Alert, News } from '$lib/api/alert-types';
import { serverNow } from '$lib/format/server-clock';
import { i18n } from '$lib/i18n/index.svelte';
import { paths } from '$lib/state/route';
import { router } from '$lib/state/router.svelte';
import { toasts } from '$lib/state/toasts.svelte';
import { heard } from './heard.svelte';
import { begins, loudness, Told, type Loudness, type Missed } from './news';
import { play } from './sound';

/** What is told: of one alert, or of several at once. */
interface Word {
  key: string;
  text: News['text'];
  alert: Alert | null | undefined;
}

class Tell {
  #told = new Told();
  /** Told of when catching up, as they stood then: the event about the same may be on its way still. */
  #caught = new Map<number, number>();

  take(news: News): void {
    if (!this.#told.first(news.key)) return;
    const { alert } = news;
    if (alert && begins(news) && alert.changed_at <= (this.#caught.get(alert.id) ?? -1)) return;
    // Somebody is at it, or it is over: what stands on the screen of it is no longer true.
    if (alert) toasts.dismissGroup(groupOf(alert.id));
    const loud = loudness(news, serverNow());
    if (loud === 'silent') return;
    this.#toast(news, loud);
    if (loud === 'calm') return;
    if (heard.sounds(loud)) play(loud);
    if (heard.notifies(loud)) this.#notification(news);
  }

  /** What began while nothing was heard is told now; what is over or seen to leaves the screen. */
  caughtUp({ begun, over }: Missed): void {
    for (const id of over) toasts.dismissGroup(groupOf(id));
    this.#caught = new Map(begun.map(({ id, changed_at }) => [id, changed_at]));
    for (const alert of begun) {
      const word = { key: groupOf(alert.id), text: alert.text, alert };
      this.#toast(word, 'critical');
      if (heard.notifies('critical')) this.#notification(word);
    }
    // However many there are, it sounds once.
    if (begun.length > 0 && heard.sounds('critical')) play('critical');
  }

  #toast(news: Word, loud: Loudness): void {
    const text = news.text[i18n.language];
    const href = news.alert ? paths.alert(news.alert.id) : paths.alerts();
    toasts.show({
      text,
      tone: ({ calm: 'ok', warning: 'warn', critical: 'bad', silent: 'ok' } as const)[loud],
      group: news.alert ? groupOf(news.alert.id) : news.key,
      stays: loud === 'critical',
      alert: true,
      action: { label: i18n.t.alerts.show, run: () => router.go(href) },
    });
  }

  #notification(news: Word): void {
    const { alert } = news;
    if (!alert) return;
    const title = i18n.t.alerts.severity[alert.severity];
    // Two tabs of the same browser show one: the tag is the same.
    const options = { body: news.text[i18n.language], tag: news.key, icon: '/favicon.svg' };
    try {
      const shown = new Notification(title, options);
      shown.onclick = () => {
        focus();
        router.go(paths.alert(alert.id));
        shown.close();
      };
    } catch {
      // Phones know notifications of a service worker only, which opens what they are about.
      const data = { path: paths.alert(alert.id) };
      void navigator.serviceWorker
        ?.getRegistration()
        .then((worker) => worker?.showNotification(title, { ...options, data }));
    }
  }
}

const groupOf = (id: number): string => `alert-${id}`;
export const tell = new Tell();
