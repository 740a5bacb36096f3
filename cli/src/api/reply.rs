//! Objects and failures as HTTP answers, in the language that was asked for.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use node::error::ErrorKind;
use serde_json::{Value, json};

use crate::error::Failure;
use crate::settings::Language;
use crate::words::{Fact, Words};

/// The language of `Accept-Language`: the first of ours that stands there, else Indonesian.
pub(super) fn language(headers: &HeaderMap) -> Language {
    let wished = headers.get(header::ACCEPT_LANGUAGE).and_then(|it| it.to_str().ok());
    let mut wished = wished.unwrap_or_default().split(',').map(|it| it.trim().get(..2));
    wished
        .find_map(|code| Language::ALL.into_iter().find(|it| Some(it.code()) == code))
        .unwrap_or_default()
}

/// An object.
pub(super) fn object(status: StatusCode, object: &Value) -> Response {
    let json = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, json)], object.to_string()).into_response()
}

/// Why nothing was done; `operation` is the path below the version that was asked, if one was.
pub(super) fn failure(failure: &Failure, language: Language, operation: Option<&str>) -> Response {
    let error = error(failure, language, operation);
    object(status_of(failure), &json!({"v": 1, "error": error}))
}

/// The error object. A program that asked wrongly is led to the description of what it asked.
pub(super) fn error(failure: &Failure, language: Language, operation: Option<&str>) -> Value {
    let mut error = failure.told(language);
    let words = Words::new(language);
    let led = operation.filter(|_| failure.kind() == ErrorKind::Usage);
    if let (Some(operation), None) = (led, failure.own_hint(words)) {
        let hint = words.say_with("usage-api-see", &[Fact::new("operation", operation)]);
        error.as_object_mut().and_then(|fields| fields.insert("hint".to_owned(), hint.into()));
    }
    error
}

/// The status a failure is told with.
fn status_of(failure: &Failure) -> StatusCode {
    match failure.reason() {
        Some("usage-api-token" | "usage-api-link") => StatusCode::UNAUTHORIZED,
        Some("usage-api-foreign") => StatusCode::FORBIDDEN,
        Some("usage-api-path" | "usage-api-no-ask") => StatusCode::NOT_FOUND,
        Some("usage-api-method") => StatusCode::METHOD_NOT_ALLOWED,
        Some("usage-api-large") => StatusCode::PAYLOAD_TOO_LARGE,
        Some("usage-api-streams") => StatusCode::TOO_MANY_REQUESTS,
        Some("usage-api-type") => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        _ => status(failure.exit()),
    }
}

/// A refusal of the server beneath us, told as ours are.
pub(super) fn refusal(status: StatusCode) -> Option<Failure> {
    let key = match status {
        StatusCode::BAD_REQUEST => "usage-api-request",
        StatusCode::NOT_FOUND => "usage-api-path",
        StatusCode::METHOD_NOT_ALLOWED => "usage-api-method",
        StatusCode::PAYLOAD_TOO_LARGE => "usage-api-large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "usage-api-type",
        _ => return None,
    };
    Some(Failure::usage(key, Vec::new()))
}

/// What an exit code is in HTTP.
pub(super) const fn status(exit: u8) -> StatusCode {
    match exit {
        2 => StatusCode::BAD_REQUEST,
        3 => StatusCode::NOT_FOUND,
        4 | 5 => StatusCode::UNPROCESSABLE_ENTITY,
        6 | 9 => StatusCode::CONFLICT,
        8 => StatusCode::FORBIDDEN,
        10 | 130 => StatusCode::SERVICE_UNAVAILABLE,
        11 => StatusCode::INSUFFICIENT_STORAGE,
        13 => StatusCode::BAD_GATEWAY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;

    #[test]
    fn the_first_language_of_ours_answers_and_indonesian_else() {
        let of = |wished: &str| {
            let pair = (header::ACCEPT_LANGUAGE, wished.parse().unwrap());
            language(&HeaderMap::from_iter([pair]))
        };
        assert_eq!(of("en-GB,id;q=0.5"), Language::English);
        assert_eq!(of("fr, id-ID, en"), Language::Indonesian);
        assert_eq!(of("fr"), Language::Indonesian);
        assert_eq!(language(&HeaderMap::new()), Language::Indonesian);
    }
}
