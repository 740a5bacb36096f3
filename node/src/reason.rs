//! Reasons: the "why" of a failure as a name with gaps, so that it can be told in any language.
//!
//! Texts here are English, what a script reads as `cause`. The command line tells people the same
//! by the reason's name; a test there holds that each has a text with the same gaps.

use std::fmt;

use crate::echo::Echo;

/// One reason.
#[derive(Debug, PartialEq, Eq)]
pub struct Reason {
    /// `snake_case`, unique: texts in other languages are found by it.
    pub name: &'static str,
    /// In English; a gap is written `{gap}`.
    pub english: &'static str,
}

macro_rules! reasons {
    ($($id:ident $name:literal $english:literal;)*) => {
        $(
            #[doc = $english]
            pub const $id: Reason = Reason { name: $name, english: $english };
        )*
        /// Every reason.
        pub const ALL: &[Reason] = &[$($id),*];
    };
}

reasons! {
    OUTPUT_INSIDE "output_inside" "`{place}` lies in the data folder of a node; choose another place";
    NETWORK_PROVINCE "network_province" "a network is made for a province, {code} is none";
    NETWORK_NAME "network_name" "the name of a network has 1 to {most} bytes";
    NETWORK_NAME_SIGNS "network_name_signs" "the name of a network holds control characters, breaks of lines, or signs that are invisible or turn the direction of writing; type it again";
    AREA_SHAPE "area_shape" "{code} is no area code: an area code has 2, 4, 6 or 10 digits, like 32.09.21.2016";
    AREA_VILLAGE "area_village" "{code} is no area code: the village part begins with 1, 2 or 3";
    RIGHTS_WORD "rights_word" "the list of rights holds a word that is no right";
    RIGHTS_NONE "rights_none" "the list of rights is empty";
    EXPIRED_AT_ONCE "expired_at_once" "the invitation would have expired when it is made";
    CONFIRMED_AND_ENDED "confirmed_and_ended" "this device was confirmed already, and was closed or revoked since";
    CONFIRM_NOBODY "confirm_nobody" "this device joined without an invitation and waits for nobody";
    PEER_NO_ADDRESS "peer_no_address" "of this device no address is kept here";
    PEER_NOT_KEPT "peer_not_kept" "this address is not kept here";
    CLOSE_LAST "close_last" "no other device may issue for the whole of `{area}`, and nobody stands above it: nobody could be invited or closed there again";
    CLOSE_FEEDS "close_feeds" "a device with more than {most} feeds cannot be closed yet";
    AUTHORITY_FULL "authority_full" "this device said so much about devices and areas in `{area}` that others take no more of it; let another one that may do it";
    MOVE_CODE "move_code" "`{before}` cannot become `{code}`: another level, or the same code";
    MOVE_TAKEN_BY "move_taken_by" "`{code}` is the code of {name} already";
    MOVE_PARENT "move_parent" "`{before}` has areas below it: they are moved one by one";
    CODE_SHARED "code_shared" "`{code}` is the code of more than one area: {areas}; type the eleven digits of the one you mean";
    MOVE_FEEDS "move_feeds" "more than {most} feeds would end with this move";
    PURPOSE "purpose" "a purpose has {least} letters or digits or more, and {most} signs at most";
    PIECE_SMALL "piece_small" "a piece of this bundle has at least {least} bytes";
    PIECES_MANY "pieces_many" "the bundle would need more than {most} pieces; choose a larger size";
    SYNTH_REAL "synth_real" "synthetic people belong into a trial network";
    SYNTH_PRESET "synth_preset" "a preset is mini, desa, kec, kab, prov, pemekaran, bencana or tenggat";
    SYNTH_NO_VILLAGE "synth_no_village" "no village of West Java lies there";
    SYNTH_MANY "synth_many" "a village holds at most {most} synthetic records";
    SYNTH_MINI "synth_mini" "the preset mini has always twelve records";
    ADDRESS "address" "an address is a multiaddr like /ip4/192.0.2.7/udp/4001/quic-v1";
    ADDRESS_NOBODY "address_nobody" "{ip} is the address of no single machine; name the peer's own";
    ADDRESS_PORT "address_port" "port 0 means any port, and only where a node listens; name the port the peer listens on";
    ADDRESS_TRANSPORT "address_transport" "behind the host an address has /tcp/PORT or /udp/PORT/quic-v1";
    ADDRESS_PART "address_part" "this program cannot dial an address with `{part}` at this place; an address is a host, /tcp/PORT or /udp/PORT/quic-v1, and at its end perhaps /p2p/KEY";
    ADDRESS_KEYS "address_keys" "an address names one device: one /p2p/KEY, behind the port";
    ADDRESS_KEY "address_key" "what stands behind /p2p/ is no key of a device; such keys begin with 12D3KooW";
    ADDRESS_CIRCUIT "address_circuit" "an address through a hub names both: /p2p/HUB/p2p-circuit/p2p/DEVICE";
    ADDRESS_OWN "address_own" "this is the address of this device itself";
    ADDRESS_LISTEN "address_listen" "nobody can listen on `{address}`: a node listens on a number of its machine and a port, /ip4/0.0.0.0/tcp/4001 or /ip4/0.0.0.0/udp/4001/quic-v1, or at a hub, whose address ends with /p2p/KEY/p2p-circuit then";
    ADDRESSES_MANY "addresses_many" "{most} addresses are kept; remove one first";
    ADDRESS_INVITED "address_invited" "an address is a multiaddr like /ip4/192.0.2.7/udp/4001/quic-v1, of at most {most} bytes";
    ADDRESSES_INVITED "addresses_invited" "an invitation carries at most {most} addresses";
    QUERY "query" "a search has at least one letter or digit; leave it out to list all";
    LIMIT "limit" "`limit` is between 1 and {most}";
    CURSOR "cursor" "{given} is no place in a list";
    CHANGE_VALUE "change_value" "of the field {field} the value is wrong: `clear` has none, `add` and `remove` have a text, `put` has a text, true, false or a list of texts";
    SETTLE_ONE "settle_one" "a conflict is settled by one of `value` and `entry`";
    INVITATION_LARGE "invitation_large" "the authority of this area, of all below and above it is more than an invitation holds (16 MiB); some device may have filled it. Nothing was written. Invite to a lower area, or tell the province";
    INVITATION_NOBODY "invitation_nobody" "nobody entitled issued this invitation";
    BYTES_CHANGED "bytes_changed" "its bytes changed since it was made";
    BUNDLE_BEGINNING "bundle_beginning" "the header of the bundle is altered";
    KEYS_MISSING "keys_missing" "there are no keys here";
    KEYS_OTHER "keys_other" "the keys here are those of another device";
    KEYS_OF_ANOTHER "keys_of_another" "the keys may not be read by this account";
    KEYS_MANY "keys_many" "this device holds too many root keys";
    SHEET_CHANGED "sheet_changed" "it changed while it was read";
    SHEET_QUOTE "sheet_quote" "the quotation mark that opens in line {line} of the file (row {row}) is never closed";
    SHEET_ROW_ORDER "sheet_row_order" "row {row} stands behind row {before}";
    SHEET_PARTS "sheet_parts" "its parts do not fit together";
    SHEET_BOMB "sheet_bomb" "it unpacks to far more than any honest sheet: {detail}";
    SHEET_UNREADABLE "sheet_unreadable" "a part of it cannot be read: {detail}";
    BUNDLE "bundle" "a bundle";
    BUNDLE_NO_FILE "bundle_no_file" "a bundle file; this is a folder or a pipe, so name the files themselves";
    INVITATION "invitation" "an invitation";
    COLUMN_MAP "column_map" "a column map";
    SPREADSHEET "spreadsheet" "a spreadsheet";
    BUNDLE_OR_FREE "bundle_or_free" "a bundle, or a name that is free";
    INVITATION_OR_FREE "invitation_or_free" "an invitation, or a name that is free";
    DOCUMENT_OR_FREE "document_or_free" "an exported record, or a name that is free";
    LINES_OR_FREE "lines_or_free" "JSON lines, or a name that is free";
    MANUAL_OR_FREE "manual_or_free" "a manual page of this program, or a name that is free";
}

/// A reason with its gaps filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Because {
    reason: &'static Reason,
    gaps: Vec<(&'static str, Echo)>,
}

impl Because {
    /// A reason without gaps.
    pub const fn of(reason: &'static Reason) -> Self {
        Self { reason, gaps: Vec::new() }
    }

    /// Fills a gap with a word or number of ours.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over numbers and texts alike")]
    pub fn with(self, gap: &'static str, value: impl ToString) -> Self {
        self.typed(gap, Echo::Text(value.to_string()))
    }

    /// Fills a gap with what was typed, as far as it may be repeated.
    #[must_use]
    pub fn typed(mut self, gap: &'static str, value: Echo) -> Self {
        self.gaps.push((gap, value));
        self
    }

    /// The reason's name and its gaps, for a text in another language.
    pub fn facts(&self) -> Vec<(&'static str, Echo)> {
        let name = ("because", Echo::Text(self.reason.name.to_owned()));
        std::iter::once(name).chain(self.gaps.iter().cloned()).collect()
    }
}

impl From<&'static Reason> for Because {
    fn from(reason: &'static Reason) -> Self {
        Self::of(reason)
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fill = |text: String, (gap, value): &(&'static str, Echo)| match value {
            Echo::Text(value) => text.replace(&format!("{{{gap}}}"), value),
            Echo::Withheld { .. } => text.replace(&format!("{{{gap}}}"), &value.to_string()),
        };
        f.write_str(&self.gaps.iter().fold(self.reason.english.to_owned(), fill))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = ALL.iter().map(|reason| reason.name).collect();
        assert_eq!(names.len(), ALL.len());
        let is_word = |name: &&str| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(names.iter().all(is_word));
    }

    #[test]
    fn gaps_are_filled_and_what_was_typed_is_withheld() {
        let told = Because::of(&MOVE_CODE).with("before", "32.01").with("code", "32");
        assert_eq!(told.to_string(), "`32.01` cannot become `32`: another level, or the same code");
        let typed = Because::of(&CURSOR).typed("given", Echo::nothing("Siti"));
        assert_eq!(typed.to_string(), "the given text (4 characters) is no place in a list");
    }
}
