// Owns the Indonesian text of the list of devices: filters, orders, views, and what is selected.
import type { Dictionary } from './dictionary';

export const devicesId: Dictionary['devices'] = {
  shown: (text, of) => `${text} dari ${of} perangkat`,
  status: 'Keadaan',
  anyStatus: 'Semua keadaan',
  shows: {
    online: 'Terhubung',
    offline: 'Terputus',
    faults: 'Sensor gagal',
    alerts: 'Ada peringatan',
    stale: 'Nilai lama',
    never: 'Belum terlihat',
    quarantined: 'Ditutup',
    revoked: 'Dipensiunkan',
  },
  location: 'Lokasi',
  anyLocation: 'Semua lokasi',
  metric: 'Besaran',
  anyMetric: 'Semua besaran',
  more: 'Saringan lain',
  sorts: { name: 'Nama', attention: 'Masalah dulu', seen: 'Terlama diam', location: 'Lokasi' },
  lowest: (metric) => `${metric}, terendah`,
  highest: (metric) => `${metric}, tertinggi`,
  view: 'Tampilan',
  views: { table: 'Tabel', cards: 'Kartu' },
  select: (name) => `Pilih ${name} untuk dibandingkan`,
  selected: (text) => `${text} dipilih`,
  compare: 'Bandingkan',
  compareMost: (text) => `Paling banyak ${text} sekaligus`,
  unselect: 'Batalkan pilihan',
  keys: 'Tekan / untuk mencari, tombol panah untuk berpindah, Enter untuk membuka, spasi untuk memilih.',
};
