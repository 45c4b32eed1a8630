//! Passwords and tokens, which nobody prints.

use std::fmt;

use zeroize::Zeroizing;

/// A text that is never shown: `{:?}` says `Secret`, there is no `{}`, and its
/// memory is overwritten when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that has to send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_shown() {
        let secret = Some(Secret::new("hunter2"));
        assert_eq!(format!("{secret:?}"), "Some(Secret)");
    }
}
