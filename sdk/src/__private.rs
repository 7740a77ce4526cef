//! What a client uses that `cargo xtask codegen --contract` generates in a crate of its own.
//!
//! Exempt from semantic versioning: such a crate is generated with the version of this package that it depends on. It
//! has the paths that modules of this package have, so that the generator writes one text for both. Nothing else may
//! use it.

pub use crate::{
    Approved, BuildError, Client, ClientBuilder, Error, InvalidInput, SecretString, VerifyRequest,
};

pub use progenitor_client;
pub use reqwest;

pub mod error {
    pub use crate::error::Variant;
}

pub mod http {
    pub use crate::http::{Api, Secret};

    pub mod credentials {
        pub use crate::http::credentials::{Credentials, KeyPlace};
    }

    pub mod environment {
        pub use crate::http::environment::{parsed, required};
    }
}

pub mod response {
    pub use crate::response::{
        Cell, Consumption, Literal, Member, MockResponse, Operation, Outcome, Remedy, RequestPart,
        ResponseTable, Rule, StateValue, StatusPattern,
    };
}

pub mod vendor {
    pub use crate::vendor::{Vendor, VerifyInput, VerifyOperation, VerifyResponses, sealed};
}
