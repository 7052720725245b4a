// Owns the Indonesian text of the application as such: its installation, its updates, and its opening without a network.
import type { Dictionary } from './dictionary';

export const appId: Dictionary['app'] = {
  update: 'Versi baru sudah siap.',
  reload: 'Muat',
  install: 'Pasang sebagai aplikasi',
  installHint: 'Terbuka seperti aplikasi lain, dan kerangkanya tampil meski tanpa jaringan.',
  installNow: 'Pasang sekarang',
  noNetwork: 'Tidak ada jaringan',
  noNetworkHint: 'Halamannya ada, nilainya belum: nilai datang begitu server bisa dihubungi.',
  unloaded: 'Halaman ini tidak dapat dimuat',
  unloadedHint:
    'Halaman ini belum pernah dibuka di ponsel atau komputer ini, dan berkasnya harus diambil dari server.',
  stillUnloaded: 'Server masih belum bisa dihubungi.',
  account: 'Akun Anda',
  zone: (name) => `Waktu dalam ${name}.`,
  groupOf: (group) => `Lainnya: ${group}`,
};
