// Owns the Indonesian text of the channels that news of alerts leaves by.
import type { AdminDictionary } from './admin.en';

export const channelsId: AdminDictionary['channels'] = {
  title: 'Saluran',
  lead: 'Ke mana peringatan dikirim selain ke halaman ini, dan apakah sampai di sana.',
  empty: 'Belum ada saluran',
  failed: 'Saluran tidak dapat dimuat',
  mqtt: 'Topik MQTT tirta/alerts',
  health: { well: 'Terkirim', idle: 'Belum ada kiriman', waits: 'Ada yang menunggu', fails: 'Gagal' },
  neverSent: 'belum ada yang sampai',
  lastSent: (ago) => `terakhir sampai ${ago}`,
  lastDay: (sent, failed) => `sehari terakhir: ${sent} sampai, ${failed} dihentikan`,
  pending: (count) => `${count} menunggu`,
  told: (events) => `Diberi tahu: ${events}`,
  gone: 'Sudah tidak ada di konfigurasi',
  events: {
    raised: 'muncul',
    escalated: 'menjadi kritis',
    eased: 'mereda',
    cleared: 'pulih',
    acknowledged: 'ditangani',
    resolved: 'selesai',
    reopened: 'dibuka lagi',
    digest: 'ringkasan data terlambat',
    test: 'uji coba',
  },
  problem: (why) => `Masalah terakhir: ${why}`,
  test: 'Kirim uji coba',
  testNamed: (name) => `Kirim uji coba: ${name}`,
  testing: 'Mengirim…',
  arrived: 'Uji coba sampai.',
  notArrived: (why) => `Uji coba tidak sampai: ${why}`,
  whereSet:
    'Saluran diatur di konfigurasi server (tabel [[alerts.webhook]]), agar tidak ada yang dapat mengirim peringatan ke tempat lain dari peramban. Rahasia dan alamat lengkapnya tidak pernah ditampilkan.',
};
