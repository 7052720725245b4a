// Owns the Indonesian text of presets of thresholds.
import type { AdminDictionary } from './admin.en';

export const presetsId: AdminDictionary['presets'] = {
  title: 'Contoh baku',
  lead: 'Batas yang siap dipakai, masing-masing dengan sumbernya. Ambang yang diisi dari contoh baku adalah salinan: tidak berubah bila contohnya diubah atau dihapus.',
  empty: 'Tidak ada contoh baku',
  failed: 'Contoh baku tidak dapat dimuat',
  groups: {
    own: 'Buatan sendiri',
    wastewater: 'Air limbah',
    hydroponics: 'Hidroponik',
  },
  noneOwn: 'Belum ada: buka sebuah ambang batas, lalu simpan batasnya sebagai contoh baku.',
  meta: (version, day) => `Versi ${version}, ${day}.`,
  by: (who) => `Oleh ${who}.`,
  name: 'Nama',
  source: 'Asal nilainya',
  sourceHint: 'Untuk yang memakainya: peraturan, buku pegangan, pengukuran sendiri.',
  missing: 'Isi dulu.',
  save: 'Simpan',
  change: 'Ubah nama',
  changeNamed: (name) => `Ubah nama contoh baku “${name}”`,
  remove: 'Hapus',
  removeNamed: (name) => `Hapus contoh baku “${name}”`,
  removed: (name) => `“${name}” dihapus`,
  undo: 'Urungkan',
  keep: 'Simpan batas ini sebagai contoh baku',
  into: 'Ke dalam',
  intoNew: 'contoh baku baru',
  keepNow: 'Simpan sebagai contoh baku',
  kept: (name) => `Disimpan sebagai “${name}”`,
};
