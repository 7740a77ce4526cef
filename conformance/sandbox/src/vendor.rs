//! Everything specific to a vendor, derived from its contract alone: routes, credentials, requests and responses.
//!
//! It uses the HTTP and engine layers and the clock of the stores. It never decides an outcome and never names a
//! vendor.

pub(crate) mod auth;
pub(crate) mod ids;

mod adapter;
mod preferences;
mod render;
mod request;
mod routes;
mod tenants;

pub(crate) use self::adapter::VendorAdapter;
pub(crate) use self::preferences::Preferences;
pub(crate) use self::render::RenderContext;
pub(crate) use self::request::VerifyRequest;
pub(crate) use self::routes::Routes;
pub(crate) use self::tenants::{Credential, Tenant, Tenants};
