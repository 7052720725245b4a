import { describe, expect, it } from 'vitest';
import { found, type Aim } from './palette';

const aim = (text: string, about = ''): Aim => ({ href: `/${text}`, text, about, icon: 'chip' });
const texts = (aims: readonly Aim[]): string[] => aims.map(({ text }) => text);

describe('the palette', () => {
  const aims = [aim('Peringatan'), aim('Profil'), aim('pi-7', 'Kolam 3'), aim('pi-17', 'Kolam 7')];

  it('shows all in their order before anything is typed, as many as there is room for', () => {
    expect(texts(found(aims, ' ', 3))).toEqual(['Peringatan', 'Profil', 'pi-7']);
  });

  it('finds a name that begins so before one that holds it, and a place after both', () => {
    expect(texts(found([aim('x', 'pi'), aim('a-pi'), aim('PI-1')], 'pi', 9))).toEqual(['PI-1', 'a-pi', 'x']);
    expect(texts(found(aims, '7', 9))).toEqual(['pi-7', 'pi-17']);
    expect(texts(found(aims, 'kolam 3', 9))).toEqual(['pi-7']);
  });

  it('finds nothing where nothing is called so', () => {
    expect(found(aims, 'zzz', 9)).toEqual([]);
  });
});
