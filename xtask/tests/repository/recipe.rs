//! The image's recipe, as far as it can be looked at without building it. Building it is `cargo xtask image`.

use std::{fs, path::PathBuf, process::Command};
use xtask::prepare::root;

fn images(name: &str) -> PathBuf {
    root().join("images").join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(images(name)).unwrap()
}

/// Lines that are neither empty nor comments.
fn lines(name: &str) -> Vec<String> {
    let lines = text(name).lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    lines.into_iter().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

#[test]
fn every_package_of_the_image_says_why_it_is_there() {
    let packages = lines("packages.txt");
    assert!(packages.len() > 10);
    for line in packages {
        assert!(
            line.split_once("  ").is_some_and(|(name, why)| !name.contains(' ') && !why.trim().is_empty()),
            "{line}"
        );
    }
}

#[test]
fn nothing_is_cut_that_leads_out_of_the_root() {
    for pattern in lines("cut.txt") {
        assert!(!pattern.starts_with('/') && !pattern.contains("..") && pattern.contains('/'), "{pattern}");
    }
}

#[test]
fn the_steps_of_the_recipe_are_scripts_that_a_shell_understands() {
    for name in ["build-base", "build-root", "build-card", "initramfs/overlay", "root/usr/lib/tirta/grow-data"] {
        let checked = Command::new("sh").arg("-n").arg(images(name)).status().unwrap();
        assert!(checked.success(), "{name}");
    }
}

#[test]
fn the_card_is_found_by_the_number_that_is_written_on_it() {
    let signature =
        lines("genimage.cfg").into_iter().find_map(|line| line.strip_prefix("disk-signature = 0x").map(str::to_owned));
    let signature = signature.unwrap().to_lowercase();
    assert!(text("boot/cmdline.txt").contains(&format!("root=PARTUUID={signature}-02 ")));
    assert!(text("build-card").contains("-L tirta-data") && text("build-card").contains("-n TIRTA-BOOT"));
    for (file, number) in [("root/etc/fstab", "03"), ("root/etc/fstab", "01"), ("root/usr/lib/tirta/grow-data", "03")] {
        assert!(text(file).contains(&format!("{signature}-{number}")), "{file}");
    }
    assert!(text("root/usr/lib/systemd/system/tirta-grow.service").contains(&format!("{signature}\\x2d03")));
}

#[test]
fn nobody_can_sign_in_with_a_password_and_no_key_is_in_the_recipe() {
    let ssh = lines("root/etc/ssh/sshd_config.d/tirta.conf");
    for line in ["PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin prohibit-password"] {
        assert!(ssh.iter().any(|said| said == line), "{line}");
    }
    assert!(lines("cut.txt").iter().any(|pattern| pattern == "etc/ssh/ssh_host_*"), "keys that Debian's package made");
    assert!(!images("root/root").exists() && !images("root/etc/shadow").exists());
}

#[test]
fn what_lasts_is_mounted_before_the_agent_starts_and_the_agent_does_not_start_without_it() {
    let agent = text("root/etc/systemd/system/tirta-agent.service.d/tirta.conf");
    assert!(agent.contains("RequiresMountsFor=/var/lib/tirta-agent"));
    let bound =
        lines("root/etc/fstab").into_iter().any(|line| line.starts_with("/data/agent ") && line.contains(" bind"));
    assert!(bound, "its folder is on the data partition");
}
