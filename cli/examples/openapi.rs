//! Prints the description of the local API, as it is committed in `docs/openapi.json`.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

fn main() -> Result<(), serde_json::Error> {
    println!("{}", serde_json::to_string_pretty(&cli::api::openapi())?);
    Ok(())
}
