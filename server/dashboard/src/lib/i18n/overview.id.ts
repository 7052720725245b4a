// Owns the Indonesian text of the overview: the fleet at a glance, its averages, who needs somebody, what happened last.
import type { Dictionary } from './dictionary';

export const overviewId: Dictionary['overview'] = {
  title: 'Ringkasan',
  calm: 'Semuanya baik.',
  needs: (_count, text) => `${text} perangkat perlu diperiksa.`,
  glance: 'Sekilas',
  critical: 'Peringatan kritis',
  warning: 'Peringatan waspada',
  ofAll: (text) => `dari ${text}`,
  simulated: (_count, text) => `${text} simulasi`,
  allSimulated: 'Semua nilai di sini simulasi, bukan berasal dari air.',
  waiting: (_count, text) => `${text} papan menunggu persetujuan`,

  averages: 'Rata-rata saat ini',
  averagesHint: 'Dari perangkat yang terhubung dan mengukur. Nilai gagal dan nilai lama tidak dihitung.',
  lowest: (value, device) => `Terendah ${value} di ${device}`,
  highest: (value, device) => `Tertinggi ${value} di ${device}`,
  from: (text, of) => `${text} dari ${of} perangkat`,
  leftOut: (_count, text) => `${text} perangkat simulasi tidak dihitung`,
  nothing: 'Belum ada nilai terkini',
  spread: (metric) => `Sebaran nilai ${metric} di semua perangkat`,

  worst: 'Perlu diperiksa',
  worstNone: 'Tidak ada yang perlu diperiksa',
  worstNoneHint:
    'Tidak ada peringatan, sensor gagal, perangkat hilang, atau nilai yang mendekati ambang batas.',
  worstAll: (_count, text) => `Semua ${text} perangkat`,
  need: {
    critical: 'Peringatan kritis',
    quarantined: 'Ditutup',
    fault: 'Sensor gagal',
    trouble: 'Melaporkan masalah',
    offline: 'Terputus',
    warning: 'Waspada',
    stale: 'Nilai lama',
    near: 'Mendekati batas',
  },
  silent: (metrics) => `${metrics}: belum ada nilai baru`,
  near: (metric, value, limit) => `${metric} ${value}, batas ${limit}`,

  events: 'Kejadian terakhir',
  eventsNone: 'Belum ada kejadian',
  eventsNoneHint: 'Peringatan dan hilang kontak muncul di sini saat terjadi dan selesai.',
  eventsFailed: 'Kejadian tidak dapat dimuat',
  eventsAll: 'Semua peringatan',
  resolved: (text) => `Selesai: ${text}`,
  outage: (device, cause) => `${device} hilang kontak (${cause})`,
  serverOutage: (cause) => `Server tidak aktif (${cause})`,
};
