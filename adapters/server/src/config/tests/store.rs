//! What belongs to one store and is refused for others.

use super::{Config, refusal};

#[test]
fn a_store_that_servers_share_has_settings_of_its_own() {
    let config =
        Config::of("[store]\nurl = \"redis://localhost\"\ntimeout_ms = 500\nwait_for_replicas = 1")
            .unwrap();
    assert!(config.store.url.is_shared() && config.store.fence);
    assert_eq!(config.store.timeout.as_millis(), 500);
    assert_eq!(config.store.wait_for_replicas, 1);
    for (text, sentence) in [
        (
            "timeout_ms = 500",
            "store.timeout_ms (countersign.toml line 2): is for redis and postgres stores",
        ),
        (
            "url = \"postgres://h/d\"\nwait_for_replicas = 1",
            "store.wait_for_replicas (countersign.toml line 3): is for redis stores",
        ),
        (
            "url = \"redis://h\"\ntimeout_ms = 5",
            "store.timeout_ms (countersign.toml line 3): expected 10 to 60000 milliseconds",
        ),
        (
            "url = \"redis://h\"\npool_size = 4",
            "store.pool_size (countersign.toml line 3): is for postgres stores",
        ),
        (
            "url = \"postgres://h/d\"\npool_size = 0",
            "store.pool_size (countersign.toml line 3): expected 1 to 1000 connections",
        ),
        (
            "url = \"postgres://h/d\"\npool_size = 1001",
            "store.pool_size (countersign.toml line 3): expected 1 to 1000 connections",
        ),
        (
            "url = \"redis+cluster://h\"\nsentinel_user = \"u\"",
            "store.sentinel_user (countersign.toml line 3): is for redis+sentinel stores",
        ),
        (
            "url = \"redis://h\"\nsentinel_password_file = \"p\"",
            "store.sentinel_password_file (countersign.toml line 3): is for redis+sentinel stores",
        ),
        (
            "url = \"redis+sentinel://h/m\"\nsentinel_user = \"u\"",
            "store.sentinel_user (countersign.toml line 3): is set, and no password is",
        ),
        (
            "url = \"redis://\"",
            "store.url (countersign.toml line 2): a host is expected",
        ),
        (
            "url = \"mysql://h\"",
            "store.url (countersign.toml line 2): expected sqlite:PATH",
        ),
    ] {
        let said = refusal(&format!("[store]\n{text}"), &[]);
        assert!(said.starts_with(sentence), "{said}");
    }
}
