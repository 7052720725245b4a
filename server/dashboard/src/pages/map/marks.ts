// Owns the marks on the map: an element for each place that is drawn, what it looks like, and their order for the keyboard.
// Knows Leaflet's markers; what a press leads to is the page's to say.
import * as L from 'leaflet';
import type { Spot } from './clusters';
import { LOOKS, SHAPES, type Look } from './look';

/** What is touched; what is seen is smaller. */
const SIZE = 44;
/** With more marks than these their names would be a thicket. */
const MOST_NAMED = 40;

interface Mark {
  marker: L.Marker;
  spot: Spot;
  element: HTMLElement;
  /** How many, as it is written. */
  text: string;
}

/** What is said of a place. */
export interface Words {
  label: (spot: Spot) => string;
  count: (spot: Spot) => string;
}

export class Marks {
  readonly #drawn = new Map<string, Mark>();
  #chosen: string | null = null;

  constructor(
    private readonly map: L.Map,
    private readonly onpress: (spot: Spot) => void,
  ) {}

  draw(spots: readonly Spot[], words: Words): void {
    const wanted = new Set(spots.map(({ key }) => key));
    for (const [key, { marker, element }] of this.#drawn) {
      if (wanted.has(key)) continue;
      // Whoever stood on it stays on the map: it has fallen apart, or is out of sight.
      if (element === document.activeElement) this.map.getContainer().focus({ preventScroll: true });
      marker.remove();
      this.#drawn.delete(key);
    }
    for (const spot of spots) this.#put(spot, words);
    this.map.getContainer().classList.toggle('named', spots.length <= MOST_NAMED);
    this.#order(spots);
  }

  /** The mark that stands for what is open. */
  choose(name: string | null): void {
    this.#chosen = name;
    for (const { spot, element } of this.#drawn.values())
      element.classList.toggle('chosen', spot.name === name);
  }

  #put(spot: Spot, words: Words): void {
    const mark = this.#drawn.get(spot.key) ?? this.#made(spot);
    const { spot: before, text: said } = mark;
    mark.spot = spot;
    mark.text = words.count(spot);
    if (before.latitude !== spot.latitude || before.longitude !== spot.longitude)
      mark.marker.setLatLng([spot.latitude, spot.longitude]);
    if (said !== mark.text || before.look !== spot.look || before.simulated !== spot.simulated) {
      mark.element.replaceChildren(...contentOf(spot, mark.text));
      mark.element.dataset.look = spot.look;
      if (spot.name === null) mark.element.dataset.cluster = String(spot.count);
      else mark.element.dataset.pin = spot.name;
      mark.marker.setZIndexOffset((LOOKS.length - LOOKS.indexOf(spot.look)) * 1_000);
    }
    const label = words.label(spot);
    if (mark.element.getAttribute('aria-label') !== label) {
      mark.element.setAttribute('aria-label', label);
      mark.element.title = label;
    }
    mark.element.classList.toggle('chosen', spot.name !== null && spot.name === this.#chosen);
  }

  #made(spot: Spot): Mark {
    const icon = L.divIcon({ className: 'mark', iconSize: [SIZE, SIZE] });
    const marker = L.marker([spot.latitude, spot.longitude], { icon, riseOnHover: true });
    marker.addTo(this.map);
    const element = marker.getElement() as HTMLElement;
    const mark: Mark = { marker, spot, element, text: '' };
    marker.on('click', () => this.onpress(mark.spot));
    element.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      this.onpress(mark.spot);
    });
    this.#drawn.set(spot.key, mark);
    return mark;
  }

  /** In the order of the places, for whoever goes from one to the next; whoever stands on one is not disturbed. */
  #order(spots: readonly Spot[]): void {
    const pane = this.map.getPane('markerPane');
    if (!pane || pane.contains(document.activeElement)) return;
    spots.forEach(({ key }, i) => {
      const element = this.#drawn.get(key)?.element;
      const there = pane.children[i] ?? null;
      if (element && element !== there) pane.insertBefore(element, there);
    });
  }
}

/** Nothing that anybody has written becomes markup: names are text. */
function contentOf({ look, simulated, name }: Spot, text: string): Element[] {
  const shape = shapeOf(look);
  const content = [shape, name === null ? made('count', text) : made('name', name)];
  if (name === null) shape.classList.add('worst');
  if (simulated) content.push(made('made-up', ''));
  return content;
}

function made(className: string, text: string): HTMLElement {
  const element = document.createElement('span');
  element.className = className;
  element.textContent = text;
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

function shapeOf(look: Look): SVGSVGElement {
  const { body, sign, hollow } = SHAPES[look];
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `look ${look}${hollow ? ' hollow' : ''}`);
  for (const [name, d] of [
    ['body', body],
    ['sign', sign],
  ] as const) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', name);
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}
