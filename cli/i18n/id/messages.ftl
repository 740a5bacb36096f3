# Pesan selama bekerja.

tell-node-gone = Simpul yang berjalan di folder ini berakhir sebelum menjawab.
tell-trial = Jaringan uji: hanya orang sintetis. Jangan masukkan data orang sungguhan.
tell-always-trial = Ini jaringan uji, walau --trial tidak ditulis: setiap jaringan demikian sampai penyegelan ada.
tell-invitation-secret = Siapa pun yang memegang { $path } dapat bergabung. Simpan baik-baik.
tell-verifying = Memeriksa
tell-importing = Mengimpor
tell-exporting = Menulis bundel
tell-making = Membuat data sintetis
tell-given-text = teks yang diberikan ({ $count } huruf)
