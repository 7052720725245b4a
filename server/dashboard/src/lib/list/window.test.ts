// Checks which rows of a long list are drawn, and where its keys lead.
import { describe, expect, it } from 'vitest';
import { stepped, windowOf } from './window';

const SIGHT = 900;
const HEIGHT = 90;

describe('the window of a long list', () => {
  it('holds what is in sight and a little more, wherever the page has scrolled to', () => {
    for (const top of [-300, 0, 45, 12_345, 899_100]) {
      const { from, to } = windowOf(top, SIGHT, 10_000, HEIGHT);
      expect(to - from, `at ${top}`).toBeLessThanOrEqual(SIGHT / HEIGHT + 14);
      expect(from * HEIGHT, `above ${top}`).toBeLessThanOrEqual(Math.max(0, top));
      expect(to * HEIGHT, `below ${top}`).toBeGreaterThanOrEqual(Math.min(10_000 * HEIGHT, top + SIGHT));
    }
  });

  it('never asks for rows that there are not', () => {
    expect(windowOf(0, SIGHT, 3, HEIGHT)).toEqual({ from: 0, to: 3 });
    expect(windowOf(1e9, SIGHT, 50, HEIGHT)).toEqual({ from: 49, to: 50 });
    expect(windowOf(0, SIGHT, 0, HEIGHT)).toEqual({ from: 0, to: 0 });
  });

  it('is there before the list has come into sight', () => {
    expect(windowOf(-5_000, SIGHT, 10_000, HEIGHT).to).toBeGreaterThan(0);
  });
});

describe('a key', () => {
  it('leads up and down, to the next page, and to both ends', () => {
    expect(stepped('ArrowDown', 4, 100, 1, 9)).toBe(5);
    expect(stepped('ArrowUp', 4, 100, 1, 9)).toBe(3);
    expect(stepped('PageDown', 4, 100, 1, 9)).toBe(13);
    expect(stepped('End', 4, 10_000, 1, 9)).toBe(9_999);
    expect(stepped('Home', 4, 100, 1, 9)).toBe(0);
  });

  it('leads sideways only where things stand side by side', () => {
    expect(stepped('ArrowRight', 4, 100, 1, 9)).toBeNull();
    expect(stepped('ArrowRight', 4, 100, 3, 9)).toBe(5);
    expect(stepped('ArrowDown', 4, 100, 3, 9)).toBe(7);
  });

  it('stays within the list, and other keys are left to the browser', () => {
    expect(stepped('ArrowUp', 0, 100, 1, 9)).toBeNull();
    expect(stepped('PageDown', 98, 100, 1, 9)).toBe(99);
    expect(stepped('Enter', 4, 100, 1, 9)).toBeNull();
  });
});
