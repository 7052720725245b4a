//! What people write into alerts, in the language of the demo's people.

use server::alert::{Alert, Kind};
use shared::Metric;

/// What a technician notes about an alert, by what is wrong and where (the place's number).
pub fn note(alert: &Alert, site: usize) -> &'static [&'static str] {
    match (alert.kind, alert.metric, site) {
        (Kind::Low, Some(Metric::Ph), 0) => &[
            "Aerator nomor 2 mati, MCB turun. Sudah dinyalakan lagi.",
            "Aerator lemah, selang bocor. Selang diganti, kapur dolomit 200 g ditambahkan.",
        ],
        (Kind::Low | Kind::High, Some(Metric::Ph), 1) => &[
            "Pompa dosis tersumbat kerak. Sudah dibersihkan, dosis jalan lagi.",
            "Jeriken larutan pH kosong, sudah diisi.",
        ],
        (Kind::Low | Kind::High, Some(Metric::Ph), _) => &[
            "Dosis kaustik terlalu besar, setelan dikembalikan. Pembuangan ditahan sampai pH normal.",
            "Buangan asam dari jalur 3. Operator produksi sudah dihubungi, netralisasi jalan.",
        ],
        (Kind::Low | Kind::High, Some(Metric::Tds), 1) => &["Tangki nutrisi AB habis, sudah diisi ulang."],
        (Kind::Low | Kind::High, Some(Metric::Tds), _) => &["Air garam dari regenerasi softener. Diencerkan di bak."],
        (Kind::Low, Some(Metric::Volume), _) => &[
            "Sambungan pipa buang bocor, sudah dikencangkan. Air ditambah.",
            "Katup pelampung macet. Dibersihkan, air naik lagi.",
        ],
        (Kind::High, Some(Metric::Temperature), _) => {
            &["Cuaca panas, paranet ditutup.", "Sirkulasi air ditambah sampai sore."]
        }
        (Kind::Fault, ..) => {
            &["Konektor BNC lembap, dikeringkan dan dikencangkan.", "Kabel probe digigit tikus, kabel diganti."]
        }
        (Kind::LocationOffline, ..) | (Kind::FleetOffline, ..) => &["Listrik PLN padam di lokasi, menunggu menyala."],
        (Kind::Offline, ..) => &[
            "Modem 4G tidak dapat sinyal. Modem dinyalakan ulang.",
            "Adaptor daya dicek, colokan longgar.",
            "Router di lokasi mati, teknisi berangkat.",
        ],
        (Kind::RepeatedOutages, ..) => &["Antena longgar kena angin, akan dipasang ulang besok pagi."],
        _ => &["Sudah dicek di lokasi."],
    }
}

/// Why somebody resolves an alert by hand.
pub const RESOLVED: &str = "Sudah dicek di lokasi, keadaan normal.";
/// Why a device is maintained.
pub const MAINTENANCE: &str = "Pembersihan probe dan ganti kabel";
/// Why a place is silenced.
pub const STORM: &str = "Hujan petir, jaringan sering putus";
/// What the enrolment token is for.
pub const TOKEN: &str = "Pemasangan awal";
