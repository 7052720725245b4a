// Owns one guided calibration as the device tells it: the last view, the trace of its signal, and whether
// another one runs on the same device. It knows no screen; orders go through the API, never from here.
import type { CalibrationView, LiveEvent, Series } from '$lib/api/types';
import { serverNow } from '$lib/format/server-clock';
import type { Follower } from '$lib/live/connection.svelte';
import { EMPTY_TRACE, isOver, traced } from './view';

/** Views come about once a second: after this silence another session no longer runs. */
const OTHER_MS = 5_000;

export class GuidedSession implements Follower {
  view = $state.raw<CalibrationView | null>(null);
  trace = $state.raw<Series>(EMPTY_TRACE);
  /** When the device last said something of this session, or when we began to listen. */
  heardAt = $state(serverNow());
  #id = $state<string | null>(null);
  #other = $state.raw<{ view: CalibrationView; at: number } | null>(null);
  /** Sessions of this page that are over: their last words may come late. */
  #former = new Set<string>();

  constructor(private readonly device: string) {}

  get id(): string | null {
    return this.#id;
  }

  /** Listens to this session from now on; null: to none. */
  listen(id: string | null): void {
    if (id === this.#id) return;
    if (this.#id) this.#former.add(this.#id);
    this.#id = id;
    this.view = null;
    this.trace = EMPTY_TRACE;
    this.heardAt = serverNow();
    if (this.#other?.view.session === id) this.#other = null;
  }

  /** Another session that runs on the device now. */
  otherAt(now: number): CalibrationView | null {
    return this.#other && now - this.#other.at < OTHER_MS ? this.#other.view : null;
  }

  /** A device runs one session: one that is heard after ours has ended it. */
  get replaced(): boolean {
    return this.#other !== null && this.view !== null;
  }

  async refresh(): Promise<void> {
    // A view can't be fetched: the next one comes within a second.
  }

  apply(events: readonly LiveEvent[]): void {
    const at = serverNow();
    for (const event of events) {
      if (event.type !== 'calibration' || event.device !== this.device) continue;
      const { view } = event;
      if (view.session === this.#id) {
        this.view = view;
        this.heardAt = at;
        this.#other = null; // it was before ours
        if (view.live) this.trace = traced(this.trace, view.live.millivolts, at);
      } else if (isOver(view)) {
        if (this.#other?.view.session === view.session) this.#other = null;
      } else if (!this.#former.has(view.session)) {
        this.#other = { view, at };
      }
    }
  }
}
