//! Numbers as texts spell them.

/// The Int that it spells: decimal digits with an optional sign.
pub fn int(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// The Float that it spells: decimal digits with an optional sign, fraction and exponent.
pub fn float(text: &str) -> Option<f64> {
    // Rust also reads `inf`, `nan`, `.5` and `5.`, which no literal spells.
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let starts_well = [whole, fraction].iter().all(|part| part.starts_with(|c: char| c.is_ascii_digit()));
    text.parse().ok().filter(|_| starts_well)
}
