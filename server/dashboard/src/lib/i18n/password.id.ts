// Owns the Indonesian text of choosing a password.
import type { Dictionary } from './dictionary';

export const passwordId: Dictionary['password'] = {
  choose: 'Buat kata sandi Anda',
  chooseLead:
    'Kata sandi yang baru saja dipakai dibuatkan untuk Anda. Buat yang hanya Anda ketahui, lalu lanjutkan.',
  change: 'Ganti kata sandi',
  changeLead: 'Anda tetap masuk di sini. Sesi Anda di semua ponsel dan komputer lain langsung berakhir.',
  account: 'Akun',
  old: 'Kata sandi sekarang',
  oldHint: 'Yang baru saja Anda pakai untuk masuk.',
  new: 'Kata sandi baru',
  rule: 'Paling sedikit 12 karakter, dan bukan nama Anda. Beberapa kata berurutan mudah diingat.',
  show: 'Tampilkan kedua kata sandi',
  submit: 'Simpan kata sandi',
  busy: 'Menyimpan…',
  done: 'Kata sandi diganti. Sesi Anda yang lain telah berakhir.',
  problem: {
    oldMissing: 'Isi kata sandi Anda sekarang.',
    oldWrong: 'Ini bukan kata sandi Anda sekarang.',
    short: (count) => `Terlalu pendek: baru ${count} dari paling sedikit 12 karakter.`,
    same: 'Ini kata sandi Anda sekarang. Buat yang lain.',
    unfit:
      'Tidak dapat dipakai. Pilih yang tidak akan ditebak orang: bukan nama Anda, dan jangan terlalu panjang.',
  },
};
