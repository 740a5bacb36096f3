//! Every format, whole and broken, built byte by byte.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Book, Cell, SheetError};

/// Rows of the first sheet as text, each behind its number.
fn read(bytes: &[u8]) -> Result<Vec<(u64, Vec<String>)>, SheetError> {
    let (_folder, path) = saved(bytes);
    let mut book = Book::open(&path)?;
    let mut rows = Vec::new();
    book.rows(0, &mut |row| {
        let text = |cell: &Cell| match cell {
            Cell::Truth(truth) => truth.to_string(),
            Cell::Broken => "!".to_owned(),
            Cell::Blank | Cell::Text(_) | Cell::Number(..) | Cell::Day(_) => cell.title(),
        };
        rows.push((row.number, row.cells.iter().map(text).collect()));
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

fn saved(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("lembar");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn rows(rows: &[(u64, &[&str])]) -> Vec<(u64, Vec<String>)> {
    rows.iter()
        .map(|(number, cells)| (*number, cells.iter().map(|it| (*it).to_owned()).collect()))
        .collect()
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let unit = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(unit).collect()
}

fn packed(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#;
const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>"#;
const BOOK_RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;

/// A workbook with these strings and this sheet, as XML.
fn xlsx(strings: &str, sheet: &str) -> Vec<u8> {
    xlsx_of(&[("xl/sharedStrings.xml", strings), ("xl/worksheets/sheet1.xml", sheet)])
}

/// A workbook with these parts.
fn xlsx_of(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut all = vec![
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("_rels/.rels", RELATIONS.as_bytes()),
        ("xl/workbook.xml", BOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", BOOK_RELATIONS.as_bytes()),
    ];
    all.retain(|(name, _)| parts.iter().all(|(other, _)| other != name));
    all.extend(parts.iter().map(|(name, part)| (*name, part.as_bytes())));
    packed(&all)
}

fn ods(table: &str) -> Vec<u8> {
    ods_with(&content(table))
}

/// The content of an ODS with one table.
fn content(table: &str) -> String {
    format!(
        r#"<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body><office:spreadsheet><table:table table:name="A">{table}</table:table></office:spreadsheet></office:body></office:document-content>"#
    )
}

fn ods_with(content: &str) -> Vec<u8> {
    let kind = b"application/vnd.oasis.opendocument.spreadsheet";
    let manifest = br#"<manifest:manifest xmlns:manifest="m"/>"#;
    packed(&[
        ("mimetype", kind),
        ("META-INF/manifest.xml", manifest),
        ("content.xml", content.as_bytes()),
    ])
}

/// An XLS with one stream, in sectors of 512 bytes.
fn xls(sheet: &[(u16, Vec<u8>)], named: usize) -> Vec<u8> {
    xls_with(&[], sheet, named)
}

/// One with these records before those of the sheet.
fn xls_with(shared: &[(u16, Vec<u8>)], sheet: &[(u16, Vec<u8>)], named: usize) -> Vec<u8> {
    let record = |kind: u16, body: &[u8]| {
        let length = u16::try_from(body.len()).unwrap();
        [&kind.to_le_bytes()[..], &length.to_le_bytes(), body].concat()
    };
    let begin = |kind: u8| record(0x0809, &[0, 6, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let shared: Vec<u8> = shared.iter().flat_map(|(kind, body)| record(*kind, body)).collect();
    let at = begin(5).len() + named * (4 + 9) + shared.len() + 4;
    let mut stream = begin(5);
    for number in 0..named {
        let place = u32::try_from(at).unwrap().to_le_bytes();
        let letter = b'A' + u8::try_from(number % 26).unwrap();
        stream.extend(record(0x0085, &[&place[..], &[0, 0, 1, 0, letter]].concat()));
    }
    stream.extend(shared);
    stream.extend(record(0x000a, &[]));
    stream.extend(begin(0x10));
    stream.extend(sheet.iter().flat_map(|(kind, body)| record(*kind, body)));
    stream.extend(record(0x000a, &[]));
    stream.resize(stream.len().max(4_096).next_multiple_of(512), 0);
    let sectors = u32::try_from(stream.len() / 512).unwrap();
    let tables = (sectors + 2).div_ceil(127);
    let mut header = vec![0; 512];
    let mut set = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    set(0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    set(24, &[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    set(44, &[tables, tables].map(u32::to_le_bytes).concat());
    set(56, &[0, 0x10, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]);
    for place in 0..109 {
        let id = if place < tables { place } else { u32::MAX };
        set(76 + usize::try_from(place).unwrap() * 4, &id.to_le_bytes());
    }
    let mut table: Vec<u32> = vec![0xffff_fffd; usize::try_from(tables).unwrap()];
    table.push(0xffff_fffe);
    let next = |n| if n + 1 == sectors { 0xffff_fffe } else { n + tables + 2 };
    table.extend((0..sectors).map(next));
    table.resize(128 * usize::try_from(tables).unwrap(), 0xffff_ffff);
    let entry = |name: &str, kind: u8, start: u32, size: u32| {
        let mut entry = vec![0; 128];
        for (place, unit) in name.encode_utf16().enumerate() {
            entry[place * 2..place * 2 + 2].copy_from_slice(&unit.to_le_bytes());
        }
        entry[64] = u8::try_from(name.len() * 2 + 2).unwrap();
        entry[66] = kind;
        entry[116..120].copy_from_slice(&start.to_le_bytes());
        entry[120..124].copy_from_slice(&size.to_le_bytes());
        entry
    };
    let mut directory = entry("Root Entry", 5, 0xffff_fffe, 0);
    directory.extend(entry("Workbook", 2, tables + 1, u32::try_from(stream.len()).unwrap()));
    directory.resize(512, 0);
    let table: Vec<u8> = table.into_iter().flat_map(u32::to_le_bytes).collect();
    [header, table, directory, stream].concat()
}

fn label(row: u16, column: u16, text: &str) -> (u16, Vec<u8>) {
    let length = u16::try_from(text.len()).unwrap();
    let head = [row, column, 0, length].map(u16::to_le_bytes).concat();
    (0x0204, [&head[..], &[0], text.as_bytes()].concat())
}

fn number(row: u16, column: u16, value: f64) -> (u16, Vec<u8>) {
    let head = [row, column, 0].map(u16::to_le_bytes).concat();
    (0x0203, [&head[..], &value.to_le_bytes()].concat())
}

#[test]
fn text_is_read_in_every_encoding_and_with_every_separator() {
    let expected = rows(&[(1, &["Nama", "RT"]), (2, &["Dédé", "01"])]);
    let text = "Nama;RT\r\nDédé;01\r\n";
    let marked = format!("\u{feff}{text}");
    let windows: Vec<u8> = b"Nama;RT\r\nD\xe9d\xe9;01\r\n".to_vec();
    for (what, bytes) in [
        ("UTF-8", text.as_bytes().to_vec()),
        ("UTF-8 with a mark", marked.into_bytes()),
        ("UTF-16 LE", utf16(text, false)),
        ("UTF-16 BE", utf16(text, true)),
        ("Windows-1252", windows),
        ("comma", text.replace(';', ",").into_bytes()),
        ("tab", text.replace(';', "\t").into_bytes()),
        ("bar", text.replace(';', "|").into_bytes()),
        ("old Macintosh", text.replace("\r\n", "\r").into_bytes()),
        ("no last break", text.trim_end().as_bytes().to_vec()),
    ] {
        assert_eq!(read(&bytes).unwrap(), expected, "{what}");
    }
}

#[test]
fn rows_bear_the_numbers_a_spreadsheet_shows() {
    let text = "Nama;Alamat\n\n;\nAsep;\"Jl. Raya\nno. \"\"1\"\"\"\nUjang;\n";
    let expected = rows(&[
        (1, &["Nama", "Alamat"]),
        (4, &["Asep", "Jl. Raya\nno. \"1\""]),
        (5, &["Ujang", ""]),
    ]);
    assert_eq!(read(text.as_bytes()).unwrap(), expected);
}

#[test]
fn commas_inside_cells_do_not_hide_the_separator() {
    let text =
        "DAFTAR\nNo;Nama;TTL;Alamat\n1;A;Garut, 1-1-1990;Jl. A, B\n2;B;Garut, 2-1-1990;Jl. C, D\n";
    let read = read(text.as_bytes()).unwrap();
    assert_eq!(read[2].1, ["1", "A", "Garut, 1-1-1990", "Jl. A, B"]);
}

#[test]
fn a_letter_cut_by_a_piece_of_the_file_stays_whole() {
    // The two bytes of é lie on both sides of the first 64 KiB.
    for shift in 0..3 {
        let line = format!("{}\u{e9};x\n", "a".repeat(60_000));
        let text = format!("{}{line}{line}", "b;c\n".repeat(1384 - shift));
        let read = read(text.as_bytes()).unwrap();
        let last = read.last().unwrap();
        assert!(last.1[0].ends_with("a\u{e9}"), "{shift}");
    }
}

#[test]
fn text_that_cannot_be_read_to_its_end_is_refused() {
    let open = b"Nama;RT\nAsep;\"01\nUjang;02\n".to_vec();
    // The file's own lines, whatever ends them, and inside quotes as well.
    for (bytes, line, row) in [
        (&open[..], 2, 2),
        (b"Nama;RT\r\n\"Asep\r\nS.\";1\r\n\r\nUjang;\"02\r\nx\r\n", 5, 4),
        (b"Nama;RT\r\"Asep\r\rS.\"\"\";1\rUjang;\"02\rx", 5, 3),
        (b"Nama;RT\n\"Asep\n\n\"\"S.\";1\n\"Ujang", 5, 3),
    ] {
        let told = format!(
            "the quotation mark that opens in line {line} of the file (row {row}) is never closed"
        );
        let found = read(bytes);
        assert!(matches!(found, Err(SheetError::Altered(what)) if what.to_string() == told));
    }
    let wide = format!("Nama;RT\n{}", ";".repeat(super::CELLS_PER_ROW_MAX + 1));
    assert!(matches!(read(wide.as_bytes()), Err(SheetError::Large(_))));
    let odd = [utf16("Nama;RT\n", false), vec![0x41]].concat();
    assert!(matches!(read(&odd), Err(SheetError::Truncated)));
}

#[test]
fn a_cell_that_is_too_long_is_told_by_its_place_and_an_open_quote_as_one() {
    let long = "x".repeat(super::CELL_BYTES_MAX + 1);
    let lines = "x\"\"y\n".repeat(super::CELL_BYTES_MAX / 4 + 1);
    for (text, place) in [
        (format!("Nama;RT\nAsep;{long};1\nUjang;2\n"), ("B", 2)),
        (format!("Nama;RT\nAsep;1\n{long};2\n"), ("A", 3)),
        (format!("Nama;RT\nAsep;\"{long}\";1\nUjang;2\n"), ("B", 2)),
        (format!("Nama;RT\n\"{lines}\"\nUjang;2\n"), ("A", 2)),
        (format!("Nama;RT\nAsep;\"{long}\""), ("B", 2)),
        (format!("Nama;RT\nAsep;{long}"), ("B", 2)),
    ] {
        let found = read(text.as_bytes());
        let Err(SheetError::CellLong { column, row }) = &found else { panic!("not {place:?}") };
        assert_eq!((column.as_str(), *row), place);
    }
    let most = "x".repeat(super::CELL_BYTES_MAX);
    assert!(read(format!("Nama;RT\nAsep;\"{most}\"\n").as_bytes()).is_ok());
    for text in [
        format!("Nama;RT\nAsep;1\nUjang;\"{long}"),
        format!("Nama;RT\nAsep;1\nUjang;\"{lines}"),
        format!("Nama;RT\nAsep;1\nUjang;\"2\n{long}\nEuis;\"Kp. Contoh\"\n"),
    ] {
        let found = read(text.as_bytes());
        let Err(SheetError::Altered(what)) = &found else { panic!("no open quote") };
        let told = "the quotation mark that opens in line 3 of the file (row 3) is never closed";
        assert_eq!(what.to_string(), told);
    }
}

#[test]
fn what_is_no_sheet_is_foreign() {
    for bytes in [
        &b"%PDF-1.7\n\x00\x01"[..],
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"<html><table><tr><td>Nama</td></tr></table></html>",
        b"\xef\xbb\xbf <?xml version=\"1.0\"?>",
        &packed(&[("gambar.jpg", b"...")]),
    ] {
        assert!(matches!(read(bytes), Err(SheetError::Foreign)));
    }
    let folder = TempDir::new().unwrap();
    assert!(matches!(Book::open(folder.path()), Err(SheetError::Foreign)));
    assert!(matches!(Book::open(&folder.path().join("tiada")), Err(SheetError::Io(_))));
    assert!(matches!(read(b""), Err(SheetError::Empty)));
}

#[test]
fn a_workbook_gives_cached_formulas_days_and_broken_cells() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let day = Format::new().set_num_format("dd/mm/yyyy");
    sheet.merge_range(0, 0, 0, 3, "DAFTAR PPKS", &Format::new()).unwrap();
    sheet.write(2, 0, "Nama").unwrap();
    sheet.write(3, 0, "Asep").unwrap();
    sheet.write_formula(3, 1, rust_xlsxwriter::Formula::new("1+1").set_result("2")).unwrap();
    sheet.write_with_format(3, 2, ExcelDateTime::from_ymd(1960, 8, 17).unwrap(), &day).unwrap();
    sheet.write_formula(3, 3, rust_xlsxwriter::Formula::new("NA()").set_result("#N/A")).unwrap();
    sheet.write(3, 4, true).unwrap();
    sheet.write(3, 5, 3_205_010_101_879_001_f64).unwrap();
    let read = read(&book.save_to_buffer().unwrap()).unwrap();
    assert_eq!(read[0], (1, vec!["DAFTAR PPKS".to_owned()]), "of merged cells only the first");
    let row = &read[2];
    assert_eq!(row.0, 4);
    assert_eq!(row.1[..3], ["Asep", "2", "1960-08-17"]);
    assert!(row.1[3] == "!" || row.1[3] == "#N/A", "{}", row.1[3]);
    assert_eq!(row.1[4..], ["true", "3205010101879001"]);
}

#[test]
fn an_open_document_and_an_old_workbook_are_read() {
    let cell = |text: &str| {
        format!(
            r#"<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>"#
        )
    };
    let row = |cells: &str| format!("<table:table-row>{cells}</table:table-row>");
    let padding = r#"<table:table-cell table:number-columns-repeated="16382"/>"#;
    let blank_rows = r#"<table:table-row table:number-rows-repeated="1048574"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>"#;
    let day = r#"<table:table-cell office:value-type="date" office:date-value="1960-08-17"/>"#;
    let table = [
        row(&(cell("Nama") + &cell("Lahir") + padding)),
        row(&(cell("Asep") + day + padding)),
        blank_rows.to_owned(),
    ];
    let expected = rows(&[(1, &["Nama", "Lahir"]), (2, &["Asep", "1960-08-17"])]);
    assert_eq!(read(&ods(&table.concat())).unwrap(), expected);
    let dimensions = (0x0200, [0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 2, 0, 0, 0].to_vec());
    let sheet = [
        dimensions,
        label(0, 0, "Nama"),
        label(0, 1, "RT"),
        label(1, 0, "Asep"),
        number(1, 1, 5.0),
    ];
    let expected = rows(&[(1, &["Nama", "RT"]), (2, &["Asep", "5"])]);
    assert_eq!(read(&xls(&sheet, 1)).unwrap(), expected);
}

/// The fuzz target begins with it: what it is made of stands here only.
#[test]
fn the_golden_old_workbook_is_read_with_its_merged_cells() {
    let merged = (0x00e5, [1_u16, 1, 1, 0, 1].map(u16::to_le_bytes).concat());
    let sheet = [
        (0x0200, [0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 3, 0, 0, 0].to_vec()),
        label(0, 0, "Nama"),
        label(0, 1, "RT"),
        label(0, 2, "Tanggal Lahir"),
        label(1, 0, "Asep"),
        number(2, 1, 5.0),
        number(2, 2, 22_145.0),
        merged,
    ];
    let golden = include_bytes!("../../golden/sheet-v1.xls");
    let made = xls(&sheet, 1);
    let at = made.iter().zip(golden).position(|(made, held)| made != held);
    assert_eq!((at, made.len()), (None, golden.len()));
    let (_folder, path) = saved(golden);
    let mut book = Book::open(&path).unwrap();
    assert_eq!(book.merged(0).iter().map(super::Merged::name).collect::<Vec<_>>(), ["A2:B2"]);
    let expected =
        rows(&[(1, &["Nama", "RT", "Tanggal Lahir"]), (2, &["Asep"]), (3, &["", "5", "22145"])]);
    assert_eq!(read(golden).unwrap(), expected);
}

#[test]
fn bombs_are_found_before_they_go_off() {
    let head = r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>"#;
    let endless = format!("{head}<row r=\"1\"><c r=\"A1\" t=\"str\"><v>{}", "x".repeat(3 << 20));
    let zeros = vec![b' '; 40 << 20];
    let strings = r#"<sst uniqueCount="100000000000"></sst>"#;
    let repeated = r#"<table:table-row table:number-rows-repeated="1000000"><table:table-cell office:value="1" table:number-columns-repeated="16384"/></table:table-row>"#;
    let before = r#"<table:table-row><table:table-cell table:number-columns-repeated="16000"/><table:table-cell office:value="1"/></table:table-row>"#.repeat(300);
    let claims = (
        0x0200,
        [0_u32.to_le_bytes(), u32::MAX.to_le_bytes(), [0, 0, 0xff, 0], [0; 4]].concat()[..14]
            .to_vec(),
    );
    let names: Vec<String> = (0..5_000).map(|n| format!("xl/{n}.xml")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let corners = [number(0, 0, 1.0), number(65_535, 255, 1.0)];
    let piece = format!("<r><t>{}</t></r>", "x".repeat(600 << 10));
    let pieces = format!("{head}<row><c t=\"inlineStr\"><is>{piece}{piece}</is></c></row>");
    let noise = "x<".repeat(2 << 20);
    let within = |open: &str, close: &str| {
        xlsx("<sst/>", &format!("{head}{open}{noise}{close}</sheetData></worksheet>"))
    };
    let long_text = shared_texts(&["x".repeat(8_000)]);
    let said = (0x0207, [0xff, 0xff, 0].to_vec());
    let powers = [1_u16, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1_024].map(u16::to_le_bytes).concat();
    let powers = (0x0006, [powers, vec![0x1f; 1_024]].concat());
    let all = [
        ("a cell without end", xlsx("<sst/>", &endless)),
        ("a comment without end", within("<!-- ", "-->")),
        ("a value without end", within("<row spans=\"", "\"></row>")),
        ("a text without an escape", within("<![CDATA[", "]]>")),
        ("growth", packed(&[("xl/workbook.xml", b"<a/>"), ("xl/x.bin", &zeros)])),
        ("too many parts", packed(&many)),
        ("strings claimed", xlsx(strings, head)),
        ("cells repeated", ods(repeated)),
        ("blanks before values", ods(&before)),
        ("an old sheet's claim", xls(&[claims], 1)),
        ("corners of an old sheet", xls(&corners, 1)),
        ("one old sheet named often", xls(&[number(0, 0, 1.0), number(60_000, 3, 1.0)], 40)),
        ("an old text in many cells", xls_with(&long_text, &vec![shared_label(0, 0, 0); 9_000], 1)),
        ("old texts claimed", xls(&vec![said; 400], 1)),
        ("old formulas", xls(&vec![powers; 400], 1)),
        ("a cell joined from pieces", xlsx("<sst/>", &(pieces + "</sheetData></worksheet>"))),
    ];
    let is_refused = |it: &Result<_, SheetError>| {
        matches!(it, Err(SheetError::Altered(_) | SheetError::Large(_)))
    };
    let read = all.map(|(what, bytes)| (what, read(&bytes)));
    let went_off: Vec<_> = read.iter().filter(|(_, it)| !is_refused(it)).collect();
    assert!(went_off.is_empty(), "{went_off:?}");
}

/// The shared texts of an XLS, each in ASCII.
fn shared_texts(texts: &[String]) -> Vec<(u16, Vec<u8>)> {
    let text = |text: &String| {
        let length = u16::try_from(text.len()).unwrap().to_le_bytes();
        [&length[..], &[0], text.as_bytes()].concat()
    };
    vec![(0x00fc, [vec![0; 8], texts.iter().flat_map(text).collect()].concat())]
}

fn shared_label(row: u16, column: u16, place: u16) -> (u16, Vec<u8>) {
    (0x00fd, [row, column, 0, place, 0].map(u16::to_le_bytes).concat())
}

/// One row of an ODS that stands so many times.
fn ods_row(cells: &str, times: u32) -> String {
    format!(r#"<table:table-row table:number-rows-repeated="{times}">{cells}</table:table-row>"#)
}

/// A text of an ODS in so many columns.
fn ods_text(text: &str, columns: u32) -> String {
    format!(
        r#"<table:table-cell office:value-type="string" table:number-columns-repeated="{columns}"><text:p>{text}</text:p></table:table-cell>"#
    )
}

fn ods_blanks(columns: u32) -> String {
    format!(r#"<table:table-cell table:number-columns-repeated="{columns}"/>"#)
}

const ODS_ONE: &str = r#"<table:table-cell office:value="1"/>"#;

/// Each takes calamine 0.38 from half a gigabyte to hundreds.
#[test]
fn an_ods_that_says_how_often_is_counted_before_it_is_read() {
    let thousand = "x".repeat(1_000);
    let numbers = r#"<table:table-cell office:value="1" table:number-columns-repeated="480"/>"#;
    let formula = format!(r#"<table:table-cell table:formula="{thousand}"/>"#);
    let wide = ods_blanks(16_000) + ODS_ONE;
    let stretches = ods_row(&(ods_blanks(16_000) + &ods_blanks(1)), 1).repeat(100);
    let within = format!("<table:table-cell>{}</table:table-cell>", ods_row("", 1));
    let hidden = numbers.replace(" table:n", " \u{c}table:n");
    for (what, table) in [
        ("blanks of a text", ods_row(&ods_text(r#"<text:s text:c="2000000000"/>"#, 1), 1)),
        ("a text in many cells", ods_row(&ods_text(&thousand, 480), 8_000)),
        ("a formula in many rows", ods_row(&formula, 200_000)),
        ("numbers", ods_row(numbers, 8_000)),
        ("numbers behind a form feed", ods_row(&hidden, 8_000)),
        ("one wide row", ods_row(&wide, 1) + &ods_row(ODS_ONE, 600)),
        ("blank rows between", ods_row(&wide, 1) + &ods_row("", 600) + &ods_row(ODS_ONE, 1)),
        ("blank stretches", stretches),
        ("cells behind a row within a row", ods_row(&(within + numbers), 8_000)),
        ("a name twice", ods_row(&ods_text("x", 1), 1).replace("number-", "number- number-")),
    ] {
        let refused = read(&ods(&table));
        let is_refused = matches!(refused, Err(SheetError::Altered(_) | SheetError::Large(_)));
        assert!(is_refused, "{what}: {refused:?}");
    }
    let two = format!("<table:table table:name=\"B\">{}</table:table>", ods_row(ODS_ONE, 1));
    let nested = read(&ods(&(two + &ods_row(ODS_ONE, 1))));
    assert!(matches!(nested, Err(SheetError::Altered(_))), "{nested:?}");
}

/// As spreadsheets write what is only coloured, and what stands far below.
#[test]
fn an_ods_is_read_however_often_its_blank_cells_stand() {
    let tail = ods_blanks(20) + &ods_blanks(16_363);
    let table = [
        ods_row(&(ods_text("Nama", 1) + &tail), 1),
        ods_row(&(ods_text("Asep", 3) + &tail), 2),
        ods_row(&ods_blanks(16_384), 50_000),
        ods_row(&(ods_blanks(2) + &ods_text("a &amp;<text:s text:c=\"3\"/>b", 1)), 1),
        ods_row(&(ods_blanks(1_000) + &ods_blanks(15_384)), 998_000),
    ];
    let expected = rows(&[
        (1, &["Nama"]),
        (2, &["Asep", "Asep", "Asep"]),
        (3, &["Asep", "Asep", "Asep"]),
        (50_004, &["", "", "a &   b"]),
    ]);
    assert_eq!(read(&ods(&table.concat())).unwrap(), expected);
}

#[test]
fn what_the_cells_of_a_workbook_share_is_counted() {
    let head = "<worksheet><sheetData>";
    let tail = "</sheetData></worksheet>";
    let relations = BOOK_RELATIONS.replace("sheet1.xml", "sheet1.bin");
    let styles = format!(
        "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"{}\"/></numFmts><cellXfs>{}</cellXfs></styleSheet>",
        "0".repeat(20_000),
        "<xf numFmtId=\"164\"/>".repeat(7_000),
    );
    let sheet = format!("{head}<row><c><v>1</v></c></row>{tail}");
    let plain = ("xl/worksheets/sheet1.xml", &*sheet);
    let hidden = ("xl/worksheets/sheet1.bin", &*sheet);
    for (what, parts) in [
        ("a format in many styles", [plain, ("xl/styles.xml", &styles)]),
        ("a sheet of another name", [hidden, ("xl/_rels/workbook.xml.rels", &relations)]),
    ] {
        let refused = read(&xlsx_of(&parts));
        let is_refused = matches!(refused, Err(SheetError::Altered(_) | SheetError::Large(_)));
        assert!(is_refused, "{what}: {refused:?}");
    }
    let shared = |letters: usize, cells: usize| {
        let strings = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(letters));
        let cells = r#"<c t="s"><v>0</v></c>"#.repeat(cells);
        read(&xlsx(&strings, &format!("{head}<row>{cells}</row>{tail}")))
    };
    let most = super::CELL_BYTES_MAX;
    assert_eq!(shared(most, 3).unwrap().len(), 1);
    assert!(matches!(shared(most + 1, 3), Err(SheetError::CellLong { row: 1, .. })));
    assert!(matches!(shared(most, 17), Err(SheetError::Large(_))));
}

#[test]
fn a_text_row_is_no_larger_than_one_of_a_workbook() {
    let cell = "x".repeat(super::CELL_BYTES_MAX);
    let row = |cells: usize| format!("Nama;RT\n{}\n", vec![cell.as_str(); cells].join(";"));
    assert_eq!(read(row(16).as_bytes()).unwrap().len(), 2);
    assert!(matches!(read(row(17).as_bytes()), Err(SheetError::Large(_))));
}

/// As Excel writes them: a record has no more than 8,224 bytes, and a text may go on in the next, there
/// in the other form; behind it may stand which letters are bold. The fuzz target begins with it too.
#[test]
fn shared_texts_of_an_old_workbook_are_read_from_all_their_records() {
    let rich = [4, 0, 0x0c, 1, 0, 2, 0, 0, 0];
    let texts = [
        (0x00fc, [&[0; 8][..], &[4, 0, 0], b"Nama", &[2, 0, 0], b"RT", &[4, 0, 0], b"Ma"].concat()),
        (0x003c, [&[1][..], &[0x11, 1, b'e', 0], &rich, b"Asep"].concat()),
        (0x003c, vec![0, 0, 0, 0, 9, 9, 1, 0, 0, b'7']),
    ];
    let said = [3_u16, 0, 0, 0, 0, 0, 0xffff, 0, 0, 0, 5].map(u16::to_le_bytes).concat();
    let cells = [
        shared_label(0, 0, 0),
        shared_label(0, 1, 1),
        shared_label(1, 0, 2),
        shared_label(1, 1, 4),
        shared_label(2, 0, 3),
        (0x0006, [&said[..], &[0x17, 2, 0], b"AB"].concat()),
        (0x0207, [&[2, 0, 0][..], b"AB"].concat()),
        (0x00e5, [1_u16, 2, 2, 0, 1].map(u16::to_le_bytes).concat()),
    ];
    let made = xls_with(&texts, &cells, 1);
    assert!(made == include_bytes!("../../../tests/src/fuzz/shared-texts.xls"));
    let expected = rows(&[(1, &["Nama", "RT"]), (2, &["Mađe", "7"]), (3, &["Asep"]), (4, &["AB"])]);
    assert_eq!(read(&made).unwrap(), expected);
    let cut = [(0x00fc, [&[0; 8][..], &[200, 0, 0], b"RT"].concat())];
    assert!(matches!(read(&xls_with(&cut, &cells, 1)), Err(SheetError::Altered(_))));
}

/// Calamine 0.38 waits for the end of a table for ever.
#[test]
fn an_ods_of_which_a_tag_has_no_end_is_refused() {
    let row = r#"<table:table-row><table:table-cell office:value-type="float" office:value="7"><text:p>7</text:p></table:table-cell></table:table-row>"#;
    let whole = content(row);
    assert_eq!(read(&ods_with(&whole)).unwrap().len(), 1);
    let ends = whole.match_indices('>').map(|(at, _)| at + 1).filter(|end| *end < whole.len());
    let mut damaged: Vec<String> = ends.map(|end| whole[..end].to_owned()).collect();
    damaged.push(whole.replace("</table:table>", "</table:tabel>"));
    damaged.push(whole.replace("</table:table>", ""));
    damaged.push(whole.replace("</table:table-row>", "</table:table-cell>"));
    for content in damaged {
        let refused = read(&ods_with(&content));
        assert!(matches!(refused, Err(SheetError::Altered(_))), "{refused:?}: {content}");
    }
}

#[test]
fn a_directory_that_lies_about_a_size_is_found() {
    let part = format!("<a>{}</a>", "x".repeat(1_000));
    let mut bytes = packed(&[("xl/workbook.xml", part.as_bytes())]);
    let size = u32::try_from(part.len()).unwrap().to_le_bytes();
    for at in 0..bytes.len() - 4 {
        if bytes[at..at + 4] == size {
            bytes[at..at + 4].copy_from_slice(&10_u32.to_le_bytes());
        }
    }
    assert!(matches!(read(&bytes), Err(SheetError::Altered(_))));
}

#[test]
fn a_cut_or_scratched_workbook_never_panics_and_never_reads_as_whole() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for row in 0..40 {
        sheet.write(row, 0, format!("nama {row}")).unwrap();
        sheet.write(row, 1, f64::from(row)).unwrap();
    }
    let whole = book.save_to_buffer().unwrap();
    for cut in (5..whole.len()).step_by(97) {
        assert!(read(&whole[..cut]).is_err(), "cut at {cut}");
    }
    let expected = read(&whole).unwrap();
    for at in (0..whole.len()).step_by(41) {
        let mut scratched = whole.clone();
        scratched[at] ^= 0x55;
        if let Ok(rows) = read(&scratched) {
            assert_eq!(rows, expected, "scratched at {at}");
        }
    }
    let old = xls(&[label(0, 0, "Nama"), number(1, 0, 1.0)], 1);
    for at in (0..old.len()).step_by(7) {
        let mut scratched = old.clone();
        scratched[at] ^= 0xff;
        let _either = read(&scratched).is_ok();
    }
}

#[test]
fn a_million_rows_pass_through_one_at_a_time() {
    let text = "Nama;NIK;RT\n".to_owned() + &"Asep;3205010101879001;01\n".repeat(1_000_000);
    let (_folder, path) = saved(text.as_bytes());
    let mut book = Book::open(&path).unwrap();
    let mut last = 0;
    let mut count = |row: super::Row| {
        last = row.number;
        ControlFlow::Continue(())
    };
    book.rows(0, &mut count).unwrap();
    assert_eq!(last, 1_000_001);
}

/// Rows of a text file, and which of their cells were guessed.
fn guessed(bytes: &[u8]) -> Vec<(Vec<String>, Vec<usize>)> {
    let (_folder, path) = saved(bytes);
    let mut book = Book::open(&path).unwrap();
    let mut rows = Vec::new();
    let mut take = |row: super::Row| {
        rows.push((row.cells.iter().map(Cell::title).collect(), row.guessed));
        ControlFlow::Continue(())
    };
    book.rows(0, &mut take).unwrap();
    rows
}

#[test]
fn of_two_encodings_in_one_file_each_letter_is_read_by_itself_and_the_rarer_is_told_by_its_cell() {
    let row = |cells: &[&str], guessed: &[usize]| {
        (cells.iter().map(|it| (*it).to_owned()).collect(), guessed.to_vec())
    };
    let mostly_utf8 = [
        "Nama;Alamat\nJosé;Désa\nRené;Cidadap\n".as_bytes(),
        b"Andr\xe9;\"Jl. \x93Mawar\x94\"\n",
        "Zoë;".as_bytes(),
        b"Caf\xe9 \xc3\xa9\n",
    ]
    .concat();
    let expected = [
        row(&["Nama", "Alamat"], &[]),
        row(&["José", "Désa"], &[]),
        row(&["René", "Cidadap"], &[]),
        row(&["André", "Jl. “Mawar”"], &[0, 1]),
        row(&["Zoë", "Café é"], &[1]),
    ];
    assert_eq!(guessed(&mostly_utf8), expected);
    let mostly_windows = b"Nama;Alamat\nJos\xe9;D\xe9sa\nRen\xe9;Jos\xc3\xa9\n";
    let expected =
        [row(&["Nama", "Alamat"], &[]), row(&["José", "Désa"], &[]), row(&["René", "José"], &[1])];
    assert_eq!(guessed(mostly_windows), expected);
    let marked = [b"\xef\xbb\xbf", &b"Nama;RT\nJos\xe9;1\n"[..]].concat();
    assert_eq!(guessed(&marked), [row(&["Nama", "RT"], &[]), row(&["José", "1"], &[0])]);
}

#[test]
fn a_text_in_utf8_that_ends_within_a_letter_is_cut() {
    let bytes = "Nama;RT\nJosé;1\nRené".as_bytes();
    let cut = bytes.get(..bytes.len() - 1).unwrap();
    assert!(matches!(read(cut), Err(SheetError::Truncated)));
}

#[test]
fn both_encodings_are_told_apart_across_the_pieces_of_a_file() {
    for shift in 0..4 {
        let text = format!("{}é;x\n{}", "b;c\n".repeat(10), "a".repeat((64 << 10) - 46 + shift));
        let bytes = [text.as_bytes(), "é👍".as_bytes(), b"\xe9;y\n"].concat();
        let rows = guessed(&bytes);
        let (cells, guessed) = rows.last().unwrap();
        assert!(cells[0].ends_with("aé👍é"), "{shift}");
        assert_eq!(guessed, &[0], "{shift}");
    }
}
