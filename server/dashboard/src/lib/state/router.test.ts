// Checks what the router keeps of an address, and whose address it changes.
import { beforeEach, describe, expect, it, vi } from 'vitest';

/** A browser's address bar, as far as the router knows it. */
const bar = { pathname: '/', search: '', origin: 'http://tirta' };
const at = (_state: unknown, _title: string, href: string): void => {
  const url = new URL(href, bar.origin);
  [bar.pathname, bar.search] = [url.pathname, url.search];
};
vi.stubGlobal('location', bar);
vi.stubGlobal('history', { state: null, pushState: at, replaceState: at, back: () => undefined });
vi.stubGlobal('addEventListener', () => undefined);
vi.stubGlobal('scrollTo', () => undefined);
vi.stubGlobal('document', { getElementById: () => null });

const { router } = await import('./router.svelte');

describe('the router', () => {
  beforeEach(() => router.go('/'));

  it('leads back to a list as it was narrowed', () => {
    expect(router.back('/devices')).toBe('/devices');
    router.go('/devices?location=Kolam+2');
    router.setQuery('show', 'offline');
    router.go('/devices/pi-1?range=7d');
    expect(router.back('/devices')).toBe('/devices?location=Kolam+2&show=offline');
    expect(router.back('/alerts')).toBe('/alerts');
    router.go('/devices');
    expect(router.back('/devices'), 'the last time counts').toBe('/devices');
  });

  it('keeps an answer that comes late out of another page’s address', () => {
    router.go('/map');
    router.go('/alerts?state=open');
    router.setQuery('device', 'pi-1', '/map');
    expect(bar.search).toBe('?state=open');
    expect(router.query('device')).toBeNull();
    router.setQuery('q', 'pompa', '/alerts');
    expect(router.query('q')).toBe('pompa');
  });
});
