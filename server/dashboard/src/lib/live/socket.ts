// Owns one WebSocket to the server: opens it, opens it again after a loss, and reads its events.
// Knows nothing of what the events mean; whoever listens fetches everything after each opening.
import type { LiveEvent } from '$lib/api/types';
import { backoff } from './backoff';

export interface Listener {
  opened(): void;
  /** The next attempt waits for it: a session may have to be looked at first. */
  closed(): Promise<void>;
  event(event: LiveEvent): void;
}

/** A connection that has not opened by then is given up. */
const OPEN_WITHIN_MS = 10_000;

/** All that there are: one that is missing here does not compile. */
const KINDS: Readonly<Record<LiveEvent['type'], true>> = {
  readings: true,
  device: true,
  waiting: true,
  signups: true,
  calibration: true,
  alert: true,
  missed: true,
};

export class LiveSocket {
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #wanted = false;

  constructor(
    private readonly url: string,
    private readonly listener: Listener,
  ) {}

  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    addEventListener('online', this.retry);
    addEventListener('offline', this.drop);
    this.#open();
  }

  stop(): void {
    this.#wanted = false;
    removeEventListener('online', this.retry);
    removeEventListener('offline', this.drop);
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  /** Tries at once instead of waiting. */
  retry = (): void => {
    if (!this.#wanted || this.#socket) return;
    clearTimeout(this.#timer);
    this.#open();
  };

  /** Gives up a connection that is no longer believed in: by itself it would notice only minutes later. */
  drop = (): void => {
    if (this.#socket) this.#lost(this.#socket);
  };

  #open(): void {
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    const late = setTimeout(() => this.#lost(socket), OPEN_WITHIN_MS);
    socket.onopen = () => {
      clearTimeout(late);
      this.#attempt = 0;
      this.listener.opened();
    };
    socket.onmessage = (message) => {
      const event = parseEvent(message.data);
      if (event && socket === this.#socket) this.listener.event(event);
    };
    socket.onclose = () => {
      clearTimeout(late);
      this.#lost(socket);
    };
  }

  #lost(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    socket.close();
    const looked = this.listener.closed();
    this.#timer = setTimeout(async () => {
      await looked;
      this.retry();
    }, backoff(this.#attempt++));
  }
}

/** Reads an event; one of a newer server, or nonsense, is left out. */
export function parseEvent(data: unknown): LiveEvent | null {
  if (typeof data !== 'string') return null;
  try {
    const event = JSON.parse(data) as LiveEvent;
    return Object.hasOwn(KINDS, event.type) ? event : null;
  } catch {
    return null;
  }
}
