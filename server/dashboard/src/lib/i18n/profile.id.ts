// Owns the Indonesian text of one's own profile.
import type { Dictionary } from './dictionary';

export const profileId: Dictionary['profile'] = {
  title: 'Profil',
  lead: 'Nama panggilan Anda, tampilan Tirta, dan kapan ia bersuara. Ikut ke setiap ponsel tempat Anda masuk.',
  person: {
    title: 'Tentang Anda',
    displayName: 'Nama panggilan',
    displayNameHint: 'Tidak wajib. Nama pengguna tetap sama.',
    email: 'Alamat surel',
    emailHint: 'Tidak wajib. Dapat juga dipakai untuk masuk.',
    save: 'Simpan',
    saved: 'Tersimpan',
    emailWrong: 'Tulis seperti nama@contoh.org.',
    emailTaken: 'Akun lain memakai alamat ini.',
    tooLong: 'Paling banyak 80 karakter, dalam satu baris.',
  },
  look: {
    title: 'Tampilan',
    browsers: 'Peramban',
    themeHint: 'Di luar pada siang hari, yang terang lebih mudah dibaca.',
  },
  heard: {
    severities: 'Untuk peringatan',
    severitiesHint: 'Semuanya tampil di layar; yang ini juga bersuara.',
    quiet: 'Jam tenang',
    quietHint: 'Saat itu hanya yang kritis bersuara. Menurut jam ponsel.',
    from: 'Dari',
    to: 'Sampai',
    same: 'Jam berakhirnya harus lain dari jam mulainya.',
  },
  security: {
    title: 'Keamanan',
    password: 'Perangkat lain keluar setelah itu.',
    sessions: 'Tempat Anda masuk, dan kode saat masuk',
    roles: 'Apa yang boleh dilakukan setiap peran',
    sessionsHint: 'Akhiri sesi di ponsel yang hilang; minta kode selain kata sandi.',
  },
};
