// Owns the Indonesian text of keys and of the way to anywhere by typing.
import type { Dictionary } from './dictionary';

export const keyboardId: Dictionary['keyboard'] = {
  title: 'Tombol pintas',
  link: 'Tombol pintas',
  help: 'Tampilkan tombol pintas ini',
  search: 'Cari di halaman ini',
  undo: 'Urungkan, selama ditawarkan',
  on: 'Pakai tombol pintas satu huruf',
  onHint: 'Matikan bila Anda mendikte, atau sering tertekan tak sengaja.',
  palette: 'Buka…',
  palettePlaceholder: 'Halaman, perangkat, atau lokasi',
  nothing: 'Tidak ada yang bernama begitu.',
  next: 'Berikutnya',
  previous: 'Sebelumnya',
  select: 'Pilih',
};
