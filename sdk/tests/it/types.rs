//! What the types promise beside their methods.

use otp_verify::{BuildError, d7, dailystory, exotel, kaleyra, zeckta};

fn shared<T: Send + Sync + 'static>() {}

fn sent<T: Send>(_: &T) {}

#[test]
fn clients_and_errors_go_to_any_thread() {
    macro_rules! check {
        ($($vendor:ident)*) => {$(
            shared::<$vendor::Client>();
            shared::<$vendor::ClientBuilder>();
            shared::<$vendor::Approved>();
            shared::<$vendor::Error>();
            shared::<$vendor::Body>();
        )*};
    }
    check!(zeckta kaleyra dailystory exotel d7);
    shared::<BuildError>();
}

#[test]
fn a_call_can_be_awaited_on_any_thread() {
    // A future that is never awaited sends nothing.
    let client = zeckta::Client::builder("key").base_url("http://127.0.0.1:1").build().unwrap();
    sent(&client.verify("", ""));
    let client = kaleyra::Client::builder("sid", "key").base_url("http://127.0.0.1:1").build().unwrap();
    sent(&client.verify("", ""));
    let client = dailystory::Client::builder("token").base_url("http://127.0.0.1:1").build().unwrap();
    sent(&client.verify("", ""));
    let client =
        exotel::Client::builder("sid", "id", "secret").base_url("http://127.0.0.1:1").build().unwrap();
    sent(&client.verify("", ""));
    let client = d7::Client::builder("token").base_url("http://127.0.0.1:1").build().unwrap();
    sent(&client.verify("", ""));
}

#[test]
fn a_result_is_small() {
    assert!(size_of::<zeckta::Error>() <= 40, "{}", size_of::<zeckta::Error>());
}

#[test]
fn an_error_can_be_boxed_and_asked_for_its_kind() {
    let error: Box<dyn std::error::Error + Send + Sync> =
        Box::new(kaleyra::Client::builder("", "key").build().unwrap_err());
    assert_eq!(error.to_string(), "sid is empty");
}
