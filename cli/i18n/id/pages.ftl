# Halaman hasil untuk orang.

page-why = Sebab:
page-do = Saran:
page-yes = ya
page-no = tidak
page-or = atau
page-all = siapa saja yang berhak
page-hidden = (disembunyikan; buka dengan --reveal TUJUAN)
page-sealed = (tersegel)
page-cleared = (dikosongkan)
page-help-usage = Pemakaian:
page-help-commands = Perintah
page-help-arguments = Isian
page-help-options = Pilihan
page-help-global = Pilihan untuk semua perintah
page-help-help = Tampilkan bantuan ini
page-help-version = Tampilkan versi
page-name = Nama
page-network = Jaringan
page-area = Wilayah
page-areas = Wilayah di dalamnya
page-device = Perangkat
page-keys = Kunci akar (perlu/ada)
page-trial = Jaringan uji
page-network-made = Jaringan sudah dibuat. Perangkat ini perangkat pertamanya.
page-invitation-made = Undangan sudah ditulis. Berikan hanya kepada orang yang Anda undang.
page-file = Berkas
page-files = Berkas
page-folder = Folder
page-rights = Hak
page-expires = Berlaku sampai
page-invitation = Undangan
page-joined = Perangkat ini sudah bergabung.
page-join-next = Kirim satu bundel ke tingkat di atas dan bacakan delapan kata ini lewat telepon; setelah disahkan, catatan perangkat ini ikut dihitung.
page-state = Kedudukan
page-state-active = aktif
page-state-provisional = menunggu pengesahan
page-state-closed = ditutup
page-state-revoked = dicabut
page-since = Sejak
page-words = Kata
page-member-as-before = Kedudukan perangkat tetap seperti semula.
page-already-confirmed = Perangkat ini sudah disahkan sebelumnya; tidak ada yang ditulis.
page-end-not-held = Perangkat ini ditutup pada catatan yang belum ada di sini. Yang ditulis sebelum itu masih dihitung bila datang.
page-member-changed = Kedudukan perangkat sudah berubah.
page-invitation-expired = Undangannya sudah lewat waktu. Pastikan lagi bahwa perangkat ini memang yang Anda undang.
page-entry = Entri
page-code = Kode
page-level = Tingkat
page-id = Id tetap
page-above = Di bawah
page-former = Kode dahulu
page-total = Jumlah
page-rehomed = Kode wilayah sudah berubah. Tidak ada catatan yang disalin.
page-old = Kode lama
page-new = Kode baru
page-version = Versi
page-running = Sedang berjalan
page-records = Catatan
page-entries = Entri
page-size = Ukuran
page-arrived-at = Sampai di
page-mine = Dari sini
page-held = Sudah di sana
page-missing = Belum sampai
page-complete = Lengkap sampai
page-connected = Tersambung
page-contact = Terakhir bertemu
page-equal = Sama
page-trouble-conflicts = { $count } isian berbeda dari dua orang. Lihat: wksbm record conflicts
page-trouble-set-aside = { $count } catatan terlalu besar dan disisihkan: tersimpan, tanpa isi. Hubungi tingkat di atas. Lihat: wksbm record list --layer quarantined
page-trouble-deps = { $count } catatan menunggu entri yang belum sampai. Impor bundel berikutnya.
page-trouble-confirmation = { $count } catatan menunggu pengesahan perangkatnya.
page-trouble-adoption = { $count } entri perangkat ini menunggu adopsi: wilayahnya sudah pindah ke induk lain. Tetap tersimpan, tidak dihitung; laporkan kepada petugas di atas kedua induk.
page-trouble-quarantined = { $count } entri disisihkan dan tidak dihitung.
page-trouble-own-area = Ruang tinggal { $free }: data wilayah lain tidak diterima lagi. Hapus berkas lain dari perangkat ini.
page-trouble-own-saves = Ruang tinggal { $free }: hanya catatan Anda sendiri yang masih disimpan. Hapus berkas lain dari perangkat ini.
page-trouble-clock = Jam perangkat ini tidak masuk akal. Betulkan tanggal dan jamnya.
page-trouble-fork = Entri { $entry } dari perangkat { $device } ditulis dua kali ({ $places }). Mungkin kartu SD disalin atau cadangan lama dipakai lagi.
page-trouble-invitation = { $count } perangkat bergabung dengan satu undangan ({ $invitation }, wilayah { $area }): { $devices }. Mungkin undangan itu bocor; sahkan hanya yang Anda maksud, dan tutup yang lain: wksbm member close
page-trouble-code = Kode { $code } dipakai lebih dari satu wilayah: { $areas }. Sampai dibetulkan, ketik sebelas angkanya. Wilayah di atasnya memberi salah satunya kode lain: wksbm area rehome SEBELAS-ANGKA KODE
page-trouble-contested = Wilayah { $name } ({ $id }) diberi kode atau tempat oleh dua pihak; yang dipakai sekarang { $area }. Wilayah di atasnya memutuskan dengan memberinya kode sekali lagi: wksbm area rehome { $id } KODE
page-later = Kode resmi kemudian
page-open-only = Perangkat ini belum disahkan: hanya data terbuka yang dihitung, yang lain menunggu.
page-this-device = perangkat ini
page-root = Akar
page-other-moment = Belum ada kata: resi terbaru berbicara tentang saat lain, bukan isi simpul ini sekarang.
page-feeds = Umpan
page-feed = Umpan
page-authority = Akar kewenangan
page-verify-ok = Semua yang tersimpan sudah diperiksa. Tidak ada yang rusak.
page-verify-damage = Pemeriksaan menemukan kerusakan di { $count } tempat.
page-signatures = Tanda tangan
page-certificates = Sertifikat
page-dropped = Bagian yang dihapus sah
page-forks = Umpan bercabang
page-views-equal = Tampilan sesuai entri
page-seconds = Lama (detik)
page-seq = Urutan
page-what = Temuan
page-kind = Jenis
page-title = Judul
page-fields = Kolom
page-field = Kolom
page-class = Kelas
page-type = Tipe
page-merge = Gabung
page-required = Wajib
page-codes = Kode
page-from = Dari
page-to = Ke
page-schema-next = Lihat kolom satu jenis: wksbm schema JENIS
page-term = Istilah
page-long = Kepanjangan
page-meaning = Arti
page-no-term = Tidak ditemukan: istilah itu tidak ada dalam daftar.
page-near-term = Mungkin maksudnya: { $near }
page-all-terms = Lihat semua istilah dengan `wksbm glossary`.
page-sheet-applied = Lembar sudah ditulis ke catatan.
page-sheet-trial = Ini percobaan; belum ada yang ditulis. Ulangi dengan --apply bila hasilnya benar.
page-rows = Baris
page-row = Baris
page-rows-new = Baru
page-rows-changed = Berubah
page-rows-unchanged = Tetap
page-rows-refused = Ditolak
page-rows-warnings = Peringatan
page-synth-made = Data sintetis sudah dibuat. Tidak seorang pun di dalamnya nyata.
page-synth-there = Orang rekaan ini sudah ada di sini; tidak ada yang ditulis.
page-preset = Paket contoh
page-seed = Benih
page-man-written = Halaman manual sudah ditulis.
page-bundle-made = Bundel sudah ditulis.
page-bundle-whole = Bundel ini utuh.
page-rejected-cut = terpotong
page-rejected-altered = berubah
page-rejected-trailing = kelebihan isi
page-rejected-newer = versi lebih baru
page-rejected-outside-interest = untuk wilayah lain
page-rejected-unknown-device = perangkat tidak dikenal
page-rejected-no-right = tanpa hak
page-rejected-unconfirmed = belum disahkan
page-rejected-limit = melebihi batas
page-rejected-signature = tanda tangan tidak cocok
page-rejected-broken-chain = rantai terputus
page-rejected-unreadable = tidak terbaca
page-rejected-no-room = ruang penyimpanan tidak cukup
page-rejected-rotten = menyambung data yang rusak di simpul ini
page-bundle-quarantined = { $count } entri disisihkan: disimpan, tetapi tidak dihitung.
page-bundle-older = Berkas ini sisa bundel terdahulu, bukan bagian bundel yang baru: { $file }
page-bundle-trailing = Di belakang akhir bundel masih ada isi lain. Yang utuh sudah diambil; salin ulang berkasnya.
page-bundle-cut = Bundel ini tidak utuh. Yang utuh di dalamnya tetap dapat diimpor.
page-for = Untuk
page-from-device = Dari perangkat
page-made-at = Dibuat
page-piece = Bagian
page-new-here = Baru di sini
page-missing-feed = Umpan yang belum lengkap
page-duplicate = Sudah ada
page-pending = Tertunda
page-import-partial = Dari { $count } berkas belum semuanya dapat diambil. Yang utuh sudah tersimpan.
page-import-pieces = Dari { $pieces } bagian bundel ini, bagian berikut tidak ikut diimpor: { $lacking }. Isinya baru masuk bila bagian itu sudah diimpor sebelumnya.
page-import-too-early = Bagian { $piece } dari { $pieces } menunggu bagian sebelumnya. Impor dulu bagian itu, lalu ulangi bagian ini.
page-saved = Sudah tersimpan.
page-record = Catatan
page-value = Isi
page-by = Oleh
page-claimed = Waktu penulis
page-verdict = Kedudukan
page-verdict-counting = dihitung
page-verdict-waiting = menunggu
page-verdict-quarantined = disisihkan
page-verdict-set-aside = terlalu besar, disisihkan
page-edits-left-out = { $count } perubahan lain tersimpan dan tidak ditampilkan: catatan ini terlalu besar untuk dibaca seluruhnya.
page-label = Sebutan
page-status = Status
page-conflicts = Konflik
page-changed-at = Berubah
page-list-total = { $shown } dari { $total } catatan.
page-list-next = Halaman berikutnya: --after { $cursor }
page-exported = Dokumen Automerge sudah ditulis.
page-export-older = Berkas ini sisa ekspor terdahulu, mungkin dari catatan lain: { $file }
page-head = Kepala Automerge
page-no-conflicts = Tidak ada konflik.
page-conflicts-next = Pilih satu isi: wksbm record settle CATATAN KOLOM --entry ENTRI
page-dials = Dihubungi
page-no-peers = Belum ada mitra. Tambahkan dengan `wksbm peer add`, atau bawa bundel.
page-received = Entri diterima
page-sent = Entri dikirim
page-run-ready = Simpul ini ({ $device }) sudah jalan.
page-run-listen = Dapat dihubungi di { $address }
page-run-listen-failed = { $address } tidak dapat dipakai: { $reason }.
page-run-end = Tekan Ctrl-C untuk mengakhiri.
page-run-joined = Terhubung: { $device } dari { $area }
page-run-left = Terputus: { $device } ({ $reason ->
        [version] versi programnya lain
        [stranger] kedua pihak belum saling mengenal
        [no_rights] perangkat ini tidak berhak di sana
        [nothing_shared] tidak ada wilayah bersama
        [malformed] pesan tidak dapat dibaca
        [out_of_order] pesan tidak pada gilirannya
        [unknown_reference] pesan menyebut yang tidak dikenal
        [too_much] melebihi batas
        [stalled] terlalu lama diam
        [bad_run] entri yang diterima tidak sah
        [store] penyimpanannya gagal
        [lost] sambungan terputus
        [refused] sambungan ditutup di pintu: perangkat ini mungkin ditutup di sana, atau di sana sedang penuh
        [unsupported] di alamat itu bukan simpul WKSBM
        [wrong_peer] di alamat itu ada perangkat lain
        [connected] sudah tersambung
       *[other] { $reason }
    })
page-run-closed = Sambungan ditutup sebelum diketahui siapa di sana ({ $reason ->
        [version] versi programnya lain
        [stranger] kedua pihak belum saling mengenal
        [no_rights] perangkat ini tidak berhak di sana
        [nothing_shared] tidak ada wilayah bersama
        [malformed] pesan tidak dapat dibaca
        [out_of_order] pesan tidak pada gilirannya
        [unknown_reference] pesan menyebut yang tidak dikenal
        [too_much] melebihi batas
        [stalled] terlalu lama diam
        [bad_run] entri yang diterima tidak sah
        [store] penyimpanannya gagal
        [lost] sambungan terputus
        [refused] sambungan ditutup di pintu: perangkat ini mungkin ditutup di sana, atau di sana sedang penuh
        [unsupported] di alamat itu bukan simpul WKSBM
        [wrong_peer] di alamat itu ada perangkat lain
        [crowded] belakangan ini terlalu banyak perangkat baru di sana
        [connected] sudah tersambung
       *[other] { $reason }
    })
page-run-refused = Tidak diterima di { $address }: { $reason ->
        [version] versi programnya lain
        [stranger] kedua pihak belum saling mengenal
        [no_rights] perangkat ini tidak berhak di sana
        [nothing_shared] tidak ada wilayah bersama
        [malformed] pesan tidak dapat dibaca
        [out_of_order] pesan tidak pada gilirannya
        [unknown_reference] pesan menyebut yang tidak dikenal
        [too_much] melebihi batas
        [stalled] terlalu lama diam
        [bad_run] entri yang diterima tidak sah
        [store] penyimpanannya gagal
        [lost] sambungan terputus
        [refused] sambungan ditutup di pintu: perangkat ini mungkin ditutup di sana, atau di sana sedang penuh
        [unsupported] di alamat itu bukan simpul WKSBM
        [wrong_peer] di alamat itu ada perangkat lain
        [crowded] belakangan ini terlalu banyak perangkat baru datang ke sana dari alamat internet yang sama; { $wait } detik lagi diterima, dan akan dihubungi lagi dengan sendirinya
        [other_network] milik jaringan lain
        [connected] sudah tersambung
       *[other] { $reason }
    }.
page-trouble-refused = Tidak diterima di { $address } sejak { $since }: { $reason ->
        [version] versi programnya lain
        [stranger] kedua pihak belum saling mengenal
        [no_rights] perangkat ini tidak berhak di sana
        [nothing_shared] tidak ada wilayah bersama
        [malformed] pesan tidak dapat dibaca
        [out_of_order] pesan tidak pada gilirannya
        [unknown_reference] pesan menyebut yang tidak dikenal
        [too_much] melebihi batas
        [stalled] terlalu lama diam
        [bad_run] entri yang diterima tidak sah
        [store] penyimpanannya gagal
        [lost] sambungan terputus
        [refused] sambungan ditutup di pintu: perangkat ini mungkin ditutup di sana, atau di sana sedang penuh
        [unsupported] di alamat itu bukan simpul WKSBM
        [wrong_peer] di alamat itu ada perangkat lain
        [crowded] belakangan ini terlalu banyak perangkat baru datang ke sana dari alamat internet yang sama; { $wait } detik lagi diterima, dan akan dihubungi lagi dengan sendirinya
        [other_network] milik jaringan lain
        [connected] sudah tersambung
       *[other] { $reason }
    }.
page-run-equal = Sama dengan { $device } dari { $area }: kedua pihak membuktikan akar yang sama ({ $received } entri diterima, { $sent } dikirim)
page-run-unequal = Belum sama dengan { $device } dari { $area } ({ $received } entri diterima, { $sent } dikirim)
page-run-cut-off = Ada pekerjaan yang tidak selesai pada waktunya dan dihentikan. Yang sudah dinyatakan tersimpan tetap tersimpan.
page-run-stopped = Berhenti. Semuanya sudah tersimpan.
page-sync-equal = Sama: kedua pihak membuktikan akar yang sama.
page-sync-not-equal = Selesai, tetapi belum terbukti bahwa kedua pihak sama.
page-sync-over = Dibandingkan lewat sambungan yang sudah ada
page-sync-refused = Mitra mengakhiri sesi ({ $reason ->
        [version] versi programnya lain
        [stranger] kedua pihak belum saling mengenal
        [no_rights] perangkat ini tidak berhak di sana
        [nothing_shared] tidak ada wilayah bersama
        [malformed] pesan tidak dapat dibaca
        [out_of_order] pesan tidak pada gilirannya
        [unknown_reference] pesan menyebut yang tidak dikenal
        [too_much] melebihi batas
        [stalled] terlalu lama diam
        [bad_run] entri yang diterima tidak sah
        [store] penyimpanannya gagal
        [lost] sambungan terputus
        [refused] sambungan ditutup di pintu: perangkat ini mungkin ditutup di sana, atau di sana sedang penuh
        [unsupported] di alamat itu bukan simpul WKSBM
        [wrong_peer] di alamat itu ada perangkat lain
        [connected] sudah tersambung
       *[other] { $reason }
    }).
page-sync-other-network = Yang menjawab di sana milik jaringan lain.
page-sync-nobody = Tidak ada yang menjawab: dicoba { $tries } kali dalam { $seconds } detik.
page-sync-waited-answer = Sudah { $seconds } detik menunggu jawaban; sebelumnya dicoba { $tries } kali.
page-sync-waited-word = Ada yang menjawab, lalu diam: dicoba { $tries } kali dalam { $seconds } detik.
page-sync-waited-end = Perbandingan belum selesai dalam { $seconds } detik.
page-run-open = Di peramban pada mesin ini: { $link }
page-session-at = Sesi
page-bytes = Bita masuk / keluar
page-rounds = Putaran
page-ended = Akhir
page-session-equal = sama
page-session-unequal = belum sama
page-address = Alamat
page-link-serves = Berlaku sekali, selama lima menit. Jangan kirim kepada siapa pun.
page-run-open-by = Halamannya di peramban: ketik `wksbm page` untuk tautannya.
