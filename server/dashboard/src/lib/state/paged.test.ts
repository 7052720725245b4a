// Checks what a list that comes page by page keeps when it is fetched anew, and which answer counts.
import { expect, it } from 'vitest';
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
