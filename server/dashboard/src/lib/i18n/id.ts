// Owns the Indonesian text: plain words that a technician uses, not a translation word by word.
import { alertsId } from './alerts.id';
import { appId } from './app.id';
import { auditId } from './audit.id';
import { calibration } from './calibration.id';
import { chainId } from './chain.id';
import { claimId } from './claim.id';
import { compareId } from './compare.id';
import { devicesId } from './devices.id';
import type { Dictionary } from './dictionary';
import { docsId } from './docs.id';
import { identityId } from './identity.id';
import { mapId } from './map.id';
import { newcomersId } from './newcomers.id';
import { keyboardId } from './keyboard.id';
import { keysId } from './keys.id';
import { outagesId } from './outages.id';
import { overviewId } from './overview.id';
import { passwordId } from './password.id';
import { peopleId } from './people.id';
import { profileId } from './profile.id';
import { readingsId } from './readings.id';
import { registryId } from './registry.id';
import { securityId } from './security.id';
import { thresholdsId } from './thresholds.id';
import { tokensId } from './tokens.id';

export const id: Dictionary = {
  name: 'Bahasa Indonesia',
  product: 'Tirta',
  tagline: 'Setiap tangki, setiap pembacaan, langsung.',
  skip: 'Langsung ke isi',

  nav: {
    main: 'Utama',
    groups: { watch: 'Pantau', fleet: 'Armada', administration: 'Administrasi' },
    overview: 'Ringkasan',
    fleet: 'Perangkat',
    map: 'Peta',
    compare: 'Bandingkan',
    readings: 'Riwayat',
    alerts: 'Peringatan',
    thresholds: 'Ambang batas',
    outages: 'Hilang kontak',
    reports: 'Laporan',
    waiting: 'Menunggu',
    claim: 'Pasang',
    enrolment: 'Pendaftaran',
    registry: 'Daftar alat',
    audit: 'Catatan tindakan',
    keys: 'Kunci API',
    system: 'Sistem',
    users: 'Akun',
    roles: 'Peran',
    presets: 'Contoh baku',
    profile: 'Profil',
    security: 'Keamanan',
    settings: 'Pengaturan',
    more: 'Lainnya',
  },

  signIn: {
    title: 'Masuk',
    lead: 'Gunakan akun instalasi Anda.',
    user: 'Nama pengguna',
    password: 'Kata sandi',
    show: 'Tampilkan kata sandi',
    hide: 'Sembunyikan kata sandi',
    submit: 'Masuk',
    busy: 'Sedang masuk…',
    wrong: 'Nama pengguna atau kata sandi salah. Periksa huruf besar, lalu coba lagi.',
    slow: 'Terlalu banyak percobaan. Tunggu sebentar, lalu coba lagi.',
    missing: 'Isi nama pengguna dan kata sandi.',
    expired: 'Sesi Anda telah berakhir. Masuk lagi untuk melanjutkan.',
    points: [
      'Nilai semua perangkat sekali pandang, lengkap dengan umurnya',
      'Tidak ada data yang hilang saat perangkat terputus',
      'Sensor yang gagal disebut namanya, bukan digambar sebagai angka',
    ],
  },

  connection: {
    live: 'Langsung',
    connecting: 'Menghubungkan…',
    lost: 'Terputus',
    banner: (since) => `Tidak ada sambungan ke server. Yang tampil adalah keadaan ${since}.`,
    bannerNever: 'Tidak ada sambungan ke server.',
    retry: 'Coba sekarang',
    retrying: 'Mencoba lagi…',
    back: 'Tersambung kembali. Semua data sudah terbaru.',
  },

  state: {
    online: 'Terhubung',
    offline: 'Terputus',
    never: 'Belum terlihat',
    revoked: 'Dipensiunkan',
    quarantined: 'Ditutup',
  },

  fleet: {
    title: 'Perangkat',
    search: 'Cari nama, nomor seri, lokasi',
    clear: 'Hapus pencarian',
    filter: 'Saring perangkat',
    all: 'Semua',
    pending: (text) => `${text} pembacaan tertunda`,
    sort: 'Urutan',
    trend: 'Tren',
    device: 'Perangkat',
    status: 'Status',
    simulated: 'Simulasi',
    simulatedHint: 'Nilai ini dibuat oleh simulasi, bukan berasal dari air.',
    noValue: 'Belum ada nilai',
    count: (_count, text) => `${text} perangkat`,
    noMatch: 'Tidak ada perangkat yang cocok',
    noMatchHint: 'Ubah pencarian atau saringannya.',
    reset: 'Tampilkan semua perangkat',
    failed: 'Daftar perangkat tidak dapat dimuat',
    emptyTitle: 'Tambahkan perangkat pertama',
    emptyLead: 'Raspberry Pi bergabung sendiri begitu memiliki token pendaftaran.',
    emptySteps: [
      'Buat token pendaftaran lalu unduh berkas armadanya. Berlaku untuk waktu dan jumlah perangkat terbatas.',
      'Letakkan berkas itu di partisi boot kartu, atau di stik USB pada Pi.',
      'Nyalakan Pi. Perangkat mendapat nama dan muncul di sini, atau menunggu persetujuan Anda.',
    ],
    emptyAction: 'Buat token',
  },

  age: {
    now: 'baru',
    ago: (age) => `${age} lalu`,
    justNow: 'baru saja',
    uncertain: 'waktu tidak pasti',
    stale: 'nilai lama',
  },

  metric: {
    ph: 'pH',
    tds: 'TDS',
    temperature: 'Suhu',
    volume: 'Volume',
    ec: 'Daya hantar',
    level: 'Ketinggian',
    pressure: 'Tekanan',
    flow: 'Debit',
    speed: 'Kecepatan',
  },

  fault: {
    no_bus: {
      short: 'Bus I²C tidak ada',
      hint: 'Perangkat tidak dapat membuka bus I²C. Periksa apakah I²C sudah diaktifkan.',
    },
    no_answer: {
      short: 'Tidak menjawab',
      hint: 'Konverter tidak menjawab. Periksa steker, daya, dan alamatnya.',
    },
    bus_error: {
      short: 'I²C gagal',
      hint: 'Komunikasi terputus di tengah jalan. Periksa panjang dan pelindung kabel.',
    },
    not_ready: { short: 'Belum siap', hint: 'Konverter tidak selesai tepat waktu.' },
    rail_low: { short: 'Sinyal rendah', hint: 'Sinyal di batas bawah: korsleting atau tanpa daya.' },
    rail_high: {
      short: 'Sinyal tinggi',
      hint: 'Sinyal di batas atas: kabel putus atau di luar rentang.',
    },
    out_of_range: {
      short: 'Nilai tidak mungkin',
      hint: 'Sinyal tidak menghasilkan nilai yang masuk akal. Periksa kalibrasi.',
    },
    other: {
      short: 'Gangguan tak dikenal',
      hint: 'Agen yang lebih baru melaporkan gangguan yang belum dikenal versi ini.',
    },
  },

  flag: {
    title: 'Tentang nilai ini',
    simulated: { short: 'Simulasi', hint: 'Berasal dari simulasi, bukan dari air.' },
    uncalibrated: { short: 'Belum dikalibrasi', hint: 'Tidak ada kalibrasi sensor yang dipakai.' },
    no_temperature: {
      short: 'Tanpa suhu',
      hint: 'Nilainya bergantung pada suhu, tetapi suhu tidak terukur.',
    },
    saturated: {
      short: 'Ujung rentang',
      hint: 'Sensor di ujung rentangnya. Nilai sebenarnya mungkin lebih tinggi.',
    },
    stuck: { short: 'Tidak bergerak', hint: 'Sinyal mentah tidak berubah terlalu lama.' },
    out_of_range: { short: 'Tidak biasa', hint: 'Nilainya di luar yang biasa di sini.' },
    unstable: { short: 'Tidak stabil', hint: 'Contoh-contoh di balik nilai ini tidak sepakat.' },
    calibrating: {
      short: 'Sedang dikalibrasi',
      hint: 'Probe sedang dikalibrasi: ia berada di larutan buffer, bukan di tangki.',
    },
    other: { short: 'Catatan', hint: 'Agen yang lebih baru memberi catatan yang belum dikenal versi ini.' },
    recomputed: {
      short: 'Dihitung ulang',
      hint: 'Dihitung ulang dari sinyal mentah dengan kalibrasi yang lebih baru. Nilai aslinya tetap disimpan.',
    },
    clock: { short: 'Waktu tidak pasti', hint: 'Jam perangkat belum sinkron ketika mengukur.' },
    show: (count) => `Lihat ${count} catatan`,
  },

  device: {
    back: 'Perangkat',
    notFound: 'Tidak ada perangkat dengan nama ini',
    notFoundHint: 'Mungkin namanya lain, atau belum pernah didaftarkan.',
    toFleet: 'Ke daftar perangkat',
    range: 'Rentang waktu',
    ranges: { m15: '15 mnt', h1: '1 jam', h24: '24 jam', d7: '7 hari', d30: '30 hari' },
    charts: 'Grafik',
    min: 'Min',
    avg: 'Rata-rata',
    max: 'Maks',
    noData: 'Tidak ada pembacaan dalam rentang ini',
    noDataHint: 'Pilih rentang yang lebih panjang, atau tunggu pembacaan berikutnya.',
    onlyFaults: 'Hanya ada pembacaan gagal dalam rentang ini',
    chartFailed: 'Grafik tidak dapat dimuat',
    retry: 'Coba lagi',
    failedReadings: (_count, text) => `${text} pembacaan gagal`,
    chartLabel: (metric, range) => `Grafik ${metric}, ${range}`,
    details: 'Rincian',
    serial: 'Nomor seri',
    location: 'Lokasi',
    agent: 'Agen',
    enrolled: 'Terdaftar',
    lastSeen: 'Terakhir terlihat',
    clock: 'Jam',
    clocks: { synced: 'Sinkron', repaired: 'Diperbaiki kemudian', unsynced: 'Belum sinkron' },
    buffer: 'Menunggu di perangkat',
    dropped: 'Terbuang',
    droppedHint: 'Penyimpanan perangkat penuh, sehingga pembacaan tertua dibuang.',
    spread: (mv) => `Sinyal mentah ${mv} mV`,
    spreadHint: 'Rata-rata contoh, dan seberapa jauh contoh-contoh itu berbeda.',
    trouble: {
      disk_full: 'Kartu memori perangkat penuh. Pembacaan ditahan di RAM dan hilang bila listrik padam.',
      card_error:
        'Kartu memori perangkat tidak dapat ditulisi. Pembacaan ditahan di RAM; segera ganti kartunya.',
      other:
        'Perangkat tidak dapat menyimpan pembacaannya. Pembacaan ditahan di RAM dan hilang bila listrik padam.',
    },
    setAside: 'Penyimpanan rusak',
    setAsideHint: 'Berkasnya disisihkan di kartu memori dan perlu diperiksa.',
    troubleOther: (word) => `Perangkat melaporkan masalah: ${word}`,
    alarm: {
      no_gpio:
        'Keluaran alarm sudah diatur, tetapi mesin ini tidak punya pin itu: tidak akan ada bunyi atau lampu.',
    },
    alarmOther: (word) => `Keluaran alarm melaporkan masalah: ${word}`,
    none: 'Tidak ada',
    unknown: 'Tidak diketahui',
    revokedBanner: 'Perangkat ini telah dipensiunkan. Riwayatnya tetap ada, pembacaan baru ditolak.',
  },

  interval: {
    title: 'Interval pengukuran',
    lead: 'Seberapa sering setiap sensor dibaca.',
    agentDefault: 'Diatur di perangkat',
    custom: 'Lainnya…',
    seconds: 'Detik',
    secondsOf: (metric) => `Interval ${metric} dalam detik`,
    bounds: (shortest, longest) => `Antara ${shortest} dan ${longest}`,
    save: 'Simpan',
    saving: 'Menyimpan…',
    discard: 'Batalkan',
    applied: 'Diterapkan',
    waiting: 'Menunggu perangkat',
    waitingHint: 'Perangkat menerapkannya begitu terhubung.',
    untouched: 'Sesuai konfigurasi perangkat',
    saved: 'Interval disimpan',
  },

  revoke: {
    title: 'Pensiunkan perangkat',
    lead: 'Untuk perangkat yang hilang, dicuri, atau pensiun. Sambungannya langsung diputus dan sertifikatnya tidak berlaku lagi. Riwayatnya tetap ada.',
    open: 'Pensiunkan…',
    confirmTitle: (name) => `Pensiunkan ${name}?`,
    confirmLead: 'Sambungannya langsung diputus. Tindakan ini tidak dapat diurungkan.',
    typeName: (name) => `Ketik ${name} untuk memastikan`,
    confirm: 'Pensiunkan perangkat',
    done: (name) => `${name} telah dipensiunkan`,
  },

  calibration,

  docs: docsId,
  tokens: tokensId,

  alerts: alertsId,
  thresholds: thresholdsId,
  keys: keysId,
  outages: outagesId,
  overview: overviewId,
  devices: devicesId,
  compare: compareId,
  readings: readingsId,
  map: mapId,
  app: appId,
  registry: registryId,
  identity: identityId,
  claim: claimId,
  audit: auditId,
  chain: chainId,

  password: passwordId,
  security: securityId,
  people: peopleId,
  newcomers: newcomersId,
  profile: profileId,
  keyboard: keyboardId,

  settings: {
    title: 'Pengaturan',
    language: 'Bahasa',
    languageHint: 'Juga menentukan penulisan angka dan tanggal.',
    theme: 'Tampilan',
    themes: { system: 'Sistem', light: 'Terang', dark: 'Gelap' },
    account: 'Akun',
    signedInAs: (user) => `Masuk sebagai ${user}`,
    signOut: 'Keluar',
  },

  problem: {
    unreachable: 'Server tidak dapat dihubungi. Periksa jaringan, lalu coba lagi.',
    forbidden: 'Peran Anda tidak mengizinkan ini. Hubungi pengelola bila memerlukannya.',
    notFound: 'Data ini sudah tidak ada.',
    server: 'Server sedang bermasalah. Coba lagi sebentar lagi.',
    offline: 'Perangkat sedang terputus. Coba lagi setelah tersambung.',
    revoked: 'Perangkat sudah dipensiunkan.',
    notInForce: 'Kalibrasi ini sudah bukan yang berlaku. Lihat kembali riwayatnya.',
    unknownLabel:
      'Server tidak mengenal nama atau nomor seri ini. Daftarkan dahulu, atau tunggu sampai papan minta bergabung.',
    taken: (detail) => `Nama atau papan ini milik perangkat lain: ${detail}`,
    invalid: (detail) => `Ditolak oleh server: ${detail}`,
  },

  common: {
    cancel: 'Batal',
    close: 'Tutup',
    loading: 'Memuat…',
    doubt: (whole, part) => `Maksudnya ${whole} atau ${part}? Ketik tanpa pemisah ribuan.`,
    retry: 'Coba lagi',
    undo: 'Urungkan',
    undone: 'Perubahan diurungkan',
  },
  notFound: { title: 'Tidak ada apa-apa di sini', lead: 'Mungkin alamatnya salah ketik.' },
};
