// Checks what a list that comes page by page keeps when it is fetched anew, and which answer counts.
import { expect, it, vi } from 'vitest';
import { Paged } from './paged.svelte';

/** Numbers from `newest` down to 1, as the server gives them. */
function numbers(newest: () => number): Paged<number> {
  return new Paged(async (limit, before) => {
    const from = Math.min(newest(), (before ?? Number.POSITIVE_INFINITY) - 1);
    const items = Array.from({ length: Math.min(limit, from) }, (_, i) => from - i);
    return { items, next: from > limit ? (items.at(-1) ?? null) : null };
  }, 2);
}

it('goes on where it ended, until there is no more', async () => {
  const list = numbers(() => 3);
  expect(list.items).toBeNull();
  await list.refresh();
  expect([list.items, list.hasMore]).toEqual([[3, 2], true]);
  await list.older();
  expect([list.items, list.hasMore]).toEqual([[3, 2, 1], false]);
});

it('keeps as many as were fetched when it is fetched anew', async () => {
  let newest = 5;
  const list = numbers(() => newest);
  await list.refresh();
  await list.older();
  newest = 6;
  await list.refresh();
  expect(list.items).toEqual([6, 5, 4, 3]);
});

it('believes the answer to the last question only', async () => {
  const answers: ((items: string[]) => void)[] = [];
  const list = new Paged<string>(
    () => new Promise((resolve) => answers.push((items) => resolve({ items, next: null }))),
  );
  const [first, second] = [list.refresh(), list.refresh()];
  answers[1]?.(['new']);
  await second;
  answers[0]?.(['old']);
  await first;
  expect([list.items, list.busy]).toEqual([['new'], false]);
});

it('keeps what is beyond the most that is fetched anew, and where it goes on', async () => {
  let newest = 500;
  const list = new Paged<number>(async (limit, before) => {
    const from = Math.min(newest, (before ?? Number.POSITIVE_INFINITY) - 1);
    const items = Array.from({ length: Math.min(limit, from) }, (_, i) => from - i);
    return { items, next: from > limit ? (items.at(-1) ?? null) : null };
  }, 150);
  await list.refresh();
  await list.older();
  newest = 501;
  await list.refresh();
  expect(list.items).toEqual(Array.from({ length: 301 }, (_, i) => 501 - i));
  await list.older();
  expect(list.items?.at(-1)).toBe(51);
});

it('gives older ones that were asked for, though it is fetched anew meanwhile', async () => {
  const answers: ((page: { items: number[]; next: number | null }) => void)[] = [];
  const list = new Paged<number>(() => new Promise((resolve) => answers.push(resolve)), 2);
  const answer = async (items: number[], next: number | null): Promise<void> => {
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    answers.shift()?.({ items, next });
  };
  const first = list.refresh();
  await answer([4, 3], 3);
  await first;
  const [older, again] = [list.older(), list.refresh()];
  await answer([2, 1], null);
  await older;
  expect(list.items).toEqual([4, 3, 2, 1]);
  await answer([5, 4, 3, 2], 2);
  await again;
  expect(list.items).toEqual([5, 4, 3, 2]);
});
