# Baris perintah yang keliru.

usage-no-data-folder = Folder data tidak diketahui di komputer ini.
usage-no-command = Perintahnya belum ditulis.
usage-unknown-command = Perintah tidak dikenal: `{ $argument }`. Mungkin maksudnya: { $near }
usage-unknown-command-alone = Perintah tidak dikenal: `{ $argument }`. Semua perintah ada di `wksbm --help`.
usage-unknown-argument = Tidak dikenal di sini: `{ $argument }`. Mungkin maksudnya: { $near }
usage-unknown-argument-alone = Tidak dikenal di sini: `{ $argument }`.
usage-word-too-many = Ada kata yang tidak pada tempatnya. Isi yang memuat spasi ditulis di antara tanda kutip.
usage-missing = Masih kurang: { $argument }
usage-conflict = `{ $argument }` tidak dapat bersama `{ $other }`.
usage-no-value = `{ $argument }` belum diberi isi.
usage-unknown-value = `{ $argument }` tidak menerima `{ $value }`. Yang dikenal: { $known }
usage-value = `{ $argument }` tidak menerima `{ $value }`.
usage-value-time = `{ $argument }` tidak menerima `{ $value }`. Tulis bilangan di atas nol dan m, h, d atau w: 90m, 12h, 7d, 2w.
usage-value-size = `{ $argument }` tidak menerima `{ $value }`. Tulis bilangan di atas nol, boleh dengan k, M atau G: 64k, 100M, 4G.
usage-value-address = `{ $argument }` tidak menerima `{ $value }`. Tulis multiaddr, misalnya /ip4/192.0.2.7/udp/4001/quic-v1
usage-value-number = `{ $argument }` tidak menerima `{ $value }`. Tulis bilangan bulat di dalam batasnya.
usage-count = Banyaknya isi `{ $argument }` tidak tepat.
usage-letters = Ada huruf yang tidak dapat dibaca di baris perintah.
usage-other = Baris perintah tidak dapat dipahami: { $what }
usage-field-form = Kolom ditulis NAMA=ISI, NAMA+=ISI atau NAMA-=ISI.
usage-field-twice = Satu kolom diisi atau dikosongkan lebih dari sekali dalam satu simpan: `{ $field }`.
usage-fields-json = --fields bukan satu objek JSON (baris { $line }).
usage-fields-value = Satu isi di --fields bukan teks, angka, true, false, null atau daftar darinya: `{ $field }`.
usage-element-sign = Satu butir daftar memuat tanda `;`: `{ $field }`. Tambahkan dengan NAMA+=ISI.
usage-stdin-twice = Masukan baku hanya dapat dibaca sekali.
usage-value-too-long = Isi dari `{ $path }` terlalu besar untuk satu kolom.
usage-not-text = `{ $path }` bukan teks UTF-8.
usage-nothing-to-set = Tidak ada kolom yang diubah. Pakai --field, --clear atau --fields.
usage-api-loopback = `{ $address }` bukan mesin ini. API lokal hanya mendengarkan di loopback, misalnya 127.0.0.1:8089.
usage-api-foreign = Permintaan ditujukan ke host lain, atau datang dari halaman situs lain.
usage-api-token = Permintaan tidak menunjukkan token dari jalannya simpul ini.
usage-api-link = Tautan sudah dipakai, atau sudah terlalu lama.
usage-api-path = Alamat itu tidak ada. Daftarnya di `/v1/openapi.json`.
usage-sync-nobody = Simpul ini belum mengenal alamat mitra. Sebutkan dengan `--peer`, atau simpan dengan `wksbm peer add`.
usage-api-type = Isi permintaan harus JSON dan menyebutkannya: Content-Type: application/json.
usage-api-body = Isi permintaan tidak sesuai dengan yang diminta di sini: { $what }
usage-api-name = Nama pertanyaan harus 1 sampai 64 huruf, angka atau `-`, dan belum dipakai.
