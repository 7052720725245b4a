// Owns the Indonesian text of the page that compares devices on one chart.
import type { Dictionary } from './dictionary';

export const compareId: Dictionary['compare'] = {
  title: 'Bandingkan',
  lead: 'Satu besaran dari beberapa perangkat dalam satu grafik. Pilihannya ada di alamat: bagikan saja.',
  devices: 'Perangkat',
  add: 'Tambah perangkat',
  adding: 'Ketik nama atau lokasi',
  remove: (name) => `Keluarkan ${name}`,
  full: (text) => `${text} perangkat sudah paling banyak agar tetap bisa dibedakan.`,
  restored: 'Urungkan',
  removed: (name) => `${name} dikeluarkan`,
  metric: 'Besaran',
  empty: 'Pilih perangkat untuk dibandingkan',
  emptyHint: 'Tambahkan di sini, atau pilih dari daftar perangkat.',
  emptyAction: 'Ke daftar perangkat',
  unknown: 'Perangkat tidak dikenal',
  link: 'Bandingkan dengan yang lain',
  legend: 'Nilai',
  now: 'Sekarang',
  at: (when) => `Pada ${when}`,
  gap: 'tanpa nilai',
  chartLabel: (metric, devices, range) => `${metric} dari ${devices}, ${range}`,
};
