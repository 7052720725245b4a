// Owns the Indonesian text about the chain of the audit log.
import type { Dictionary } from './dictionary';

export const chainId: Dictionary['chain'] = {
  title: 'Rantai catatan',
  lead: 'Setiap catatan membawa hash dari dirinya dan dari catatan sebelumnya. Simpan ujungnya di tempat lain: kelak itu membuktikan bahwa tidak ada yang diubah sebelumnya.',
  end: (entry) => `Berakhir dengan catatan ${entry}`,
  empty: 'Belum ada catatan',
  check: 'Periksa rantai',
  checking: 'Memeriksa…',
  intact: (entries) => `Utuh: ${entries} catatan, masing-masing sesuai dengan yang sebelumnya.`,
  broken: (entry) => `Putus di catatan ${entry}`,
  problems: {
    changed:
      'Isinya bukan seperti yang ditulis: diubah, atau ada yang disisipkan atau bertukar tempat sebelumnya.',
    unhashed: 'Tidak punya hash: dimasukkan oleh pihak lain, bukan oleh server.',
    removed: 'Tidak ada: dihapus, atau berada di tempat lain.',
    reordered: 'Berada di tempat yang salah: disisipkan, atau urutannya diubah.',
    truncated: 'Bagian akhir catatan dipotong.',
    rewritten: 'Catatan ditulis ulang seluruhnya.',
  },
  advice: 'Biarkan basis data seperti adanya, dan periksa cadangan dengan tirta audit verify.',
  csv: 'Lembar kerja (CSV)',
  jsonl: 'Untuk diperiksa (JSON per baris)',
  whole: 'Seluruh catatan, dari yang terlama',
};
