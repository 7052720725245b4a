// Owns the address bar: the current route, its query, and links that don't reload the page.
import { moved, parseRoute, paths, type Route } from './route';

/** Asks before the page is left: calls `leave` if and when it may be. */
type Guard = (leave: () => void) => void;

/** Lists whose search and filter a way back leads to. */
const KEPT: readonly string[] = [paths.alerts(), paths.fleet];

class Router {
  #path = $state(location.pathname);
  #query = $state(location.search);
  #guard: Guard | null = null;
  #last = new Map<string, string>();

  constructor() {
    this.#read();
    addEventListener('popstate', () => this.#popped());
    addEventListener('click', (event) => this.#follow(event));
  }

  get path(): string {
    return this.#path;
  }

  get route(): Route {
    return parseRoute(this.#path);
  }

  query(name: string): string | null {
    return new URLSearchParams(this.#query).get(name);
  }

  /** The address of a list as it was narrowed when it was last seen: a way back takes nothing away. */
  back(list: string): string {
    return list + (this.#last.get(list) ?? '');
  }

  /** Guards the present page until the returned function is called. */
  guard(guard: Guard): () => void {
    this.#guard = guard;
    return () => {
      if (this.#guard === guard) this.#guard = null;
    };
  }

  go(href: string): void {
    if (this.#asked(() => this.go(href))) return;
    history.pushState(null, '', href);
    this.#read();
    scrollTo(0, 0);
    // A screen reader hears the new page from its top.
    document.getElementById('content')?.focus({ preventScroll: true });
  }

  /** Another address in the place of this one: no step back leads here. */
  replace(href: string): void {
    history.replaceState(null, '', href);
    this.#read();
  }

  /**
   * Keeps a choice such as a filter in the address without a step in the history. What comes later than a press, as an answer
   * of the server or an undo, says which path it is meant for: on another page it is nobody's any more.
   */
  setQuery(name: string, value: string | null, of = this.#path): void {
    if (of !== location.pathname) return;
    const query = new URLSearchParams(location.search);
    if (value) query.set(name, value);
    else query.delete(name);
    const text = query.toString();
    history.replaceState(history.state, '', location.pathname + (text ? `?${text}` : ''));
    this.#note();
  }

  /** The back button has changed the address already: it is put back until the person has answered. */
  #popped(): void {
    const here = this.#path + this.#query;
    if (this.#guard && location.pathname !== this.#path) {
      history.pushState(null, '', here);
      this.#asked(() => history.back());
    } else this.#read();
  }

  /** Whether a guard stands before it; then it happens once the guard lets go. */
  #asked(then: () => void): boolean {
    const guard = this.#guard;
    guard?.(() => {
      this.#guard = null;
      then();
    });
    return guard !== null;
  }

  #read(): void {
    const now = moved(location.pathname, location.search);
    if (now) history.replaceState(history.state, '', now);
    this.#path = location.pathname;
    this.#note();
  }

  #note(): void {
    this.#query = location.search;
    if (KEPT.includes(location.pathname)) this.#last.set(location.pathname, location.search);
  }

  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.origin !== location.origin || link.target || link.hasAttribute('download')) return;
    if (link.hash) return; // the skip link stays the browser's
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

export const router = new Router();
