//! Objects and failures as HTTP answers, in the language that was asked for.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::error::Failure;
use crate::settings::Language;

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

/// Why nothing was done.
pub(super) fn failure(failure: &Failure, language: Language) -> Response {
    failure_with(status(failure.exit()), failure, language)
}

/// The same with a status of its own.
pub(super) fn failure_with(status: StatusCode, failure: &Failure, language: Language) -> Response {
    object(status, &json!({"v": 1, "error": failure.told(language)}))
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
