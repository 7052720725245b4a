// Owns how a text becomes a picture that a camera reads: a path of squares, so that no image has to be loaded. Pure.
import qrcode from 'qrcode-generator';

export interface Picture {
  /** Squares on a side. */
  size: number;
  path: string;
}

export function modules(text: string): Picture {
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  const size = code.getModuleCount();
  let path = '';
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      if (code.isDark(row, column)) path += `M${column} ${row}h1v1h-1z`;
    }
  }
  return { size, path };
}
