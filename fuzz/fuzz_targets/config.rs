//! Configurations: what can be read is checked without a panic, and what is shown can be read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use probav_ard::pipeline::Config;

fuzz_target!(|text: &str| {
    if let Ok(config) = toml::from_str::<Config>(text) {
        let _ = config.validate();
        let shown = toml::to_string(&config).expect("a configuration can be shown");
        toml::from_str::<Config>(&shown).expect("what is shown can be read");
    }
});
