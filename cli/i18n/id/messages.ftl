# Pesan selama bekerja.

tell-node-gone = Simpul yang berjalan di folder ini berakhir sebelum menjawab.
tell-node-silent = Simpul yang berjalan belum menjawab. Permintaan ini dihentikan, atau masih diselesaikan di sana; lihat dengan wksbm status.
tell-node-busy = Simpul yang berjalan sedang bekerja; perintah ini menunggu giliran. Ctrl-C mengakhiri perintah ini, bukan pekerjaan itu.
tell-node-busy-with = Simpul yang berjalan sedang mengerjakan `wksbm { $work }`; perintah ini menunggu giliran. Ctrl-C mengakhiri perintah ini, bukan pekerjaan itu.
tell-node-busy-peers = Simpul yang berjalan sedang menerima kiriman mitra; perintah ini menunggu giliran. Ctrl-C mengakhiri perintah ini, bukan pekerjaan itu.
tell-waiting-store = Perintah lain sedang memegang folder data ini. Menunggu sampai selesai.
tell-trial = Jaringan uji: hanya orang sintetis. Jangan masukkan data orang sungguhan.
tell-always-trial = Ini jaringan uji, walau --trial tidak ditulis: setiap jaringan demikian sampai penyegelan ada.
tell-invitation-secret = Siapa pun yang memegang { $path } dapat bergabung. Simpan baik-baik.
tell-verifying = Memeriksa
tell-importing = Mengimpor
tell-exporting = Menulis bundel
tell-making = Membuat data sintetis
tell-given-text = teks yang diberikan ({ $count } huruf)
tell-odd-language = WKSBM_LANG bukan bahasa yang dikenal (id atau en); dipakai bahasa Indonesia.
