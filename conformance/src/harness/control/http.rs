//! The control protocol over HTTP.

use serde::Deserialize;
use serde_json::Value;

use super::{Answer, ControlError, unexpected_shape};
use crate::http::{HttpClient, HttpError, RawRequest, beginning};

/// A control over HTTP.
pub(super) struct HttpControl {
    /// Its address, without a slash at the end.
    pub(super) url: String,
    /// The token that it asks for.
    pub(super) token: Option<String>,
}

impl HttpControl {
    /// Asks for an operation. A call without a body asks for the description.
    pub(super) async fn call(
        &self,
        client: &HttpClient,
        operation: &'static str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, ControlError> {
        let response = match client.send(&self.request(path, body)).await {
            Ok((response, _)) => response,
            Err(error @ (HttpError::NotConnected(_) | HttpError::Disconnected(_))) => {
                return Err(ControlError::ConnectionLost { operation, reason: error.to_string() });
            }
            Err(error) => return Err(ControlError::Failed { operation, reason: error.to_string() }),
        };
        // 200 instead of 201 is a slip that changes nothing for the suite.
        if !matches!(response.status, 200 | 201 | 204) {
            #[derive(Deserialize)]
            struct Refusal {
                error: String,
            }
            let message = serde_json::from_slice::<Refusal>(&response.body).map(|refusal| refusal.error);
            let message = message.unwrap_or_else(|_| quoted(&response.body));
            let message = format!("{message} (from {})", self.address(path));
            return Ok(Answer::Refused { status: response.status, message: Some(message) });
        }
        if operation == "age" {
            return Ok(Answer::Done(Value::Null));
        }
        serde_json::from_slice(&response.body)
            .map(Answer::Done)
            .map_err(|error| ControlError::Failed { operation, reason: unexpected_shape(&error) })
    }

    /// The URL of an operation.
    fn address(&self, path: &str) -> String {
        let slash = if path.is_empty() { "" } else { "/" };
        format!("{}/_control/v1{slash}{path}", self.url)
    }

    fn request(&self, path: &str, body: Option<&Value>) -> RawRequest {
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        if let Some(token) = &self.token {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        if body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        RawRequest {
            method: if body.is_some() { "POST" } else { "GET" }.to_owned(),
            url: self.address(path),
            headers,
            body: body.map(|body| body.to_string().into_bytes()),
        }
    }
}

/// A body that is not in the form of a refusal.
fn quoted(body: &[u8]) -> String {
    match body.is_empty() {
        true => "an empty body".to_owned(),
        false => format!("`{}`", beginning(body)),
    }
}
