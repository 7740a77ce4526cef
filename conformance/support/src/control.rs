//! A client of the control protocol.

use serde_json::{Value, json};

use crate::{HttpClient, Response, Tenant};

/// A client of the control protocol.
#[derive(Clone)]
pub struct ControlClient {
    http: HttpClient,
}

impl ControlClient {
    /// A control client that sends its calls with `http`.
    pub fn new(http: HttpClient) -> ControlClient {
        ControlClient { http }
    }

    /// Sends any control call. `path` follows `/_control/v1`.
    pub async fn post(&self, path: &str, body: &Value) -> Response {
        let path = format!("/_control/v1{path}");
        let headers = [("content-type", "application/json")];
        self.http.send("POST", &path, &headers, body.to_string().as_bytes()).await
    }

    /// Creates a tenant of a vendor.
    pub async fn tenant(&self, vendor: &str) -> Tenant {
        let created = self.post("/tenants", &json!({"vendor": vendor})).await;
        assert_eq!(created.status, 201);
        Tenant::new(vendor, created.json())
    }

    /// Issues a code. `options` are further members of the call, such as `max_attempts`. Returns the control's
    /// response.
    pub async fn issue(&self, tenant: &Tenant, code: &str, options: Value) -> Value {
        let mut body = options;
        body["vendor"] = tenant.vendor().into();
        body["tenant"] = tenant.id().into();
        body["code"] = code.into();
        let issued = self.post("/sessions", &body).await;
        assert_eq!(issued.status, 201, "{:?}", issued.body);
        issued.json()
    }

    /// Issues a code and returns the session id.
    pub async fn session(&self, tenant: &Tenant, code: &str, options: Value) -> String {
        self.issue(tenant, code, options).await["session"].as_str().unwrap().to_owned()
    }

    /// Makes a session `seconds` older.
    pub async fn age(&self, tenant: &Tenant, session: &str, seconds: u64) {
        let body =
            json!({"vendor": tenant.vendor(), "tenant": tenant.id(), "session": session, "seconds": seconds});
        assert_eq!(self.post("/sessions/age", &body).await.status, 204);
    }
}
