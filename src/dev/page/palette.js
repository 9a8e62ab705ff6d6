// Which colour belongs to which region: by the order in which the mesh lists them, so that all pages agree.

let regions = []

export function learn (names) {
  regions = names
}

/** The class that colours something as of a region; beyond the palette, and without a region, there is none. */
export function colour (region) {
  const place = regions.indexOf(region)
  return place < 0 || place > 2 ? 'region-other' : `region-${place}`
}
