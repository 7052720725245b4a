// Owns which devices are drawn as one: those that would cover each other at a zoom. Knows degrees and zooms, no map. Pure.
import Supercluster from 'supercluster';
import { LOOKS, type Look } from './look';
import type { Pin } from './pins';

/** The deepest zoom of the map. */
export const DEEPEST = 19;
/** In pixels: as far as two marks have to be from each other to be touched one by one. */
const RADIUS = 46;
/** The width of the world at zoom 0, in pixels. */
const WORLD = 256;

/** What is drawn at one place. */
export interface Spot {
  /** The same as long as the same devices are drawn as one. */
  readonly key: string;
  readonly latitude: number;
  readonly longitude: number;
  /** The worst of them. */
  readonly look: Look;
  readonly simulated: boolean;
  readonly count: number;
  /** Its name if it is one device alone. */
  readonly name: string | null;
  /** Its number among the clusters, if it is one. */
  readonly cluster: number | null;
}

export interface Bounds {
  west: number;
  south: number;
  east: number;
  north: number;
}

// Types, not interfaces: the library wants properties of any name.
type Props = {
  name: string;
  rank: number;
  simulated: boolean;
};
type Sum = Omit<Props, 'name'>;

export class Clusters {
  readonly #index: Supercluster<Props, Sum>;

  constructor(pins: readonly Pin[]) {
    this.#index = new Supercluster<Props, Sum>({
      radius: RADIUS,
      extent: WORLD,
      maxZoom: DEEPEST,
      map: ({ rank, simulated }) => ({ rank, simulated }),
      reduce: (sum, { rank, simulated }) => {
        sum.rank = Math.min(sum.rank, rank);
        sum.simulated ||= simulated;
      },
    });
    this.#index.load(
      pins.map(({ judged, look, latitude, longitude }) => ({
        type: 'Feature' as const,
        geometry: { type: 'Point' as const, coordinates: [longitude, latitude] },
        properties: {
          name: judged.name,
          rank: LOOKS.indexOf(look),
          simulated: judged.device.simulated,
        },
      })),
    );
  }

  /** What is drawn within these bounds, the worst first, then from west to east. */
  within({ west, south, east, north }: Bounds, zoom: number): Spot[] {
    const found = this.#index.getClusters([west, south, east, north], Math.round(zoom));
    return found.map(spotOf).sort(byWeight);
  }

  /** The zoom at which a cluster falls apart; null: they stand at one place, and never do. */
  opensAt(cluster: number): number | null {
    const zoom = this.#index.getClusterExpansionZoom(cluster);
    return zoom > DEEPEST ? null : zoom;
  }

  /** The names of those in a cluster. */
  membersOf(cluster: number): string[] {
    return this.#index.getLeaves(cluster, Number.POSITIVE_INFINITY).map(({ properties }) => properties.name);
  }
}

type Found = ReturnType<Supercluster<Props, Sum>['getClusters']>[number];

function spotOf({ geometry, properties }: Found): Spot {
  const [longitude = 0, latitude = 0] = geometry.coordinates;
  const at = {
    latitude,
    longitude,
    look: LOOKS[properties.rank] ?? 'unknown',
    simulated: properties.simulated,
  };
  return 'cluster' in properties
    ? {
        ...at,
        key: `#${properties.cluster_id}`,
        count: properties.point_count,
        name: null,
        cluster: properties.cluster_id,
      }
    : { ...at, key: properties.name, count: 1, name: properties.name, cluster: null };
}

const byWeight = (a: Spot, b: Spot): number =>
  LOOKS.indexOf(a.look) - LOOKS.indexOf(b.look) || a.longitude - b.longitude || (a.key < b.key ? -1 : 1);
