//! Spreadsheets of any format, read as a dry run of an import reads them, but for what it asks of a
//! node: the records it holds, and who may write.

use std::cell::RefCell;
use std::io::{Cursor, Seek, SeekFrom, Write};

use crdt_schema::record::Schema;
use node::sheet::read_through;
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::input::Input;

thread_local! {
    /// One file for all inputs: a sheet is read from a disk only. In memory, where a system has that.
    static FILE: RefCell<Option<NamedTempFile>> = RefCell::new(
        NamedTempFile::new_in("/dev/shm").or_else(|_| NamedTempFile::new()).ok(),
    );
}

/// In the first byte: read it twice.
const IS_TWICE: u8 = 0x80;

/// A sheet is read or refused. The first byte says what the others are: a file, or the part of a
/// workbook that a fuzzer could not zip; for which kind; and whether it is read a second time.
pub(super) fn sheet(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let form = input.u8();
    let kinds: Vec<_> = Schema::standard().kinds().collect();
    let kind = kinds.get(usize::from((form & !IS_TWICE) >> 3) % kinds.len()).unwrap();
    let bytes = match form % 8 {
        0..=3 => input.rest().to_vec(),
        4 => workbook(&[("xl/worksheets/sheet1.xml", input.rest())]),
        5 => workbook(&[("xl/sharedStrings.xml", input.rest())]),
        6 => workbook(&[("xl/styles.xml", input.rest())]),
        _ => document(input.rest()),
    };
    FILE.with_borrow_mut(|file| {
        let file = file.as_mut().unwrap();
        let out = file.as_file_mut();
        out.set_len(0).unwrap();
        out.seek(SeekFrom::Start(0)).unwrap();
        out.write_all(&bytes).unwrap();
        out.flush().unwrap();
        let first = read_through(file.path(), kind);
        if form & IS_TWICE != 0 {
            let second = read_through(file.path(), kind);
            assert_eq!(second, first, "the second reading reads otherwise");
        }
        first.is_some()
    })
}

const ODS: &[u8] = b"application/vnd.oasis.opendocument.spreadsheet";

/// A small workbook with these parts instead of its own.
fn workbook(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut all: Vec<(&str, &[u8])> =
        PARTS.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    for (name, bytes) in parts {
        all.retain(|(known, _)| known != name);
        all.push((name, bytes));
    }
    zipped(&all)
}

/// An ODS file with this content.
fn document(content: &[u8]) -> Vec<u8> {
    let manifest = MANIFEST.as_bytes();
    zipped(&[("mimetype", ODS), ("META-INF/manifest.xml", manifest), ("content.xml", content)])
}

fn zipped(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in parts {
        zip.start_file(*name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const SHEET: &str = r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:C3"/><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>NIK</t></is></c><c r="C1" t="s"><v>1</v></c></row><row r="2"><c r="A2" t="str"><v>Siti</v></c><c r="B2"><v>12</v></c><c r="C2" s="1"><v>45000</v></c></row></sheetData><mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells></worksheet>"#;
const STRINGS: &str = r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="2" uniqueCount="2"><si><t>Nama</t></si><si><r><t>Tanggal</t></r><r><t> Lahir</t></r></si></sst>"#;
const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>"#;
const PARTS: [(&str, &str); 7] = [
    (
        "[Content_Types].xml",
        r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>"#,
    ),
    (
        "_rels/.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
    ),
    (
        "xl/_rels/workbook.xml.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#,
    ),
    (
        "xl/workbook.xml",
        r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
    ),
    ("xl/worksheets/sheet1.xml", SHEET),
    ("xl/sharedStrings.xml", STRINGS),
    ("xl/styles.xml", STYLES),
];

/// Cells and rows that stand often, texts with blanks that are counted, formulas, what stands far below
/// and far to the right.
const REPEATED: &str = r#"<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet><table:table table:name="A"><table:table-row><table:table-cell office:value-type="string"><text:p>Nama</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>NIK</text:p></table:table-cell><table:table-cell table:number-columns-repeated="16382"/></table:table-row><table:table-row table:number-rows-repeated="60"><table:table-cell office:value-type="string" table:number-columns-repeated="100"><text:p>Kp. Contoh<text:s text:c="40"/>RT<text:tab/>01</text:p></table:table-cell></table:table-row><table:table-row table:number-rows-repeated="500"><table:table-cell table:number-columns-repeated="16384"/></table:table-row><table:table-row><table:table-cell table:number-columns-repeated="120"/><table:table-cell table:formula="of:=[.A1]" office:value-type="float" office:value="7"/></table:table-row></table:table><table:table table:name="B"><table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="20"/><table:table-cell table:number-columns-repeated="16364"/></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"#;

/// Texts that cells share, one joined from pieces, a text that many cells hold.
const SHARED_TEXTS: &[u8] = include_bytes!("shared-texts.xls");
const XLS: &[u8] = include_bytes!("../../../node/golden/sheet-v1.xls");
const MANIFEST: &str = r#"<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>"#;
const CONTENT: &str = r#"<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet><table:table table:name="Data"><table:table-row><table:table-cell office:value-type="string"><text:p>Nama</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>Umur</text:p></table:table-cell></table:table-row><table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="2" office:value-type="float" office:value="41"><text:p>41</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"#;

pub(super) fn sheets() -> Vec<Vec<u8>> {
    let behind = |form: u8, bytes: &[u8]| [&[form][..], bytes].concat();
    let text =
        "No;Nama Lengkap;NIK;Tanggal Lahir;Jenis PPKS\n1;Siti;3209390101019001;01-02-1960;1\n";
    let shared =
        "Nama;Tempat/Tgl Lahir;RT/RW;Jenis PPKS;Catatn\nSiti;Garut, 17-08-1960;02/05;LUT/PD;a\n";
    let quoted =
        "Judul,Tanggal,Tempat,Jenis\n\"Rapat \"\"RW\"\"\nbulanan\",2026-11-02,Balai,rapat\n";
    let namesakes = "Nama|NIK\nCep|\nCep|3209390101019001\nCep|3209390101019002\nCep|\n";
    let long = format!("<sst><si><t>{}</t></si></sst>", "Kp. Contoh ".repeat(90));
    let cells = r#"<c t="s"><v>0</v></c>"#.repeat(40);
    let many = format!("<worksheet><sheetData><row>{cells}</row></sheetData></worksheet>");
    let shared_text = workbook(&[
        ("xl/sharedStrings.xml", long.as_bytes()),
        ("xl/worksheets/sheet1.xml", many.as_bytes()),
    ]);
    let wide: Vec<u8> = quoted.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        behind(IS_TWICE, text.as_bytes()),
        behind(0, shared.as_bytes()),
        behind(32, quoted.as_bytes()),
        behind(32, &[b"\xff\xfe", &*wide].concat()),
        behind(0, &workbook(&[])),
        behind(IS_TWICE, &document(CONTENT.as_bytes())),
        behind(4, SHEET.as_bytes()),
        behind(5, STRINGS.as_bytes()),
        behind(6, STYLES.as_bytes()),
        behind(7, CONTENT.as_bytes()),
        behind(0, namesakes.as_bytes()),
        behind(IS_TWICE, XLS),
        behind(7, REPEATED.as_bytes()),
        behind(0, &shared_text),
        behind(0, SHARED_TEXTS),
    ]
}
