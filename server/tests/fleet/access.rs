//! What no device may do, whatever the broker: run against the embedded one and against Mosquitto.
//!
//! A broker may refuse loudly or drop silently. So each test tries the forbidden, then lets something permitted
//! follow it on the same path: what is heard first is the permitted message, or the broker is open.

use super::{Fleet, client::Client, now, tools, until};
use server::ca::Authority;
use shared::UtcMillis;

/// A fleet and the broker that it uses.
pub struct Target {
    pub fleet: Fleet,
    pub port: u16,
}

impl Target {
    /// The server's connection, hearing all that devices say.
    async fn watcher(&self) -> Client {
        let watcher = Client::connect(self.port, &self.fleet.service()).await.unwrap();
        for filter in ["tirta/#", "$share/group/other/#"] {
            watcher.subscribe(filter).await.unwrap();
        }
        watcher
    }
}

const MARK: &str = "this one is allowed";

fn heard(topic: &str) -> (String, String) {
    (topic.to_owned(), MARK.to_owned())
}

/// Topics that pi-1 must not write.
const NOT_TO_WRITE: [&str; 9] = [
    "tirta/pi-2/up/readings",
    "tirta/pi-2/up/status",
    "tirta/pi-2/down/ack",
    "tirta/pi-2/down/settings",
    "tirta/pi-1/down/settings",
    "tirta/pi-11/up/readings",
    "tirta/tirta-server/up/readings",
    "tirta/alerts",
    "tirta/alerts/up/readings",
];

/// Filters by which pi-1 must hear nothing of others.
const NOT_TO_READ: [&str; 14] = [
    "#",
    "+/#",
    "tirta/#",
    "tirta/+",
    "tirta/alerts",
    "$share/group/tirta/alerts",
    "tirta/+/down/#",
    "tirta/+/up/status",
    "tirta/pi-2/down/#",
    "tirta/pi-2/up/readings",
    "$share/group/tirta/#",
    "$share/group/tirta/pi-2/down/ack",
    "$SYS/#",
    "$SYS/broker/version",
];

pub async fn a_device_cannot_write_the_topics_of_others(target: &Target) {
    let (pi_1, _pi_2) = (target.fleet.device().await, target.fleet.device().await);
    let mut watcher = target.watcher().await;
    for topic in NOT_TO_WRITE {
        for retain in [vec![], vec!["-r"]] {
            tools::publish(target.port, &pi_1, "pi-1", topic, "forged", &retain).await;
        }
    }
    let library = Client::connect(target.port, &pi_1).await.unwrap();
    for topic in NOT_TO_WRITE {
        // Some brokers answer with a refusal, some with silence, some hang up.
        library.throw(topic, "forged").await;
    }
    library.die().await;
    let output = tools::publish(target.port, &pi_1, "pi-1", "tirta/pi-1/up/readings", MARK, &[]).await;
    assert!(output.status.success(), "{}", tools::said(&output));
    assert_eq!(watcher.next().await, heard("tirta/pi-1/up/readings"));

    // Nothing was kept for later either.
    let mut late = Client::connect_as(target.port, target.fleet.service().tls(), "tirta-late", None).await.unwrap();
    late.subscribe("tirta/#").await.unwrap();
    late.publish("tirta/pi-1/down/ack", MARK, false).await.unwrap();
    assert_eq!(late.next().await, heard("tirta/pi-1/down/ack"));
}

pub async fn a_device_cannot_read_the_topics_of_others(target: &Target) {
    let (pi_1, _pi_2) = (target.fleet.device().await, target.fleet.device().await);
    let server = target.watcher().await;
    let secret = "not for pi-1";
    for (topic, retain) in [("tirta/pi-2/up/status", true), ("tirta/pi-2/down/settings", true)] {
        server.publish(topic, secret, retain).await.unwrap();
    }

    let mut library = Client::connect(target.port, &pi_1).await.unwrap();
    for filter in NOT_TO_READ {
        // What the broker says to it is its affair; what counts is what comes.
        let _ = library.subscribe(filter).await;
    }
    library.subscribe("tirta/pi-1/down/#").await.unwrap();
    let say = async || {
        for topic in ["tirta/alerts", "tirta/pi-2/down/ack", "tirta/pi-2/up/readings", "tirta/pi-2/down/settings"] {
            server.publish(topic, secret, false).await.unwrap();
        }
        server.publish("tirta/pi-1/down/ack", MARK, false).await.unwrap();
    };
    say().await;
    assert_eq!(library.next().await, heard("tirta/pi-1/down/ack"));
    library.leave().await;

    let mut tool = tools::tool("mosquitto_sub", target.port, &pi_1, "pi-1");
    tool.args(["-v", "-C", "1", "-t", "tirta/pi-1/down/#"]);
    for filter in NOT_TO_READ {
        tool.args(["-t", filter]);
    }
    let mut listening = tokio::spawn(async move { tools::run(&mut tool).await });
    // It says nowhere that it listens now: speak until it has heard.
    until("mosquitto_sub has heard something", async || {
        say().await;
        listening.is_finished()
    })
    .await;
    let output = (&mut listening).await.unwrap();
    let line = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(line.trim(), format!("tirta/pi-1/down/ack {MARK}"), "{}", tools::said(&output));
}

pub async fn a_last_will_cannot_write_the_topics_of_others(target: &Target) {
    let (pi_1, _pi_2, pi_3) = (target.fleet.device().await, target.fleet.device().await, target.fleet.device().await);
    let mut watcher = target.watcher().await;
    for topic in NOT_TO_WRITE {
        for retain in [false, true] {
            match Client::connect_as(target.port, pi_1.tls(), "pi-1", Some((topic, "forged", retain))).await {
                Ok(dying) => dying.die().await,
                Err(refused) => assert!(refused.contains("NotAuthorized"), "{refused}"),
            }
        }
    }
    let own = Some(("tirta/pi-3/up/status", MARK, true));
    let dying = Client::connect_as(target.port, pi_3.tls(), "pi-3", own).await.unwrap();
    dying.die().await;
    assert_eq!(watcher.next().await, heard("tirta/pi-3/up/status"));
    // The connections that died before were noticed before, or at the latest when their owner is back.
    let back = Client::connect(target.port, &pi_1).await.unwrap();
    back.publish("tirta/pi-1/up/readings", MARK, false).await.unwrap();
    assert_eq!(watcher.next().await, heard("tirta/pi-1/up/readings"));
}

pub async fn a_stolen_client_id_neither_helps_the_thief_nor_disturbs_the_victim(target: &Target) {
    let (pi_1, pi_2) = (target.fleet.device().await, target.fleet.device().await);
    let server = target.watcher().await;
    let mut victim = Client::connect(target.port, &pi_2).await.unwrap();
    victim.subscribe("tirta/pi-2/down/#").await.unwrap();

    let thief = Client::connect_as(target.port, pi_1.tls(), "pi-2", None).await;
    let forged = tools::publish(target.port, &pi_1, "pi-2", "tirta/pi-2/up/readings", "forged", &[]).await;
    if let Ok(thief) = &thief {
        // Mosquitto lets it in under its own name.
        let _ = thief.subscribe("tirta/pi-2/down/#").await;
        thief.throw("tirta/pi-2/up/readings", "forged").await;
    }
    server.publish("tirta/pi-2/down/ack", MARK, false).await.unwrap();
    assert_eq!(victim.next().await, heard("tirta/pi-2/down/ack"));
    assert!(victim.is_connected(), "the victim was thrown out; mosquitto_pub: {}", tools::said(&forged));

    let mut watcher = server;
    victim.publish("tirta/pi-2/up/readings", MARK, false).await.unwrap();
    // It hears its own ack first, then what the victim says, and nothing of the thief.
    assert_eq!(watcher.next().await, heard("tirta/pi-2/down/ack"));
    assert_eq!(watcher.next().await, heard("tirta/pi-2/up/readings"));
    if let Ok(mut thief) = thief
        && thief.is_connected()
    {
        server_says(&watcher, "tirta/pi-1/down/ack").await;
        let _ = thief.subscribe("tirta/pi-1/down/#").await;
        server_says(&watcher, "tirta/pi-1/down/ack").await;
        assert_eq!(thief.next().await, heard("tirta/pi-1/down/ack"), "the thief heard something of the victim");
    }
}

async fn server_says(server: &Client, topic: &str) {
    server.publish(topic, MARK, false).await.unwrap();
}

pub async fn nobody_gets_in_without_a_good_certificate(target: &Target) {
    let fleet = &target.fleet;
    let pi_1 = fleet.device().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let foreign = Authority::open(elsewhere.path(), &[], now()).unwrap();
    let three_years_ago = UtcMillis(now().0 - 3 * 365 * 86_400_000);
    let strangers = [
        ("no certificate", fleet.anonymous_tls()),
        ("a foreign authority", fleet.forge(&foreign, &pi_1.device(), now()).tls()),
        ("an expired certificate", fleet.forge(&fleet.authority, &pi_1.device(), three_years_ago).tls()),
        ("a certificate of tomorrow", {
            let in_a_week = UtcMillis(now().0 + 7 * 86_400_000);
            fleet.forge(&fleet.authority, &pi_1.device(), in_a_week).tls()
        }),
    ];
    for (who, tls) in strangers {
        let connected = Client::connect_as(target.port, tls, "pi-1", None).await;
        assert!(connected.is_err(), "{who} got in");
    }
    Client::connect(target.port, &pi_1).await.expect("whereas a good certificate gets in");
}

/// One test for each, in the file that includes this.
#[macro_export]
macro_rules! access_tests {
    ($target:path) => {
        #[tokio::test]
        async fn a_device_cannot_write_the_topics_of_others() {
            $crate::fleet::access::a_device_cannot_write_the_topics_of_others(&$target().await.target).await;
        }
        #[tokio::test]
        async fn a_device_cannot_read_the_topics_of_others() {
            $crate::fleet::access::a_device_cannot_read_the_topics_of_others(&$target().await.target).await;
        }
        #[tokio::test]
        async fn a_last_will_cannot_write_the_topics_of_others() {
            $crate::fleet::access::a_last_will_cannot_write_the_topics_of_others(&$target().await.target).await;
        }
        #[tokio::test]
        async fn a_stolen_client_id_neither_helps_the_thief_nor_disturbs_the_victim() {
            let running = $target().await;
            $crate::fleet::access::a_stolen_client_id_neither_helps_the_thief_nor_disturbs_the_victim(&running.target)
                .await;
        }
        #[tokio::test]
        async fn nobody_gets_in_without_a_good_certificate() {
            $crate::fleet::access::nobody_gets_in_without_a_good_certificate(&$target().await.target).await;
        }
    };
}
