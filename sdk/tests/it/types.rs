//! What the types guarantee besides their methods.

use std::future::IntoFuture as _;
use std::sync::Arc;

use otp_verify::{
    Approval, BuildError, Code, Error, SessionId, Verification, Verifier, d7, dailystory, exotel, kaleyra,
    zeckta,
};

fn assert_shareable<T: Send + Sync + 'static>() {}

fn assert_sendable<T: Send + 'static>(_: &T) {}

#[test]
fn clients_and_errors_are_send_and_sync() {
    macro_rules! check {
        ($($vendor:ident)*) => {$(
            assert_shareable::<$vendor::Client>();
            assert_shareable::<$vendor::ClientBuilder>();
            assert_shareable::<$vendor::Approved>();
            assert_shareable::<$vendor::Error>();
            assert_shareable::<$vendor::Body>();
        )*};
    }
    check!(zeckta kaleyra dailystory exotel d7);
    assert_shareable::<(BuildError, Error, Approval, Code, SessionId)>();
    assert_shareable::<Box<dyn Verifier>>();
}

#[test]
fn a_call_is_send() {
    // A future that is never awaited sends nothing.
    macro_rules! check {
        ($($vendor:ident($($argument:literal),*))*) => {$(
            let builder = $vendor::Client::builder($($argument),*);
            let call = builder.base_url("http://127.0.0.1:1").build().unwrap().verify("", Code::new(""));
            assert_sendable(&call);
            assert_sendable(&call.into_future());
        )*};
    }
    check!(zeckta("key") kaleyra("sid", "key") dailystory("token") exotel("sid", "id", "secret") d7("token"));
}

#[test]
fn a_result_is_small() {
    assert!(size_of::<zeckta::Error>() <= 16, "{}", size_of::<zeckta::Error>());
}

#[test]
fn an_error_can_be_boxed() {
    let error: Box<dyn std::error::Error + Send + Sync> =
        Box::new(kaleyra::Client::builder("", "key").build().unwrap_err());
    assert_eq!(error.to_string(), "sid is empty");
}

#[test]
fn a_pointer_to_a_client_is_a_verifier() {
    let client = zeckta::Client::builder("key").base_url("http://127.0.0.1:1").build().unwrap();
    let shared: Arc<dyn Verifier> = Arc::new(client.clone());
    let boxed: Box<dyn Verifier> = Box::new(Arc::clone(&shared));
    let verification: Verification = boxed.verify(SessionId::from("s"), Code::new("c"));
    assert_sendable(&verification);
    assert_eq!((shared.vendor(), boxed.vendor(), Verifier::vendor(&client)), ("zeckta", "zeckta", "zeckta"));
}
