//! Who may do what, as bytes: rights, device keys, the root statement, authority payloads.
//!
//! What they mean together is computed by the node; nothing here decides.

mod device;
mod payload;
mod rights;
mod statement;

pub use device::DeviceKeys;
pub use payload::{
    Adoption, Alias, Certificate, Closing, Confirmation, Cut, FeedEnd, Invitation, Limits,
    NAMES_MAX, Payload, Revocation, TEXT_BYTES_MAX,
};
pub use rights::{Rights, UnknownRight};
pub use statement::{
    NAME_BYTES_MAX, ROOT_DEVICES_MAX, ROOT_KEYS_MAX, RootStatement, SignedStatement, StatementError,
};

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use crate::area::AreaId;
    use crate::codec::DecodeError;
    use crate::entry::{ChainPoint, EntryKind, SigningSecret};
    use crate::id::{DeviceId, EntryId, FeedId};
    use crate::time::Timestamp;
    use proptest::prelude::*;

    fn keys(seed: u8) -> DeviceKeys {
        let signing = SigningSecret::from_seed(&[seed; 32]).public();
        DeviceKeys { transport: [seed; 32], signing, sealing: [seed + 1; 32] }
    }

    /// Of keys and devices at their limits the signed statement is read; of one more it is not.
    #[test]
    fn a_statement_names_as_many_keys_and_devices_as_it_may_and_no_more() {
        let signed = |roots: u8, others: u8| {
            let secret = |seed| SigningSecret::from_seed(&[seed; 32]);
            let mut secrets: Vec<SigningSecret> = (1..=roots).map(secret).collect();
            secrets.sort_unstable_by_key(SigningSecret::public);
            let mut named: Vec<DeviceKeys> = (1..=others).map(keys).collect();
            named.sort_unstable();
            let statement = RootStatement {
                name: "Jaringan".into(),
                area: AreaId::WEST_JAVA,
                trial: true,
                threshold: roots / 2 + 1,
                keys: secrets.iter().map(SigningSecret::public).collect(),
                devices: named,
            };
            statement.sign(&secrets).map(|_| ())
        };
        let too_large = |what| Err(StatementError::Bytes(DecodeError::TooLarge(what)));
        let [roots, others] = [ROOT_KEYS_MAX, ROOT_DEVICES_MAX].map(|it| u8::try_from(it).unwrap());
        assert_eq!(signed(roots, others), Ok(()));
        assert_eq!(signed(roots + 1, others), too_large("root keys"));
        assert_eq!(signed(roots, others + 1), too_large("root devices"));
    }

    fn certificate() -> Certificate {
        Certificate {
            keys: keys(3),
            area: "32090000000".parse().unwrap(),
            rights: Rights::above_desa(),
            limits: Limits { valid_until: Some(Timestamp(5)), entries_per_day: 9 },
            invited: Some((EntryId([4; 32]), [5; 64])),
        }
    }

    fn one_of_each() -> Vec<Payload> {
        let end =
            FeedEnd { feed: FeedId([1; 32]), last: ChainPoint { seq: 7, id: EntryId([2; 32]) } };
        let device = DeviceId([8; 32]);
        let area = "32092120160".parse().unwrap();
        vec![
            Payload::Invitation(Invitation {
                key: keys(1).signing,
                area,
                rights: Rights::desa(),
                expires_at: Timestamp(-1),
                counts_at_once: true,
            }),
            Payload::Certificate(certificate()),
            Payload::Confirmation(Confirmation {
                invitation: EntryId([6; 32]),
                certificate: certificate(),
            }),
            Payload::Closing(Closing { device, ends: vec![end, end] }),
            Payload::Revocation(Revocation { device, reason: "hilang".into() }),
            Payload::Cut(Cut { device, ends: vec![] }),
            Payload::Adoption(Adoption { ranges: vec![(end.feed, 3, end.last)] }),
            Payload::Alias(Alias {
                area,
                code: "32.09.21.2016".parse().unwrap(),
                name: "Sambeng".into(),
                parent: "32092100000".parse().unwrap(),
                valid_from: 20_251_101,
                closes: vec![end],
            }),
        ]
    }

    #[test]
    fn every_payload_comes_back_and_no_byte_of_it_may_be_missing() {
        for payload in one_of_each() {
            let bytes = payload.to_bytes();
            assert_eq!(Payload::from_bytes(payload.kind(), &bytes).unwrap(), Some(payload.clone()));
            for length in 0..bytes.len() {
                let cut = bytes.get(..length).unwrap();
                assert!(
                    Payload::from_bytes(payload.kind(), cut).is_err(),
                    "{payload:?} at {length}"
                );
            }
        }
    }

    #[test]
    fn payloads_have_these_bytes_for_ever() {
        let golden: Vec<String> =
            one_of_each().iter().map(|it| hex::encode(it.to_bytes())).collect();
        assert_eq!(golden.join("\n"), include_str!("../../golden/authority-v1.hex").trim());
    }

    #[test]
    fn a_statement_signed_by_too_few_or_by_the_same_key_twice_founds_nothing() {
        let secrets = [1, 2, 3].map(|seed| SigningSecret::from_seed(&[seed; 32]));
        let mut root_keys = secrets.iter().map(SigningSecret::public).collect::<Vec<_>>();
        root_keys.sort_unstable();
        let statement = RootStatement {
            name: "Uji".into(),
            area: "32000000000".parse().unwrap(),
            trial: true,
            threshold: 2,
            keys: root_keys,
            devices: vec![keys(9)],
        };
        let [a, b, _] = &secrets;
        let twice = [SigningSecret::from_seed(&[1; 32]), SigningSecret::from_seed(&[1; 32])];
        assert_eq!(statement.clone().sign(&twice), Err(StatementError::Unsigned));
        let both = [SigningSecret::from_seed(&[1; 32]), SigningSecret::from_seed(&[2; 32])];
        assert_eq!((a.public(), b.public()), (both[0].public(), both[1].public()));
        let signed = statement.clone().sign(&both).unwrap();
        assert_eq!(SignedStatement::verify(signed.as_bytes()).unwrap().statement(), &statement);
        let mut trial_removed = signed.as_bytes().to_vec();
        *trial_removed.get_mut(3).unwrap() ^= 1;
        assert!(SignedStatement::verify(&trial_removed).is_err());
    }

    #[test]
    fn rights_are_the_words_of_the_command_line() {
        let text = "write,carry,read:open,read:T,read:U,read:S,carry:parent";
        assert_eq!(text.parse::<Rights>().unwrap(), Rights::desa());
        assert_eq!(Rights::desa().to_string(), text);
        assert!("write,fly".parse::<Rights>().is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(kind in 16u8..28, bytes: Vec<u8>) {
            if let Ok(Some(payload)) = Payload::from_bytes(EntryKind(kind), &bytes) {
                prop_assert_eq!(payload.to_bytes(), &bytes[..]);
            }
            prop_assert!(SignedStatement::verify(&bytes).is_err());
        }
    }
}
