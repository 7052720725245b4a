// What holds for the short messages: news takes no undo away, and undo undoes.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { toasts } from './toasts.svelte';

const news = (n: number) => ({
  text: `news ${n}`,
  tone: 'warn' as const,
  alert: true,
  action: { label: 'Show', run: vi.fn() },
});

describe('toasts', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    toasts.clear();
  });

  it('take back what was done last, however much is told since', () => {
    const run = vi.fn();
    toasts.show({ text: 'acknowledged', tone: 'ok', action: { label: 'Undo', run } });
    const told = [1, 2, 3, 4].map(news);
    for (const each of told) toasts.show(each);
    expect(toasts.list.map(({ text }) => text)).toEqual(['acknowledged', 'news 2', 'news 3', 'news 4']);
    toasts.undo();
    expect(run).toHaveBeenCalledOnce();
    for (const { action } of told) expect(action.run).not.toHaveBeenCalled();
    toasts.undo();
    expect(run).toHaveBeenCalledOnce();
  });

  it('are gone with the person they were for', () => {
    toasts.show({ text: 'critical', tone: 'bad', alert: true, stays: true });
    toasts.show(news(1));
    toasts.clear();
    expect(toasts.list).toEqual([]);
  });
});
