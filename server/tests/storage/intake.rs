//! What the store promises about alerts of other systems, on every engine.

use crate::databases::{Database, NOW, on_each_database};
use server::intake::Reported;
use server::store::Intake;

fn report(key: &str) -> Reported {
    serde_json::from_value(serde_json::json!({"key": key, "state": "firing", "title": "It is hot"})).unwrap()
}

/// So many alerts of a token that are not resolved.
async fn fill(database: &Database, token: &str, count: usize, first: usize) {
    let row = |n: usize| {
        format!(
            "({}, 'intake', 'external', 'intake/{token}/k{n}', 'warning', 'warning', 'open', 0, 0, 0, 0, '{{}}', FALSE, TRUE)",
            first + n
        )
    };
    let rows: Vec<String> = (0..count).map(row).collect();
    database
        .tamper(format!(
            "INSERT INTO alert (id, source, kind, dedup_key, severity, worst, state, since, raised_at, known_at, changed_at,
             detail, simulated, announced) VALUES {}",
            rows.join(",")
        ))
        .await;
}

#[test]
fn a_token_has_a_thousand_unresolved_alerts_at_most_however_the_database_sorts() {
    on_each_database(async |database| {
        let store = database.open().await;
        if database.url.starts_with("postgres") {
            // As most languages sort: without regard to what is no letter.
            let sorted = "CREATE COLLATION loose (provider = icu, locale = 'en-u-ka-shifted');
                ALTER TABLE alert ALTER COLUMN dedup_key TYPE TEXT COLLATE loose";
            database.tamper(sorted).await;
        }
        fill(&database, "scada", 999, 1).await;
        fill(&database, "scada-2", 1500, 2000).await;
        let last = store.take_report("scada", &report("one more"), NOW).await.unwrap();
        assert!(matches!(last, Intake::Raised(_)), "{last:?}");
        assert_eq!(store.take_report("scada", &report("too many"), NOW).await.unwrap(), Intake::TooMany);
        let known = store.take_report("scada", &report("one more"), NOW).await.unwrap();
        assert!(matches!(known, Intake::Repeated(_)), "{known:?}");
        let other = store.take_report("genset", &report("k"), NOW).await.unwrap();
        assert!(matches!(other, Intake::Raised(_)), "another token has its own bound: {other:?}");
    });
}
