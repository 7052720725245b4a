// The map of the design aid: where made-up devices stand (each tenth nowhere), and moving them. MOCK_TILES names a server of tiles.
const TOWNS = [
  [-7.0467, 107.5882],
  [-6.8119, 107.6176],
  [-7.4478, 112.7183],
  [-5.0053, 119.5729],
  [2.6845, 98.9312],
  [-6.3074, 107.1723],
  [-7.7165, 110.3553],
  [-8.6705, 115.2126],
  [-3.4111, 114.8652],
  [-2.5669, 140.5136],
];

/** Around one of the towns; the same each time. */
export function standing(n) {
  if (n % 10 === 0) return { latitude: null, longitude: null };
  const [north, east] = TOWNS[n % TOWNS.length];
  const [row, column] = [Math.floor(n / 10) % 25, Math.floor(n / 250)];
  return { latitude: north + row * 0.0031, longitude: east + column * 0.0047 };
}

export function mapConfig() {
  const template = process.env.MOCK_TILES;
  const tiles = { template, attribution: '© Contoh', attribution_url: null, max_zoom: 19 };
  return { tiles: template ? tiles : null, view: null };
}
