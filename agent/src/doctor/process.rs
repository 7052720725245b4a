//! The agent itself: does it run, and does it reach its server?

use super::Finding;
use crate::config::Config;
use crate::local::{Answer, Client, ClientError, Request, State};

pub(super) async fn process(config: &Config) -> Vec<Finding> {
    let finding = match Client::once(&config.data_dir, &Request::State).await {
        Ok(Answer::State { state }) => judge(&state),
        Ok(_) => Finding::bad("agent", "it answers something else", "restart it: sudo systemctl restart tirta-agent"),
        Err(ClientError::NotRunning) => {
            let advice = "start it: sudo systemctl start tirta-agent; if it ends at once: journalctl -u tirta-agent";
            Finding::warning("agent", "none runs with this configuration", advice)
        }
        Err(error @ ClientError::NotAllowed) => Finding::warning("agent", error.to_string(), "use sudo"),
        Err(error) => Finding::bad("agent", error.to_string(), "restart it: sudo systemctl restart tirta-agent"),
    };
    vec![finding]
}

fn judge(state: &State) -> Finding {
    let name = state.device.as_deref().unwrap_or("not enrolled");
    let text = format!("it runs (version {}, {name})", state.agent);
    match (state.connected, state.calibrations) {
        (true, 0) => Finding::ok("agent", format!("{text} and is connected")),
        (true, waiting) => Finding::ok("agent", format!("{text} and is connected; {waiting} calibrations wait")),
        (false, _) => {
            let advice = "see the lines about the server; nothing is lost, readings wait on the card";
            Finding::warning("agent", format!("{text} and is not connected"), advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn an_agent_without_a_connection_is_a_warning() {
        let state = State { connected: true, device: Some("pi-7".to_owned()), ..State::default() };
        assert_eq!(judge(&state).verdict, Verdict::Ok);
        let finding = judge(&State { connected: false, ..state });
        assert!(finding.verdict == Verdict::Warning && finding.text.contains("pi-7"), "{finding:?}");
    }
}
