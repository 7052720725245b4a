// Owns whether an alert is heard here: what the person wants, as the profile says, and what this browser allows.
import type { Severity } from '$lib/api/alert-types';
import type { Notifications } from '$lib/api/types';
import { isHeard } from './quiet';
import { play, wakeAtTouch, wakeSound } from './sound';

export type Permission = NotificationPermission | 'unsupported';

/** Until the profile has come nothing is heard. */
const NOTHING: Notifications = { severities: [], sound: false, browser: false, quiet: null };

const permission = (): Permission => ('Notification' in globalThis ? Notification.permission : 'unsupported');

class Heard {
  #wanted = $state.raw<Notifications>(NOTHING);
  #permission = $state(permission());

  follow(wanted: Notifications): void {
    // After a reload the first touch anywhere lets the page sound again.
    if (wanted.sound && !this.#wanted.sound) wakeAtTouch();
    this.#wanted = wanted;
  }

  forget(): void {
    this.#wanted = NOTHING;
  }

  get permission(): Permission {
    return this.#permission;
  }

  /** Asks the browser, which asks the person: only ever upon a press of a button. True if it may. */
  async allow(): Promise<boolean> {
    if (this.#permission === 'unsupported') return false;
    this.#permission = await Notification.requestPermission();
    return this.#permission === 'granted';
  }

  /** To be called within a touch, which is what lets the page sound. */
  try(): void {
    wakeSound();
    // The first sound of a page has to wait until the browser has woken its output.
    setTimeout(() => play('warning'), 60);
  }

  sounds(severity: Severity): boolean {
    return this.#wanted.sound && isHeard(this.#wanted, severity, new Date());
  }

  notifies(severity: Severity): boolean {
    const may = this.#wanted.browser && this.#permission === 'granted';
    return may && isHeard(this.#wanted, severity, new Date());
  }
}

export const heard = new Heard();
