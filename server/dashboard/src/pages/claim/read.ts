// Owns finding a QR code on a picture: with the browser's own detector where there is one, else with a decoder that
// is fetched only when it is needed. Knows nothing of what the code says.

/** What of the browser's detector is used; TypeScript does not know it. */
interface Detector {
  detect(source: CanvasImageSource): Promise<{ rawValue: string }[]>;
}
interface DetectorKind {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}

/** A photo has far more pixels than a code needs, and a decoder is slow on all of them. The smaller ones find what noise hides. */
const SIDES = [1_280, 800, 480] as const;

async function detector(): Promise<Detector | null> {
  const kind = (globalThis as { BarcodeDetector?: DetectorKind }).BarcodeDetector;
  if (!kind) return null;
  try {
    const formats = await kind.getSupportedFormats();
    return formats.includes('qr_code') ? new kind({ formats: ['qr_code'] }) : null;
  } catch {
    return null;
  }
}

let known: Promise<Detector | null> | undefined;

interface Picture {
  readonly source: CanvasImageSource;
  readonly width: number;
  readonly height: number;
}

async function read({ source, width, height }: Picture, sides: readonly number[]): Promise<string | null> {
  if (!width || !height) return null;
  const detect = await (known ??= detector());
  if (detect) {
    const [found] = await detect.detect(source).catch(() => []);
    if (found?.rawValue) return found.rawValue;
  }
  const { default: decode } = await import('jsqr');
  for (const side of sides) {
    const scale = Math.min(1, side / Math.max(width, height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) return null;
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const found = decode(data, canvas.width, canvas.height);
    if (found?.data) return found.data;
  }
  return null;
}

/** The text of the QR code on a photo; null if there is none. Rejects for what is no picture. */
export async function readPhoto(file: Blob): Promise<string | null> {
  const bitmap = await createImageBitmap(file);
  try {
    return await read({ source: bitmap, width: bitmap.width, height: bitmap.height }, SIDES);
  } finally {
    bitmap.close();
  }
}

/** The same for what a camera shows right now. */
export function readVideo(video: HTMLVideoElement): Promise<string | null> {
  return read({ source: video, width: video.videoWidth, height: video.videoHeight }, [800]);
}
