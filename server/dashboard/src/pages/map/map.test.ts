// Checks what stands behind the map: looks, what is shown, what is drawn as one, how a position is read.
import { judged } from '$lib/fleet/examples';
import { describe, expect, it } from 'vitest';
import { Clusters, DEEPEST, type Bounds } from './clusters';
import { LOOKS, lookOf, SHAPES } from './look';
import { boundsOf, chosen, countsOf, drawnAlike, placed, seenOf, within, type Pin } from './pins';
import { parsePosition, rounded, shownPosition } from './position';

const WORLD: Bounds = { west: -180, south: -85, east: 180, north: 85 };

describe('the look of a device', () => {
  it('is the worst that is known of it', () => {
    expect(lookOf(judged('pi-1'))).toBe('online');
    expect(lookOf(judged('pi-1', { alert: 'warning' }))).toBe('warning');
    expect(lookOf(judged('pi-1', { values: { ph: null } }))).toBe('warning');
    expect(lookOf(judged('pi-1', { stale: ['ph'] }))).toBe('warning');
    expect(lookOf(judged('pi-1', { alert: 'critical', values: { ph: null } }))).toBe('critical');
    expect(lookOf(judged('pi-1', { state: 'offline', alert: 'warning' }))).toBe('offline');
    expect(lookOf(judged('pi-1', { state: 'offline', alert: 'critical' }))).toBe('critical');
    expect(lookOf(judged('pi-1', { state: 'quarantined' }))).toBe('offline');
    expect(lookOf(judged('pi-1', { state: 'never' }))).toBe('unknown');
  });

  it('of one that is gone is not what it last said of its card', () => {
    const buffer = { id: 'c0', pending: 0, dropped: 0, set_aside: 0, trouble: 'disk_full' };
    expect(lookOf(judged('pi-1', { device: { buffer } }))).toBe('warning');
    expect(lookOf(judged('pi-1', { state: 'offline', device: { buffer } }))).toBe('offline');
  });

  it('of one that was decommissioned is none', () => {
    expect(lookOf(judged('pi-1', { state: 'revoked', alert: 'critical' }))).toBeNull();
  });

  it('is told without its colour: no two have the same shape with the same sign', () => {
    const drawn = LOOKS.map((look) => SHAPES[look].body + SHAPES[look].sign);
    expect(new Set(drawn).size).toBe(LOOKS.length);
  });
});

describe('what the map shows', () => {
  const at = (latitude: number, longitude: number) => ({ device: { latitude, longitude } });
  const fleet = [
    judged('pi-1', { device: { location: 'Kolam 1', latitude: -6, longitude: 106 } }),
    judged('pi-2', { ...at(-8, 115), alert: 'critical' }),
    judged('pi-3', { state: 'offline' }),
    judged('pi-4', { state: 'revoked', ...at(0, 0) }),
  ];

  it('is what the address asks for, and nothing that is no word of it', () => {
    const ask = (text: string) => chosen((name) => new URLSearchParams(text).get(name));
    expect(ask('q=kolam&show=offline&location=Kolam 1')).toEqual({
      q: 'kolam',
      show: 'offline',
      location: 'Kolam 1',
    });
    expect(ask('show=constructor')).toEqual({ q: '', show: '', location: '' });
  });

  it('is the worst first, by search and location, those without a position apart', () => {
    const seen = seenOf(fleet);
    expect(seen.map(({ judged: { name } }) => name)).toEqual(['pi-2', 'pi-3', 'pi-1']);
    expect(countsOf(seen)).toEqual({ critical: 1, offline: 1, warning: 0, online: 1, unknown: 0 });
    const found = (filter: object): string[] =>
      within(seen, { q: '', show: '', location: '', ...filter }).map(({ judged: { name } }) => name);
    expect(found({ q: 'KOLAM' })).toEqual(['pi-1']);
    expect(found({ location: 'Kolam 1' })).toEqual(['pi-1']);
    const { pins, unplaced } = placed(seen);
    expect(pins.map(({ judged: { name } }) => name)).toEqual(['pi-2', 'pi-1']);
    expect(unplaced.map(({ judged: { name } }) => name)).toEqual(['pi-3']);
    expect(boundsOf(pins)).toEqual([-8, 106, -6, 115]);
    expect(boundsOf([])).toBeNull();
  });

  it('is drawn anew only when something of it has changed', () => {
    const pins = (alert: 'warning' | null): Pin[] =>
      placed(seenOf([judged('pi-1', { ...at(-6, 106), alert })])).pins;
    expect(drawnAlike(pins(null), pins(null))).toBe(true);
    expect(drawnAlike(pins(null), pins('warning'))).toBe(false);
    expect(drawnAlike(pins(null), [])).toBe(false);
  });
});

describe('ten thousand devices', () => {
  const COUNT = 10_000;
  const BAD = 'pi-7777';
  /** Forty towns with ponds around each; always the same. */
  const pins: Pin[] = placed(
    seenOf(
      Array.from({ length: COUNT }, (_, i) => {
        const [town, pond] = [i % 40, Math.floor(i / 40)];
        const latitude = -9 + ((town * 7) % 40) * 0.3 + (pond % 16) * 0.004;
        const longitude = 96 + town * 1.1 + Math.floor(pond / 16) * 0.004;
        const name = `pi-${i + 1}`;
        return judged(name, { alert: name === BAD ? 'critical' : null, device: { latitude, longitude } });
      }),
    ),
  ).pins;
  const clusters = new Clusters(pins);

  it('are all there at every zoom, each once', () => {
    for (let zoom = 3; zoom <= DEEPEST; zoom += 1) {
      const spots = clusters.within(WORLD, zoom);
      expect(spots.reduce((sum, { count }) => sum + count, 0)).toBe(COUNT);
      expect(new Set(spots.map(({ key }) => key)).size).toBe(spots.length);
    }
  });

  it('are no more marks than a screen has room for, wherever it looks', () => {
    for (let zoom = 3; zoom <= DEEPEST; zoom += 1) {
      const degrees = 360 / (256 * 2 ** zoom);
      for (const { latitude, longitude } of [pins[0], pins[5_000], pins[9_999]] as Pin[]) {
        const [across, down] = [200 * degrees, 300 * degrees];
        const sight = {
          west: longitude - across,
          east: longitude + across,
          south: Math.max(-85, latitude - down),
          north: Math.min(85, latitude + down),
        };
        expect(clusters.within(sight, zoom).length).toBeLessThan(200);
      }
    }
  });

  it('never hide the worst: what it is drawn in looks like it and comes first', () => {
    for (let zoom = 3; zoom <= DEEPEST; zoom += 1) {
      const [first, second] = clusters.within(WORLD, zoom);
      expect(first?.look).toBe('critical');
      expect(second?.look).toBe('online');
      const names = first?.cluster == null ? [first?.name] : clusters.membersOf(first.cluster);
      expect(names).toContain(BAD);
    }
  });
});

describe('devices at one place', () => {
  const same = (names: readonly string[]): Pin[] =>
    placed(seenOf(names.map((name) => judged(name, { device: { latitude: -6.2, longitude: 106.8 } })))).pins;

  it('stay one mark at the deepest zoom, and are listed', () => {
    const clusters = new Clusters(same(['pi-1', 'pi-2', 'pi-3']));
    const [spot, ...others] = clusters.within(WORLD, DEEPEST);
    expect(others).toEqual([]);
    expect(spot?.count).toBe(3);
    expect(clusters.opensAt(spot?.cluster as number)).toBeNull();
    expect(clusters.membersOf(spot?.cluster as number).sort()).toEqual(['pi-1', 'pi-2', 'pi-3']);
  });

  it('some metres apart fall apart at some zoom', () => {
    const [near] = same(['pi-1']) as [Pin];
    const clusters = new Clusters([near, { ...(same(['pi-2'])[0] as Pin), latitude: -6.2003 }]);
    const [spot] = clusters.within(WORLD, 5);
    const zoom = clusters.opensAt(spot?.cluster as number) as number;
    expect(zoom).toBeLessThanOrEqual(DEEPEST);
    expect(clusters.within(WORLD, zoom)).toHaveLength(2);
  });

  it('say that they are simulated if any is', () => {
    const [water] = same(['pi-1']) as [Pin];
    const made = judged('pi-2', { device: { latitude: -6.2, longitude: 106.8, simulated: true } });
    const [spot] = new Clusters([water, ...placed(seenOf([made])).pins]).within(WORLD, 5);
    expect(spot?.simulated).toBe(true);
  });
});

describe('a position', () => {
  it('is read as other maps copy it and as people write it', () => {
    const jakarta = { latitude: -6.2088, longitude: 106.8456 };
    for (const text of [
      '-6.2088, 106.8456',
      '-6.2088,106.8456',
      '−6,2088; 106,8456',
      '-6,2088 106,8456',
      '6.2088 S, 106.8456 E',
      '6,2088° LS 106,8456° BT',
      ' -6.2088  106.8456 ',
    ])
      expect(parsePosition(text), text).toEqual(jakarta);
    expect(parsePosition('40.7 N 74 W')).toEqual({ latitude: 40.7, longitude: -74 });
  });

  it('that is no place is none', () => {
    for (const text of ['', 'kolam', '-6.2', '106.8, -6.2', '-6.2, 190', '-6.2, 106.8, 3', '1e3, 5'])
      expect(parsePosition(text), text).toBeNull();
  });

  it('is kept to the metre, and within the world', () => {
    expect(rounded({ latitude: -6.123456789, longitude: 466.8 })).toEqual({
      latitude: -6.12346,
      longitude: 106.8,
    });
    expect(rounded({ latitude: 0, longitude: -190 })).toEqual({ latitude: 0, longitude: 170 });
    expect(shownPosition({ latitude: -6.2, longitude: 106.8 }, 'en-GB')).toBe('-6.20000; 106.80000');
  });
});
