// Owns the Indonesian text of accounts, roles and what they may do.
import type { Dictionary } from './dictionary';

export const peopleId: Dictionary['people'] = {
  roles: {
    admin: 'Pengelola',
    supervisor: 'Penyelia',
    technician: 'Teknisi',
    auditor: 'Pemeriksa',
  },
  roleHints: {
    admin: 'Boleh melakukan semuanya.',
    supervisor: 'Ambang batas, perangkat, peredaman, dan siapa yang menangani peringatan.',
    technician: 'Bekerja di tangki: peringatan, kalibrasi, pemasangan perangkat.',
    auditor: 'Membaca semuanya, tidak mengubah apa pun.',
  },
  accounts: {
    title: 'Akun',
    lead: 'Siapa yang boleh masuk, dan apa yang boleh dilakukan masing-masing. Akun dinonaktifkan, tidak pernah dihapus: catatan tindakan menyebut namanya.',
    list: 'Daftar akun',
    empty: 'Tidak ada akun',
    failed: 'Daftar akun tidak dapat dimuat',
    add: 'Tambah akun',
    name: 'Nama pengguna',
    namePlaceholder: 'Misalnya: tono',
    nameHint: '2 sampai 32 huruf kecil, angka, - dan _; huruf di depan. Tidak dapat diubah nanti.',
    role: 'Peran',
    roleHint:
      'Peran baru langsung berlaku dan mengakhiri sesi orang itu. Pengelola yang berganti peran kehilangan kunci API dan undangannya yang terbuka.',
    email: 'Alamat surel (tidak wajib)',
    emailHint: 'Dapat juga dipakai untuk masuk.',
    submit: 'Tambahkan akun',
    adding: 'Menambahkan…',
    onceTitle: (user) => `Kata sandi awal ${user}`,
    once: 'Salin sekarang. Hanya ditampilkan sekali.',
    firstPassword: 'Kata sandi awal',
    onceHint: 'Serahkan kepada orangnya. Setelah masuk, ia membuat kata sandinya sendiri.',
    you: 'Anda',
    states: {
      active: 'Aktif',
      first: 'Belum membuat kata sandi sendiri',
      disabled: 'Nonaktif',
    },
    disabledSince: (when) => `Nonaktif sejak ${when}`,
    change: 'Ubah…',
    changeNamed: (user) => `Ubah ${user}`,
    dialogTitle: (user) => `Akun ${user}`,
    ownHint: 'Ini akun Anda sendiri. Pengelola lain dapat mengubah perannya atau menonaktifkannya.',
    save: 'Simpan',
    saved: (user) => `${user} telah diubah`,
    reset: 'Atur ulang kata sandi',
    resetHint:
      'Bila lupa: kata sandi awal yang baru, ditampilkan sekali. Semua sesinya berakhir, dan kunci API serta undangannya yang terbuka dicabut.',
    disable: 'Nonaktifkan akun',
    disableHint:
      'Tidak ada lagi yang dapat masuk dengannya, dan semua sesinya langsung berakhir. Kunci API dan undangannya yang terbuka dicabut untuk seterusnya. Akun dapat diaktifkan lagi.',
    disabled: (user) => `${user} telah dinonaktifkan`,
    enable: 'Aktifkan akun',
    enableHint: 'Orangnya dapat masuk lagi dengan kata sandi yang sama.',
    enabled: (user) => `${user} telah diaktifkan`,
    problem: {
      name: 'Gunakan 2 sampai 32 huruf kecil, angka, - dan _; huruf di depan; bukan “device” atau “server”.',
      nameTaken: 'Sudah ada akun dengan nama ini.',
      email: 'Tulis seperti nama@contoh.org.',
      emailTaken: 'Akun lain memakai alamat ini.',
      lastAdmin: 'Ini akun terakhir yang boleh melakukan semuanya. Jadikan akun lain pengelola lebih dulu.',
    },
  },
  notAllowed: {
    title: 'Peran Anda tidak boleh membuka halaman ini',
    lead: (role) => `Anda masuk sebagai: ${role}. Pengelola dapat memberi Anda peran lain.`,
  },
};
