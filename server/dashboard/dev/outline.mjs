// Makes the outline that the map shows without any server of tiles, from Natural Earth's countries at 1:10 million (public
// domain) as the package world-atlas has them. Its result is kept in the repository; this is how it was made:
//   npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
//   node dev/outline.mjs package/countries-10m.json src/pages/map/outline.json
// Indonesia is finest, its surroundings are coarser, the rest of the world is coarse. Borders are simplified once for both sides.
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const LIMIT = 120 * 1024;
const HOME = '360';
/** Antarctica has no shape on this map. */
const LEFT_OUT = ['010'];
/** Degrees west, south, east, north: as far as one looks from home. */
const NEAR = [88, -14, 145, 14];
/**
 * By how near it is: the area (square degrees) of the triangle that a point has to make with its neighbours to stay, that of an
 * island, and the decimals of a degree.
 */
const FINE = { triangle: 1e-4, island: 4e-4, decimals: 3 };
const MIDDLE = { triangle: 5e-3, island: 3e-2, decimals: 2 };
const COARSE = { triangle: 6e-2, island: 0.4, decimals: 1 };

const [source, target] = process.argv.slice(2);
if (!source || !target) throw new Error('usage: node dev/outline.mjs countries-10m.json outline.json');
const { arcs: packed, objects, transform } = JSON.parse(readFileSync(source, 'utf8'));

/** Arcs are differences of whole numbers. */
function unpacked(arc) {
  let [x, y] = [0, 0];
  return arc.map(([dx, dy]) => {
    [x, y] = [x + dx, y + dy];
    return [x * transform.scale[0] + transform.translate[0], y * transform.scale[1] + transform.translate[1]];
  });
}

const area = ([a, b], [c, d], [e, f]) => Math.abs((c - a) * (f - b) - (e - a) * (d - b)) / 2;

/** After Visvalingam: takes the point away that matters least, as long as it matters less than `least`. */
function simplified(points, least) {
  const kept = [...points];
  const weights = kept.map((point, i) =>
    i === 0 || i === kept.length - 1 ? Infinity : area(kept[i - 1], point, kept[i + 1]),
  );
  for (;;) {
    let at = 0;
    for (let i = 1; i < weights.length; i += 1) if (weights[i] < weights[at]) at = i;
    if (weights[at] >= least || kept.length <= 2) return kept;
    const gone = weights[at];
    kept.splice(at, 1);
    weights.splice(at, 1);
    for (const i of [at - 1, at])
      if (i > 0 && i < kept.length - 1) weights[i] = Math.max(gone, area(kept[i - 1], kept[i], kept[i + 1]));
  }
}

const isNear = (points) => points.some(([x, y]) => x > NEAR[0] && x < NEAR[2] && y > NEAR[1] && y < NEAR[3]);
const countries = objects.countries.geometries.filter(({ id, type }) => !LEFT_OUT.includes(id) && type);
const polygonsOf = ({ type, arcs }) => (type === 'Polygon' ? [arcs] : arcs);
const ofHome = new Set(
  countries
    .filter(({ id }) => id === HOME)
    .flatMap((country) =>
      polygonsOf(country)
        .flat(2)
        .map((i) => (i < 0 ? ~i : i)),
    ),
);
const arcs = packed.map((arc, i) => {
  const points = unpacked(arc);
  const { triangle } = ofHome.has(i) ? FINE : isNear(points) ? MIDDLE : COARSE;
  return simplified(points, triangle);
});

function ringOf(indices, decimals) {
  const points = indices.flatMap((i, nth) => {
    const arc = i < 0 ? arcs[~i].toReversed() : arcs[i];
    return nth === 0 ? arc : arc.slice(1);
  });
  const rounded = points.map((point) => point.map((each) => Number(each.toFixed(decimals))));
  return rounded.filter(([x, y], i) => i === 0 || x !== rounded[i - 1][0] || y !== rounded[i - 1][1]);
}

const size = (ring) =>
  Math.abs(
    ring.reduce(
      (sum, [x, y], i) => sum + x * ring[(i + 1) % ring.length][1] - ring[(i + 1) % ring.length][0] * y,
      0,
    ),
  ) / 2;

/** The land of a country, without what is too small to be seen. */
function land(country) {
  return polygonsOf(country).flatMap((rings) => {
    const rule =
      country.id === HOME ? FINE : isNear(rings[0].flatMap((i) => arcs[i < 0 ? ~i : i])) ? MIDDLE : COARSE;
    const [outer, ...holes] = rings.map((indices) => ringOf(indices, rule.decimals));
    const large = (ring) => ring.length >= 4 && size(ring) >= rule.island;
    return large(outer) ? [[outer, ...holes.filter(large)]] : [];
  });
}

const feature = (kind, coordinates) => ({
  type: 'Feature',
  properties: { kind },
  geometry: { type: 'MultiPolygon', coordinates },
});
const isHome = ({ id }) => id === HOME;
const outline = {
  type: 'FeatureCollection',
  features: [
    feature('elsewhere', countries.filter((country) => !isHome(country)).flatMap(land)),
    feature('home', countries.filter(isHome).flatMap(land)),
  ],
};
const text = `${JSON.stringify(outline)}\n`;
const bytes = gzipSync(text, { level: 9 }).length;
if (bytes > LIMIT) throw new Error(`the outline has ${bytes} bytes (gzip), more than ${LIMIT}`);
writeFileSync(target, text);
process.stdout.write(
  `Outline: ${(text.length / 1024).toFixed(0)} kB, ${(bytes / 1024).toFixed(1)} kB packed\n`,
);
