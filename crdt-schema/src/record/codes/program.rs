//! The programme's codes: section G of the Dinas Sosial's own paper on the WKSBM, as numbered there.
//!
//! An activity bears a leaf, never a head, so that every report follows the paper.

use super::{Code, CodeList};

/// The 32 leaves.
pub static PROGRAM: CodeList = CodeList {
    name: "program",
    version: "wksbm-jabar-2003",
    title: "Kode program WKSBM",
    prefix: "G.",
    codes: &[
        Code::new(
            "G.1.1",
            "Penyusunan, pemantapan dan pengembangan konsepsi WKSBM",
            "drafting, strengthening and developing the concept of WKSBM",
        ),
        Code::new("G.1.2", "Pendataan dan pemetaan sosial", "data collection and social mapping"),
        Code::new(
            "G.1.3",
            "Pemutakhiran data dan informasi secara periodik",
            "periodic update of data and information",
        ),
        Code::new(
            "G.1.4",
            "Pengembangan sistem jaringan informasi WKSBM",
            "developing the information network of WKSBM",
        ),
        Code::new(
            "G.2.1",
            "Penyusunan konsep standarisasi WKSBM",
            "drafting the standard of WKSBM",
        ),
        Code::new("G.2.2", "Perintisan profil WKSBM", "pioneering the WKSBM profile"),
        Code::new("G.3.1", "Penyusunan profil WKSBM", "compiling the WKSBM profile"),
        Code::new(
            "G.3.2",
            "Penyebarluasan kebijakan, strategi dan panduan, termasuk pameran, bazar dan kesenian tradisional",
            "spreading policy, strategy and guides, with exhibitions, bazaars and traditional arts",
        ),
        Code::new(
            "G.4.1",
            "Pelatihan SDM pembina, petugas lapangan dan pengelola",
            "training of advisers, field officers and managers",
        ),
        Code::new(
            "G.4.2",
            "Pendampingan: bantuan, konsultasi, bimbingan dan pemantapan teknis",
            "accompaniment: technical aid, consultation, guidance and strengthening",
        ),
        Code::new(
            "G.5.1.1",
            "Penyediaan dan penyebarluasan informasi",
            "providing and spreading information",
        ),
        Code::new(
            "G.5.1.2",
            "Pengkajian kebutuhan tentang jaringan setempat",
            "studying the need for a local network",
        ),
        Code::new("G.5.1.3", "Pemetaan calon jaringan", "mapping candidate networks"),
        Code::new(
            "G.5.1.4",
            "Sosialisasi, diseminasi dan kampanye sosial",
            "socialisation, dissemination and social campaign",
        ),
        Code::new(
            "G.5.1.5",
            "Forum konsultasi, koordinasi dan komunikasi antar calon anggota jaringan",
            "forums of consultation, coordination and communication between candidates",
        ),
        Code::new(
            "G.5.1.6",
            "Bimbingan, konsultasi dan pemantapan teknis lintas calon jaringan",
            "guidance, consultation and strengthening across candidates",
        ),
        Code::new("G.5.2.1", "Penyelenggaraan pendampingan", "running accompaniment"),
        Code::new(
            "G.5.2.2",
            "Bantuan, bimbingan dan pemantapan teknis",
            "aid, guidance and technical strengthening",
        ),
        Code::new(
            "G.5.2.3",
            "Fasilitasi penyelenggaraan forum jaringan",
            "facilitating the network forum",
        ),
        Code::new("G.5.2.4", "Pelatihan teknis tentang jaringan", "technical training on networks"),
        Code::new("G.5.3.1", "Fasilitas jaringan", "network facilities"),
        Code::new(
            "G.5.3.2",
            "Rapat, pertemuan atau forum peningkatan",
            "meetings or forums for improvement",
        ),
        Code::new("G.5.3.3", "Melaksanakan aksi sosial", "carrying out social action"),
        Code::new("G.6.1", "Reviu program berjalan", "reviewing the running programme"),
        Code::new("G.6.2", "Kaji model", "study of models"),
        Code::new("G.6.3", "Uji petik", "spot check"),
        Code::new("G.6.4", "Studi banding", "comparative study"),
        Code::new(
            "G.6.5",
            "Penyempurnaan atau penyesuaian program",
            "refining or adapting the programme",
        ),
        Code::new("G.7.1", "Monitoring", "monitoring"),
        Code::new("G.7.2", "Supervisi", "supervision"),
        Code::new("G.7.3", "Evaluasi", "evaluation"),
        Code::new("G.7.4", "Laporan", "reporting"),
    ],
};

/// The ten heads, which no activity bears.
pub const PROGRAM_HEADS: &[Code] = &[
    Code::new(
        "G.1",
        "Identifikasi dan pengembangan jaringan informasi",
        "identification and information network",
    ),
    Code::new(
        "G.2",
        "Penyusunan standarisasi, norma, pedoman, kriteria, prosedur, dan bimbingan teknis",
        "standards, norms, guides, criteria, procedures and technical guidance",
    ),
    Code::new("G.3", "Sosialisasi WKSBM", "socialisation of WKSBM"),
    Code::new(
        "G.4",
        "Peningkatan kualitas SDM yang terkait dengan WKSBM",
        "quality of the people around WKSBM",
    ),
    Code::new("G.5", "Implementasi program WKSBM", "implementation"),
    Code::new("G.5.1", "Program penumbuhan jaringan", "growing the network"),
    Code::new("G.5.2", "Program pemantapan jaringan", "strengthening the network"),
    Code::new("G.5.3", "Program pengembangan jaringan", "developing the network"),
    Code::new("G.6", "Pengembangan program WKSBM", "programme development"),
    Code::new("G.7", "Pengendalian program", "control of the programme"),
];
