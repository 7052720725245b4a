// Owns the Indonesian text of calibration, in the words that a technician uses beside the tank.
import type { Dictionary } from './dictionary';

export const calibration: Dictionary['calibration'] = {
  probe: {
    never: 'Belum pernah dikalibrasi',
    last: (when, by) => `Terakhir dikalibrasi ${when} oleh ${by}`,
    health: (slope, offset, verdict) => `slope ${slope} %, ofset ${offset} mV, ${verdict}`,
    start: 'Kalibrasi',
    startNamed: (metric) => `Kalibrasi ${metric} sekarang`,
    history: 'Riwayat',
    historyNamed: (metric) => `Riwayat kalibrasi ${metric}`,
    noSensor: 'Tidak dapat dikalibrasi di sini: probe tidak menghasilkan tegangan.',
    notReported:
      'Belum dapat dikalibrasi: perangkat belum melaporkan probenya. Laporan datang begitu perangkat terhubung dengan agen terbaru.',
    offline: 'Perangkat harus terhubung agar dapat dikalibrasi.',
  },

  verdict: { good: 'baik', worn: 'aus, segera ganti' },
  verdictHint: {
    good: 'Elektroda dalam kondisi baik.',
    worn: 'Elektroda hampir habis masa pakainya. Bersihkan lalu kalibrasi ulang; bila tidak membaik, segera ganti.',
  },

  title: (metric) => `Kalibrasi ${metric}`,
  simulated: 'Probe ini simulasi. Anda dapat berlatih di sini; tidak ada air yang diukur.',

  setup: {
    ph: 'Perlu dua larutan buffer, tiga lebih baik. Siapkan air suling untuk membilas probe.',
    cell: 'Perlu satu larutan standar. Siapkan air suling untuk membilas probe.',
    temperature:
      'Siapkan termometer acuan. Satu titik menggeser skala, titik kedua pada suhu lain membuatnya lebih teliti.',
    level: 'Siapkan penggaris. Satu tinggi air menggeser skala, tinggi kedua membuatnya lebih teliti.',
    other: 'Siapkan alat acuan. Satu titik menggeser skala, titik kedua membuatnya lebih teliti.',
    buffers: 'Larutan buffer',
    technical: 'Teknis',
    nist: 'NIST',
    lot: 'Nomor lot atau kedaluwarsa',
    optional: 'boleh kosong',
    lotHint: 'Seperti pada botol. Dicatat dalam riwayat.',
    begin: 'Mulai',
    beginning: 'Menghubungi perangkat…',
    running: (metric) =>
      `Kalibrasi ${metric} sedang berjalan di perangkat ini. Bila Anda memulai yang baru, yang itu berakhir tanpa hasil.`,
    join: 'Lanjutkan yang itu',
    offline:
      'Perangkat sedang terputus, padahal kalibrasi memerlukannya. Periksa daya dan jaringannya; halaman ini tahu sendiri bila perangkat kembali.',
  },

  nominal: {
    cell: 'Nilai larutan standar',
    temperature: 'Termometer acuan',
    level: 'Tinggi air menurut penggaris',
    other: 'Nilai acuan',
    hintCell: 'Seperti pada botol, pada 25 °C',
    hintLevel: 'Dari dasar tangki sampai permukaan, dalam meter',
    hintOther: 'Baca tepat saat titik diambil',
    invalid: 'Isi angka, misalnya 25,4',
  },

  live: {
    now: 'Sekarang',
    waiting: 'Menunggu perangkat…',
    settled: 'Stabil',
    settling: 'Belum stabil',
    noSignal: 'Tidak ada sinyal',
    silent: (age) => `Tidak ada kabar dari perangkat selama ${age}`,
    silentLong: 'Mungkin perangkat terputus, atau kalibrasi sudah berakhir di sana.',
    spread: (mv) => `±\u00a0${mv} mV`,
    temperature: (celsius) => `Suhu yang dipakai: ${celsius} °C`,
    noTemperature: 'Suhu tidak terukur',
    trace: 'Sinyal satu menit terakhir',
    former: 'dengan kalibrasi yang lama',
  },

  measure: {
    dipFirst: 'Bilas probe dengan air suling, celupkan ke larutan buffer, lalu sentuh nilainya.',
    dipNext: 'Bilas probe, celupkan ke larutan buffer berikutnya, lalu sentuh nilainya.',
    dipCell: 'Bilas probe dengan air suling, lalu celupkan ke larutan standar.',
    dipLinear: 'Tunggu sampai alat acuan stabil, isi nilainya, lalu ambil titik.',
    inBuffer: (label) => `Probe di ${label}`,
    again: (label) => `Ukur ulang ${label}`,
    inHere: 'Probe di',
    againHere: 'Ukur ulang',
    take: 'Ambil titik',
    holding: (label) => `Menunggu ${label} stabil`,
    hold: 'Jangan gerakkan probe. Titik diambil sendiri.',
    stopWaiting: 'Berhenti menunggu',
    points: 'Titik yang sudah diambil',
    noPoints: 'Belum ada',
    remove: (label) => `Hapus titik ${label}`,
    result: 'Lihat hasil',
    missing: (_count, text) => `Perlu ${text} titik lagi`,
    more: 'Cukup. Satu titik lagi membuatnya lebih teliti.',
    enough: 'Semua titik sudah diambil.',
    cancel: 'Batalkan kalibrasi',
  },

  result: {
    title: 'Hasil',
    slope: 'Kemiringan (slope)',
    offset: 'Ofset',
    acid: 'Slope sisi asam',
    base: 'Slope sisi basa',
    k: 'Koreksi konstanta sel',
    factor: 'Faktor',
    shift: 'Geseran',
    notCalibrated: 'Tidak dikalibrasi',
    refused: 'Ditolak',
    refusedHint: 'Tidak ada yang berubah: kalibrasi yang lama tetap berlaku.',
    save: 'Simpan kalibrasi',
    saving: 'Menyimpan…',
    back: 'Kembali mengukur',
  },

  done: {
    title: 'Kalibrasi sudah berlaku',
    lead: 'Bilas probe dan kembalikan ke tangki.',
    sending: 'Perangkat sudah mengukur dengannya. Catatannya masih dalam perjalanan ke server.',
    undone: 'Kalibrasi diurungkan',
    undoneLead: 'Yang berlaku sebelumnya kini berlaku lagi.',
    device: 'Ke perangkat',
    history: 'Ke riwayat',
  },

  ended: {
    title: 'Kalibrasi telah berakhir',
    lead: 'Berakhir tanpa hasil: dibatalkan, terlalu lama ditinggal, atau perangkat dinyalakan ulang. Kalibrasi yang lama tetap berlaku.',
    elsewhere: 'Kalibrasi lain dimulai di perangkat ini, sehingga yang ini berakhir tanpa hasil.',
    again: 'Mulai lagi',
  },
  offline: {
    title: 'Perangkat terputus',
    lead: 'Kalibrasi tidak dapat diteruskan sekarang. Bila perangkat segera kembali, kalibrasi berlanjut sendiri.',
  },

  leave: {
    title: 'Tinggalkan kalibrasi?',
    lead: 'Kalibrasi berakhir tanpa hasil dan titik-titiknya hilang. Kalibrasi yang lama tetap berlaku.',
    stay: 'Tetap di sini',
    leave: 'Akhiri',
  },

  undo: {
    open: 'Urungkan',
    title: 'Urungkan kalibrasi ini?',
    lead: 'Yang berlaku sebelumnya akan berlaku lagi. Keduanya tetap ada dalam riwayat.',
    first: 'Sebelumnya tidak ada, jadi mulai sekarang probe dianggap belum dikalibrasi.',
    confirm: 'Urungkan kalibrasi',
    busy: 'Mengurungkan…',
    done: 'Kalibrasi sudah diurungkan',
  },

  history: {
    title: 'Riwayat kalibrasi',
    lead: (name) => `Semua kalibrasi ${name}. Tidak ada yang pernah dihapus dari daftar ini.`,
    link: 'Riwayat kalibrasi',
    probe: 'Probe',
    all: 'Semua',
    failed: 'Riwayat kalibrasi tidak dapat dimuat',
    empty: 'Belum ada kalibrasi',
    emptyHint: 'Kalibrasi pertama akan tampil di sini, lengkap dengan titik dan hasilnya.',
    when: 'Waktu',
    who: 'Oleh',
    solutions: 'Buffer dan lot',
    points: 'Titik',
    outcome: 'Hasil',
    via: { dashboard: 'lewat dasbor', device: 'di perangkat' },
    technical: 'Buffer teknis',
    nist: 'Buffer NIST',
    lot: (lot) => `Lot\u00a0${lot}`,
    active: 'Berlaku',
    undid: (when) => `Mengurungkan kalibrasi ${when}`,
    undoneBy: (by, when) => `Diurungkan oleh ${by}, ${when}`,
    clocks: { repaired: 'Waktu diperbaiki kemudian', unsynced: 'Waktu tidak pasti' },
    trend: 'Slope dari waktu ke waktu',
    trendLabel: (count, first, last) => `Slope dari ${count} kalibrasi: dari ${first} % menjadi ${last} %`,
    replace: 'ganti di bawah',
  },

  recomputed: {
    title: 'Penghitungan ulang',
    lead: 'Nilai yang dihitung ulang dari milivolt mentah. Nilai aslinya tetap disimpan.',
    empty: 'Belum pernah ada yang dihitung ulang.',
    revision: 'Versi',
    range: 'Rentang waktu',
    by: 'Dibuat',
    with: 'Kalibrasi',
    inForce: 'Yang berlaku pada waktu itu',
    of: (by, when) => `oleh ${by}, ${when}`,
    changed: (changed, readings) => `${changed} dari ${readings} pembacaan berubah`,
    digest: 'Sidik',
    within: 'Ada nilai yang dihitung ulang dalam rentang ini',
  },

  problem: {
    points: 'Jumlah titik tidak sesuai untuk probe ini.',
    too_close: (a, b) => `Titik ${a} dan ${b} terlalu berdekatan. Bilas probe dan pakai larutan lain.`,
    no_temperature: (point) =>
      `Suhu tidak terukur pada titik ${point}, padahal probe ini memerlukannya. Periksa probe suhu.`,
    temperature: (celsius) =>
      `${celsius} °C di luar tabel larutan buffer. Jadikan suhu larutan antara 0 dan 50 °C.`,
    unknown_buffer: (ph) => `Tidak ada buffer pH ${ph} dalam set ini.`,
    slope: (percent) =>
      `Slope ${percent} %; yang dapat dipakai 85 sampai 105 %. Larutan buffer salah atau lama, atau probe sudah aus.`,
    offset: (mv) =>
      `Ofset ${mv} mV; yang dapat dipakai paling banyak 30 mV. Larutan buffer salah atau lama, atau probe sudah aus.`,
    cell: (k) =>
      `Konstanta sel akan dikoreksi ${k}; yang wajar 0,25 sampai 4. Larutannya salah, atau probe kotor.`,
    saturated: (point) => `Probe di ujung rentangnya pada ${point}. Pakai larutan yang lebih encer.`,
    line: (factor) =>
      `Probe akan dikoreksi dengan faktor ${factor}; yang wajar 0,5 sampai 2. Periksa pengaturan dan letaknya.`,
    shift: (offset) =>
      `Probe akan digeser ${offset}, lebih dari yang wajar. Periksa pengaturan dan letaknya.`,
    not_finite: 'Ada titik yang nilainya bukan angka. Ambil lagi titik itu.',
    no_signal: 'Probe tidak memberi sinyal. Periksa steker dan kabelnya.',
    not_settled: 'Titik belum diambil. Tunggu sampai sinyal stabil, atau berhenti menunggu.',
    no_such_probe: 'Perangkat tidak punya probe ini, atau probe ini tidak dapat dikalibrasi.',
    busy: 'Kalibrasi lain dimulai di perangkat ini, sehingga yang ini berakhir.',
    full: 'Terlalu banyak kalibrasi menunggu server di perangkat. Sambungkan dulu, lalu kalibrasi lagi.',
    not_saved: 'Perangkat tidak dapat menyimpan kalibrasi: kartunya mungkin penuh atau rusak.',
    left_alone: 'Tidak ada tindakan selama sepuluh menit, jadi perangkat mengakhiri kalibrasi.',
  },
};
