# Baris perintah yang keliru.

usage-no-data-folder = Folder data tidak diketahui di komputer ini.
usage-no-command = Perintahnya belum ditulis.
usage-unknown-command = Perintah `{ $argument }` tidak dikenal. Mungkin maksudnya: { $near }
usage-unknown-command-alone = Perintah `{ $argument }` tidak dikenal. Semua perintah ada di `wksbm --help`.
usage-unknown-argument = `{ $argument }` tidak dikenal di sini. Mungkin maksudnya: { $near }
usage-unknown-argument-alone = `{ $argument }` tidak dikenal di sini.
usage-word-too-many = Ada kata yang tidak pada tempatnya. Isi yang memuat spasi ditulis di antara tanda kutip.
usage-missing = Masih kurang: { $argument }
usage-conflict = `{ $argument }` tidak dapat bersama `{ $other }`.
usage-no-value = `{ $argument }` belum diberi isi.
usage-unknown-value = `{ $value }` bukan isi untuk `{ $argument }`. Yang dikenal: { $known }
usage-value = `{ $value }` bukan isi untuk `{ $argument }`.
usage-count = Banyaknya isi `{ $argument }` tidak tepat.
usage-letters = Ada huruf yang tidak dapat dibaca di baris perintah.
usage-other = Baris perintah tidak dapat dipahami: { $what }
usage-field-form = Kolom ditulis NAMA=ISI, NAMA+=ISI atau NAMA-=ISI.
usage-field-twice = Kolom `{ $field }` diisi atau dikosongkan lebih dari sekali dalam satu simpan.
usage-fields-json = --fields bukan satu objek JSON (baris { $line }).
usage-fields-value = Isi `{ $field }` di --fields bukan teks, angka, true, false, null atau daftar darinya.
usage-element-sign = Satu butir daftar `{ $field }` memuat tanda `;`. Tambahkan dengan { $field }+=ISI.
usage-stdin-twice = Masukan baku hanya dapat dibaca sekali.
usage-value-too-long = Isi dari `{ $path }` terlalu besar untuk satu kolom.
usage-not-text = `{ $path }` bukan teks UTF-8.
usage-nothing-to-set = Tidak ada kolom yang diubah. Pakai --field, --clear atau --fields.
usage-api-loopback = `{ $address }` bukan mesin ini. API lokal hanya mendengarkan di loopback, misalnya 127.0.0.1:8089.
usage-api-foreign = Permintaan ditujukan ke host lain, atau datang dari halaman situs lain.
usage-api-token = Permintaan tidak menunjukkan token dari jalannya simpul ini.
usage-api-link = Tautan sudah dipakai, atau sudah terlalu lama.
usage-api-path = Alamat itu tidak ada. Daftarnya di `/v1/openapi.json`.
usage-api-type = Isi permintaan harus JSON dan menyebutkannya: Content-Type: application/json.
usage-api-body = Isi permintaan tidak sesuai dengan yang diminta di sini: { $what }
usage-api-name = Nama pertanyaan harus 1 sampai 64 huruf, angka atau `-`, dan belum dipakai.
