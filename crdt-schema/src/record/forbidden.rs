//! Fields the law, or restraint in its spirit, does not let us have: naming one says why.

use super::rules::{self, Refusal};

/// A field that is not declared on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forbidden {
    /// Names a form or sheet may give it, folded as [`forbidden`] folds.
    pub names: &'static [&'static str],
    /// Why not, in English.
    pub english: &'static str,
    /// Why not, in Indonesian.
    pub indonesian: &'static str,
}

const FORBIDDEN: &[Forbidden] = &[
    Forbidden {
        names: &["foto", "foto_wajah", "pas_foto"],
        english: "a face is biometric data (UU 27/2022 article 4) that no service here needs (article 27)",
        indonesian: "Foto wajah adalah data biometrik (UU 27/2022 pasal 4) dan tidak diperlukan \
                     untuk layanan (pasal 27).",
    },
    Forbidden {
        names: &["ktp_scan", "scan_ktp", "foto_ktp", "scan_kk", "foto_kk"],
        english: "a copy of an identity card holds more than any service here needs (UU 27/2022 article 27)",
        indonesian: "Salinan KTP atau KK memuat lebih banyak data daripada yang diperlukan \
                     (UU 27/2022 pasal 27).",
    },
    Forbidden {
        names: &["nama_ibu_kandung", "ibu_kandung", "nama_ibu"],
        english: "the mother's maiden name opens bank accounts (UU 27/2022 articles 27 and 35)",
        indonesian: "Nama ibu kandung adalah kunci rekening bank dan tidak boleh dikumpulkan \
                     (UU 27/2022 pasal 27 dan 35).",
    },
    Forbidden {
        names: &["rekening", "no_rekening", "nomor_rekening", "no_kks", "nomor_kks", "kks"],
        english: "bank accounts are specific data (UU 27/2022 article 4) and bank secrets; nothing is paid from here",
        indonesian: "Nomor rekening dan KKS adalah data keuangan pribadi (UU 27/2022 pasal 4) dan \
                     rahasia bank; tidak ada pembayaran dari sini.",
    },
    Forbidden {
        names: &["agama"],
        english: "no service here depends on religion, so it is not collected (UU 27/2022 article 27)",
        indonesian: "Layanan tidak bergantung pada agama, jadi tidak dikumpulkan \
                     (UU 27/2022 pasal 27).",
    },
];

/// Why there is no field of that name; `None` where there is no such reason.
/// Upper and lower case, spaces, dots and dashes make no difference.
pub fn forbidden(name: &str) -> Option<&'static Forbidden> {
    let plain = name.trim().to_lowercase().replace([' ', '-', '.'], "_");
    FORBIDDEN.iter().find(|field| field.names.contains(&plain.as_str()))
}

/// The refusal of a field that is forbidden, if it is.
pub(super) fn refuse(name: &str) -> Option<Refusal> {
    let found = forbidden(name)?;
    Some(Refusal::value(name, &rules::FORBIDDEN).because(found.english))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use crate::record::Schema;

    #[test]
    fn no_kind_declares_a_forbidden_field() {
        for kind in Schema::standard().kinds() {
            for field in kind.fields {
                assert!(forbidden(field.name).is_none(), "{}.{}", kind.name, field.name);
            }
        }
    }

    #[test]
    fn the_refusal_names_the_law() {
        for name in ["foto", "KTP scan", "nama_ibu_kandung", "no-rekening", "Agama"] {
            assert!(refuse(name).unwrap().message.contains("UU 27/2022"), "{name}");
        }
        assert!(refuse("nama").is_none());
    }
}
