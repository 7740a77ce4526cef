//! Reads how the requests of an operation are authenticated.
//!
//! It never looks at the rest of the request, or at the responses.

use crate::document_node::DocumentNode;
use crate::problem::Problem;
use crate::{ArgumentNames, Scheme, SecurityScheme, annotation};

fn is_header_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

pub(super) fn read_security(
    root: &DocumentNode<'_>,
    operation_node: &DocumentNode<'_>,
) -> Result<Vec<SecurityScheme>, Problem> {
    let listed = match operation_node.optional("security")? {
        Some(listed) => listed,
        None => root.member("security", "how a request is authenticated")?,
    };
    let schemes = root
        .member("components", "the security schemes")?
        .member("securitySchemes", "the security schemes")?;
    let mut found = Vec::new();
    for requirement in listed.elements()? {
        let [scheme] = requirement
            .members()?
            .try_into()
            .map_err(|_| requirement.unexpected("one scheme; requiring two at once is not supported"))?;
        let name = scheme.key().to_owned();
        let definition = schemes.member(&name, "the definition of a scheme that is used")?;
        let annotation = read_annotation(&definition)?;
        let kind = definition.member("type", "http or apiKey")?;
        let scheme = match kind.string()? {
            "http" => {
                let scheme = definition.member("scheme", "bearer or basic")?;
                match scheme.string()?.to_ascii_lowercase().as_str() {
                    "bearer" => Scheme::Bearer,
                    "basic" => Scheme::Basic,
                    _ => return Err(scheme.unexpected("bearer or basic")),
                }
            }
            "apiKey" => {
                let place = definition.member("in", "header, query or cookie")?.read()?;
                let name = definition.member("name", "the name of the header, parameter or cookie")?;
                if !is_header_text(name.string()?) {
                    return Err(name.unexpected("a name in ASCII"));
                }
                Scheme::ApiKey { place, name: name.string()?.to_owned(), prefix: annotation.prefix }
            }
            _ => return Err(kind.unexpected("http or apiKey")),
        };
        let arguments = ArgumentNames {
            secret: annotation.argument,
            user: annotation.user,
            password: annotation.password,
        };
        found.push(SecurityScheme { name, scheme, arguments });
    }
    if found.is_empty() {
        return Err(listed.unexpected("at least one security scheme"));
    }
    Ok(found)
}

fn read_annotation(definition: &DocumentNode<'_>) -> Result<annotation::SecurityScheme, Problem> {
    let Some(extension) = definition.optional("x-otp")? else {
        return Ok(annotation::SecurityScheme::default());
    };
    let annotation: annotation::SecurityScheme = extension.read()?;
    match &annotation.prefix {
        Some(word) if !is_header_text(word) || word.contains(' ') => {
            Err(extension.unexpected("a prefix that is one word in ASCII"))
        }
        _ => Ok(annotation),
    }
}
