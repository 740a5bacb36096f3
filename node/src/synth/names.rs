//! Names of people who do not exist, as common in the three regions of West Java.
//!
//! The lists hold common names, never a person's; pairs are drawn. Also the spelling twins that
//! make finding doubles hard. Organisations get made-up names beside what they do, in `works.rs`.

use super::random::Random;
use super::table::NameMix;

/// Three lists of one people: men, women, and what stands second.
struct Names {
    men: &'static [&'static str],
    women: &'static [&'static str],
    second_men: &'static [&'static str],
    second_women: &'static [&'static str],
}

static SUNDANESE: Names = Names {
    men: &[
        "Asep", "Ujang", "Dadang", "Cecep", "Deden", "Yayan", "Encep", "Aep", "Jajang", "Endang",
        "Tatang", "Maman", "Oman", "Uu", "Ade", "Dede", "Iwan", "Wawan", "Kosasih", "Otong",
        "Nana",
    ],
    women: &[
        "Euis", "Iis", "Neneng", "Imas", "Entin", "Cucu", "Lilis", "Ai", "Titin", "Nining", "Enok",
        "Popon", "Tati", "Yeyen", "Yuyun", "Nani", "Eros", "Enung", "Dedeh", "Ikah",
    ],
    second_men: &[
        "Suryana",
        "Supriatna",
        "Sutisna",
        "Hidayat",
        "Kurniawan",
        "Permana",
        "Nugraha",
        "Setiawan",
        "Gunawan",
        "Rustandi",
        "Mulyana",
        "Sopandi",
        "Herdiana",
        "Sudrajat",
        "Rohendi",
        "Sopian",
    ],
    second_women: &[
        "Rohaeni",
        "Nurhayati",
        "Komariah",
        "Kurniasih",
        "Sumiati",
        "Rohmah",
        "Juariah",
        "Suhartini",
        "Maryati",
        "Aisah",
        "Kartini",
        "Lestari",
        "Mulyati",
        "Rostika",
        "Hasanah",
        "Cahyati",
    ],
};

static CIREBON: Names = Names {
    men: &[
        "Kasman", "Tarmidi", "Wasdi", "Carmad", "Rasmin", "Darsono", "Sanusi", "Warsita",
        "Kadmira", "Casmita",
    ],
    women: &[
        "Wartini",
        "Rasminah",
        "Darkem",
        "Casinih",
        "Kasni",
        "Tarsinah",
        "Warniti",
        "Sukinah",
        "Carini",
        "Runingsih",
    ],
    second_men: &["Kadmira", "Darsono", "Sanusi", "Warsita", "Casmita", "Tarmidi"],
    second_women: &["Warniti", "Sukinah", "Carini", "Runingsih", "Rasminah", "Tarsinah"],
};

static GENERAL: Names = Names {
    men: &["Ahmad", "Muhammad", "Abdul", "Rizki", "Fajar", "Andi", "Nur"],
    women: &["Siti", "Nur", "Nurul", "Dewi", "Rina", "Yuni", "Aisyah", "Putri", "Fitri"],
    second_men: &["Hidayat", "Rahman", "Hakim", "Maulana", "Saputra", "Ramadhan"],
    second_women: &["Hasanah", "Rahmawati", "Anggraeni", "Lestari", "Nurhayati", "Fitriani"],
};

static JAVANESE: Names = Names {
    men: &["Slamet", "Sugeng", "Parno", "Agus", "Bambang", "Sutrisno", "Wahyu", "Eko"],
    women: &["Sri", "Wahyuni", "Endah", "Sulastri", "Tri", "Dwi", "Ningsih", "Retno"],
    second_men: &["Santoso", "Widodo", "Prasetyo", "Purnomo", "Susilo", "Wibowo"],
    second_women: &["Utami", "Rahayu", "Lestari", "Handayani", "Astuti", "Wulandari"],
};

static BETAWI: Names = Names {
    men: &["Mamat", "Rojali", "Sanip", "Naim", "Marzuki", "Sabeni"],
    women: &["Romlah", "Maemunah", "Rogayah", "Saodah", "Zubaedah", "Hindun"],
    second_men: &["Ma'mun", "Saputra", "Hasan", "Syafei", "Rojali"],
    second_women: &["Hasanah", "Rogayah", "Saodah", "Fitriani"],
};

static BATAK_CHINESE: Names = Names {
    men: &["Parlindungan", "Togar", "Binsar", "Hendra", "Budi"],
    women: &["Rosmaida", "Tiur", "Mei", "Lina", "Linda"],
    second_men: &["Harahap", "Lubis", "Wijaya", "Halim", "Gunadi"],
    second_women: &["Harahap", "Lubis", "Wijaya", "Halim", "Gunadi"],
};

/// What stands third when the person was born after 2010.
const THIRD_MEN: &[&str] = &["Alfarizi", "Pratama", "Alfatih", "Ramadhan", "Firdaus", "Athallah"];
const THIRD_WOMEN: &[&str] =
    &["Putri", "Azzahra", "Ramadhani", "Salsabila", "Nabila", "Khairunnisa"];
const MODERN_MEN: &[&str] = &["Rafka", "Azka", "Fathan", "Raffi", "Keenan", "Zidan"];
const MODERN_WOMEN: &[&str] = &["Shakila", "Naura", "Kayla", "Zahra", "Alya", "Hafiza"];

/// Pairs that mean the same person to a volunteer and two to a computer.
const TWINS: [(&str, &str); 7] = [
    ("Muhammad", "Mochamad"),
    ("Nurhayati", "Nur Hayati"),
    ("Sopian", "Sofyan"),
    ("Rohaeni", "Rohaini"),
    ("Juariah", "Juhariah"),
    ("Dede", "Dédé"),
    ("Aisyah", "Aisah"),
];

fn people(random: &mut Random, mix: NameMix) -> &'static Names {
    let lists = [&SUNDANESE, &CIREBON, &GENERAL, &JAVANESE, &BETAWI, &BATAK_CHINESE];
    let weights = match mix {
        NameMix::Priangan | NameMix::HalfPantura => [65, 0, 30, 5, 0, 0],
        NameMix::Pantura => [15, 50, 35, 0, 0, 0],
        NameMix::Bodebek => [25, 0, 50, 15, 8, 2],
    };
    lists.get(random.weighted(&weights)).copied().unwrap_or(&GENERAL)
}

/// The name of somebody born in `year`.
pub(super) fn person(random: &mut Random, mix: NameMix, man: bool, year: u32) -> String {
    let names = people(random, mix);
    let (first, second) = if man {
        (random.pick(names.men), random.pick(names.second_men))
    } else {
        (random.pick(names.women), random.pick(names.second_women))
    };
    let mut name = String::with_capacity(32);
    if year > 2010 {
        let (modern, third) =
            if man { (MODERN_MEN, THIRD_MEN) } else { (MODERN_WOMEN, THIRD_WOMEN) };
        let general = if man { GENERAL.men } else { GENERAL.women };
        join(&mut name, [random.pick(general), random.pick(modern), random.pick(third)]);
    } else if year < 1965 && random.chance(1_500) {
        name.push_str(first);
    } else {
        join(&mut name, [first, if second == first { "" } else { second }, ""]);
    }
    if year < 1976 && random.chance(800) {
        name.insert_str(0, if man { "H. " } else { "Hj. " });
    }
    name
}

fn join(name: &mut String, parts: [&str; 3]) {
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if !name.is_empty() {
            name.push(' ');
        }
        name.push_str(part);
    }
}

/// The same name as another volunteer would write it; never the same text.
pub(super) fn twin(name: &str) -> String {
    for (one, other) in TWINS {
        for (from, to) in [(one, other), (other, one)] {
            if name.split(' ').any(|part| part == from)
                || (from.contains(' ') && name.contains(from))
            {
                return name.replacen(from, to, 1);
            }
        }
    }
    // Without a known twin the second name is cut to its first letter, as on crowded forms.
    match name.rsplit_once(' ') {
        Some((front, last)) => {
            let initial: String = last.chars().take(1).collect();
            format!("{front} {initial}.")
        }
        None => format!("Sdr. {name}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_twin_is_another_spelling() {
        for (name, wanted) in [
            ("Muhammad Hakim", "Mochamad Hakim"),
            ("Euis Nur Hayati", "Euis Nurhayati"),
            ("Dede Suryana", "Dédé Suryana"),
            ("Asep Suryana", "Asep S."),
            ("Darkem", "Sdr. Darkem"),
        ] {
            assert_eq!(twin(name), wanted);
        }
    }

    #[test]
    fn names_are_many_plain_and_of_the_region() {
        let mut random = Random::keyed(2);
        let mut draw = |mix| -> Vec<String> {
            (0..2_000).map(|nth| person(&mut random, mix, nth % 2 == 0, 1930 + nth % 90)).collect()
        };
        let (priangan, pantura) = (draw(NameMix::Priangan), draw(NameMix::Pantura));
        let sundanese = |names: &[String]| names.iter().filter(|n| n.contains("Asep")).count();
        assert!(sundanese(&priangan) > 2 * sundanese(&pantura));
        assert!(priangan.iter().collect::<BTreeSet<_>>().len() > 600);
        for name in priangan.iter().chain(&pantura) {
            assert!((2..40).contains(&name.len()) && name.trim() == name && !name.contains("  "));
        }
    }

    #[test]
    fn the_young_have_three_names() {
        let mut random = Random::keyed(9);
        for nth in 0..200 {
            let name = person(&mut random, NameMix::Bodebek, nth % 2 == 0, 2_014);
            assert_eq!(name.split(' ').count(), 3, "{name}");
        }
    }
}
