//! Reads request bodies, bounded in size and time.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use axum::BoxError;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::Limits;

/// The size of the largest accepted request body. A verify call has a few hundred bytes.
pub(crate) const MAX_BODY_BYTES: usize = 16 * 1024;

/// A request body, from hyper, axum or a test.
pub(crate) trait RequestBody: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send {}

impl<B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send> RequestBody for B {}

/// Reads a whole body. The error is the status to respond with.
pub(crate) async fn read_body(body: impl RequestBody, limits: Limits) -> Result<Bytes, StatusCode> {
    let mut reading = pin!(Limited::new(body, MAX_BODY_BYTES).collect());
    // Nearly every body has arrived together with its head, so most calls need no timer.
    let read = match std::future::poll_fn(|context| Poll::Ready(reading.as_mut().poll(context))).await {
        Poll::Ready(read) => read,
        Poll::Pending => match tokio::time::timeout(limits.body_timeout, reading).await {
            Ok(read) => read,
            Err(_) => return Err(StatusCode::REQUEST_TIMEOUT),
        },
    };
    match read {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::BAD_REQUEST),
    }
}
