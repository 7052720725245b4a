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
  notAllowed: {
    title: 'Peran Anda tidak boleh membuka halaman ini',
    lead: (role) => `Anda masuk sebagai: ${role}. Pengelola dapat memberi Anda peran lain.`,
  },
};
