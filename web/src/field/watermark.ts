/** Time and place burnt into a photo, so that they stay with it wherever it goes. */
export const LONGEST = 1600
const QUALITY = 0.86

/** The size of a picture whose longer side is at most `most`. */
export function fitted(width: number, height: number, most: number): { width: number; height: number } {
  const share = Math.min(1, most / Math.max(width, height))
  return { width: Math.round(width * share), height: Math.round(height * share) }
}

/** What stands on the photo: when, where, who. */
export function marks(at: string, place: { lon: number; lat: number } | null, who: string, unknown: string): string[] {
  return [at, place ? `${place.lon.toFixed(5)}, ${place.lat.toFixed(5)}` : unknown, who].filter(Boolean)
}

/** A JPEG of the photo, turned upright and made smaller, with the lines at its foot. */
export async function marked(file: Blob, lines: readonly string[]): Promise<Blob> {
  const image = await createImageBitmap(file, { imageOrientation: 'from-image' })
  const { width, height } = fitted(image.width, image.height, LONGEST)
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const pen = canvas.getContext('2d')
  if (!pen) throw new Error('no canvas')
  pen.drawImage(image, 0, 0, width, height)
  image.close()
  const size = Math.max(14, Math.round(height / 32))
  pen.fillStyle = 'rgb(0 0 0 / 0.55)'
  pen.fillRect(0, height - (lines.length + 0.6) * size * 1.35, width, height)
  pen.fillStyle = '#fff'
  pen.font = `${size}px sans-serif`
  lines.forEach((line, i) => pen.fillText(line, size * 0.7, height - (lines.length - 1 - i) * size * 1.35 - size * 0.7, width - size * 1.4))
  return new Promise((done, fail) => canvas.toBlob((made) => (made ? done(made) : fail(new Error('no picture'))), 'image/jpeg', QUALITY))
}
