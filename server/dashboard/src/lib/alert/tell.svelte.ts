// Owns how this browser tells of alerts: toast always, sound and system notification as the person chose.
import type { Alert, News } from '$lib/api/alert-types';
import { serverNow } from '$lib/format/server-clock';
import { i18n } from '$lib/i18n/index.svelte';
import { paths } from '$lib/state/route';
import { router } from '$lib/state/router.svelte';
import { stored } from '$lib/state/stored';
import { toasts } from '$lib/state/toasts.svelte';
import { loudness, Told, type Loudness } from './news';
import { play, wakeSound } from './sound';

const ON_OFF = ['on', 'off'] as const;
export type Permission = NotificationPermission | 'unsupported';

const permission = (): Permission => ('Notification' in globalThis ? Notification.permission : 'unsupported');

class Tell {
  #sound = $state(stored.read('sound', ON_OFF) === 'on');
  #notify = $state(stored.read('notify', ON_OFF) === 'on');
  #permission = $state(permission());
  #told = new Told();

  constructor() {
    // After a reload the first touch anywhere lets the page sound again.
    if (this.#sound) addEventListener('pointerdown', wakeSound, { once: true });
  }

  get sound(): boolean {
    return this.#sound;
  }

  /** To be set by a touch, which is what lets the page sound. */
  set sound(on: boolean) {
    this.#sound = on;
    stored.write('sound', on ? 'on' : 'off');
    if (on) this.try();
  }

  try(): void {
    wakeSound();
    // The first sound of a page has to wait until the browser has woken its output.
    setTimeout(() => play('warning'), 60);
  }

  get notify(): boolean {
    return this.#notify && this.#permission === 'granted';
  }

  get permission(): Permission {
    return this.#permission;
  }

  /** Asks the browser, which asks the person: only ever upon a press of the button. */
  async allow(): Promise<void> {
    if (this.#permission === 'unsupported') return;
    this.#permission = await Notification.requestPermission();
    this.setNotify(this.#permission === 'granted');
  }

  setNotify(on: boolean): void {
    this.#notify = on;
    stored.write('notify', on ? 'on' : 'off');
  }

  take(news: News): void {
    if (!this.#told.first(news.key)) return;
    const { alert } = news;
    // Somebody is at it, or it is over: what stands on the screen of it is no longer true.
    if (alert) toasts.dismissGroup(groupOf(alert));
    const loud = loudness(news, serverNow());
    if (loud === 'silent') return;
    this.#toast(news, loud);
    if (loud === 'calm') return;
    if (this.#sound) play(loud);
    if (this.notify) this.#notification(news);
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
