// Owns the map itself: its ground (the outline that comes along, tiles if there are any), where it looks, and its marks.
// Knows Leaflet, and nothing of devices.
import type { MapTiles } from '$lib/api/types';
import { motion } from '$lib/ui/motion';
import type { FeatureCollection, MultiPolygon } from 'geojson';
import * as L from 'leaflet';
import 'leaflet/dist/leaflet.css';
import { CITIES } from './cities';
import { DEEPEST, type Bounds, type Spot } from './clusters';
import './map.css';
import { Marks } from './marks';
import outline from './outline.json?url';
import type { Position } from './position';

/** Indonesia, for a map on which nobody stands yet: south-west and north-east. */
const HOME: L.LatLngBoundsExpression = [
  [-11.2, 94.8],
  [6.3, 141.2],
];
/** One device alone is shown with what is around it. */
const NEAREST = 14;
/** Where a device is looked at. */
const CLOSE = 15;
/** So far from the edge a mark is easily seen. */
const MARGIN = 48;
/** On the very spot: a movement ends on a pixel. */
const EXACTLY = { animate: false, reset: true };
/** How wide a sheet is that lies over it. */
const SHEET = 352;

export interface Told {
  /** It looks at something else. */
  onmoved: () => void;
  /** And what is in its middle then. */
  onmiddle: (middle: Position) => void;
  onpress: (spot: Spot) => void;
}

export class View {
  readonly marks: Marks;
  readonly #map: L.Map;
  readonly #names: L.LayerGroup;
  readonly #moves = motion({ duration: 1 }).duration > 0;
  #tiles: L.TileLayer | null = null;
  #placing = false;

  constructor(node: HTMLElement, told: Told) {
    const moves = this.#moves;
    this.#map = L.map(node, {
      attributionControl: false,
      zoomControl: false,
      minZoom: 3,
      maxZoom: DEEPEST,
      worldCopyJump: true,
      zoomAnimation: moves,
      fadeAnimation: moves,
      markerZoomAnimation: moves,
      inertia: moves,
    });
    if (!moves) {
      // Also for the arrow keys, which have no option for it.
      const jump: L.Map['panBy'] = (by, how) =>
        L.Map.prototype.panBy.call(this.#map, by, { ...how, animate: false });
      this.#map.panBy = jump;
    }
    this.#map.fitBounds(HOME, { animate: false });
    L.control.scale({ imperial: false, position: 'bottomleft' }).addTo(this.#map);
    // Names and coasts say nothing that the list beside the map does not.
    for (const name of ['outline', 'names']) this.#map.createPane(name).setAttribute('aria-hidden', 'true');
    this.#names = L.layerGroup().addTo(this.#map);
    this.marks = new Marks(this.#map, told.onpress);
    this.#map.on('moveend', () => {
      this.#name();
      told.onmoved();
      told.onmiddle(this.middle);
    });
    this.#map.on('click', ({ latlng }) => {
      if (this.#placing) this.#map.panTo(latlng);
    });
    // What it stands in can change without the window: the list beside it comes and goes.
    const resized = new ResizeObserver(() => this.measure());
    resized.observe(node);
    this.#map.on('unload', () => resized.disconnect());
    void this.#draw();
  }

  destroy(): void {
    this.#map.remove();
  }

  /** Its middle stays where it is, whatever room there is. */
  measure(): void {
    const { clientWidth, clientHeight } = this.#map.getContainer();
    // To measure again what is the same would make the middle less exact.
    if (!this.#map.getSize().equals([clientWidth, clientHeight]))
      this.#map.invalidateSize({ animate: false });
  }

  get middle(): Position {
    const { lat, lng } = this.#map.getCenter().wrap();
    return { latitude: lat, longitude: lng };
  }

  get zoom(): number {
    return this.#map.getZoom();
  }

  /** What is in sight, and a little around it. */
  get sight(): Bounds {
    const bounds = this.#map.getBounds().pad(0.2);
    return {
      west: bounds.getWest(),
      south: Math.max(-85, bounds.getSouth()),
      east: bounds.getEast(),
      north: Math.min(85, bounds.getNorth()),
    };
  }

  /** The outline stays below them: what does not come leaves it to be seen. */
  showTiles(tiles: MapTiles | null): void {
    this.#tiles?.remove();
    this.#tiles = null;
    if (tiles) {
      this.#tiles = L.tileLayer(tiles.template, {
        maxZoom: DEEPEST,
        maxNativeZoom: tiles.max_zoom,
        // Nothing but which site asks: some servers of tiles refuse whoever does not say that.
        referrerPolicy: 'strict-origin',
      }).addTo(this.#map);
    }
    this.#name();
  }

  /** All of these, or home. */
  fit(bounds: readonly [number, number, number, number] | null): void {
    const [south, west, north, east] = bounds ?? [];
    if (south === undefined || west === undefined || north === undefined || east === undefined)
      this.#map.fitBounds(HOME, { animate: this.#moves });
    else
      this.#map.fitBounds(
        [
          [south, west],
          [north, east],
        ],
        { maxZoom: NEAREST, padding: [36, 36], animate: this.#moves },
      );
  }

  look({ latitude, longitude }: Position, zoom: number): void {
    this.#map.setView([latitude, longitude], zoom, this.#placing ? EXACTLY : { animate: this.#moves });
  }

  /** Goes near, unless it is nearer already. */
  approach(position: Position): void {
    this.look(position, Math.max(this.zoom, CLOSE));
  }

  /** Moves only as far as it takes to have it in sight beside a sheet, which lies at the left, or on a phone at the bottom. */
  reveal({ latitude, longitude }: Position, phone: boolean): void {
    const { x, y } = this.#map.latLngToContainerPoint([latitude, longitude]);
    const { x: width, y: height } = this.#map.getSize();
    const covered = phone ? { left: 0, bottom: height * 0.65 } : { left: SHEET, bottom: 0 };
    const over = (value: number, from: number, to: number): number =>
      value < from ? value - from : value > to ? value - to : 0;
    const by = L.point(
      over(x, covered.left + MARGIN, width - MARGIN),
      over(y, MARGIN, height - covered.bottom - MARGIN),
    );
    if (by.x !== 0 || by.y !== 0) this.#map.panBy(by);
  }

  nearer(by: 1 | -1): void {
    this.#map.setZoom(this.zoom + by, { animate: this.#moves });
  }

  /** While somebody says where a device stands, the marks of the others are scenery. */
  set placing(on: boolean) {
    this.#placing = on;
    this.#map.getContainer().classList.toggle('placing', on);
    const pane = this.#map.getPane('markerPane');
    if (pane) pane.inert = on;
  }

  focus(): void {
    this.#map.getContainer().focus({ preventScroll: true });
  }

  /** A file of the application, kept for when there is no network. Without it there is still a map: of marks. */
  async #draw(): Promise<void> {
    const answer = await fetch(outline).catch(() => null);
    if (!answer?.ok) return;
    const land = (await answer.json()) as FeatureCollection<MultiPolygon, { kind: string }>;
    // Every path of it takes these.
    const options = {
      pane: 'outline',
      interactive: false,
      renderer: L.svg({ pane: 'outline', padding: 0.5 }),
      smoothFactor: 1.4,
      style: (feature?: { properties: { kind: string } }) => ({
        className: `land ${feature?.properties.kind}`,
      }),
    };
    L.geoJSON(land, options).addTo(this.#map);
  }

  /** Names of cities, as many as there is room for. */
  #name(): void {
    this.#names.clearLayers();
    if (this.#tiles) return;
    const sight = this.#map.getBounds();
    for (const [name, north, east, from] of CITIES) {
      if (this.zoom < from || !sight.contains([north, east])) continue;
      const icon = L.divIcon({ className: 'city', html: name, iconSize: [0, 0] });
      L.marker([north, east], { icon, interactive: false, keyboard: false, pane: 'names' }).addTo(
        this.#names,
      );
    }
  }
}
