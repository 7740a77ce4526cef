//! What the types promise beside their methods.

use std::future::IntoFuture as _;
use std::sync::Arc;

use otp_verify::{
    Approval, BuildError, Code, Error, SessionId, Verification, Verifier, d7, dailystory, exotel, kaleyra,
    zeckta,
};

fn shared<T: Send + Sync + 'static>() {}

fn sent<T: Send + 'static>(_: &T) {}

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
    shared::<(BuildError, Error, Approval, Code, SessionId)>();
    shared::<Box<dyn Verifier>>();
}

#[test]
fn a_call_can_be_awaited_on_any_thread() {
    // A future that is never awaited sends nothing.
    let client = zeckta::Client::builder("key").base_url("http://127.0.0.1:1").build().unwrap();
    let call = client.verify("", Code::new(""));
    sent(&call);
    sent(&call.into_future());
    let client = kaleyra::Client::builder("sid", "key").base_url("http://127.0.0.1:1").build().unwrap();
    let call = client.verify("", Code::new(""));
    sent(&call);
    sent(&call.into_future());
    let client = dailystory::Client::builder("token").base_url("http://127.0.0.1:1").build().unwrap();
    let call = client.verify("", Code::new(""));
    sent(&call);
    sent(&call.into_future());
    let client =
        exotel::Client::builder("sid", "id", "secret").base_url("http://127.0.0.1:1").build().unwrap();
    let call = client.verify("", Code::new(""));
    sent(&call);
    sent(&call.into_future());
    let client = d7::Client::builder("token").base_url("http://127.0.0.1:1").build().unwrap();
    let call = client.verify("", Code::new(""));
    sent(&call);
    sent(&call.into_future());
}

#[test]
fn a_result_is_small() {
    assert!(size_of::<zeckta::Error>() <= 16, "{}", size_of::<zeckta::Error>());
}

#[test]
fn an_error_can_be_boxed_and_asked_for_its_kind() {
    let error: Box<dyn std::error::Error + Send + Sync> =
        Box::new(kaleyra::Client::builder("", "key").build().unwrap_err());
    assert_eq!(error.to_string(), "sid is empty");
}

#[test]
fn any_client_is_a_verifier_behind_a_pointer() {
    let client = zeckta::Client::builder("key").base_url("http://127.0.0.1:1").build().unwrap();
    let shared: Arc<dyn Verifier> = Arc::new(client.clone());
    let boxed: Box<dyn Verifier> = Box::new(Arc::clone(&shared));
    let verification: Verification = boxed.verify(SessionId::from("s"), Code::new("c"));
    sent(&verification);
    assert_eq!((shared.vendor(), boxed.vendor(), Verifier::vendor(&client)), ("zeckta", "zeckta", "zeckta"));
}
