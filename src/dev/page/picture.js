// The mesh in small: edges around the backbone, and a dot along the way of each message.

import { svg } from './dom.js'
import { colour } from './palette.js'
import { duration } from './text.js'

const CENTRE = { x: 160, y: 102 }
const RADIUS = { x: 118, y: 62 }
/** A dot takes as long as its message, within what an eye can follow. */
const DOT_MS = { least: 250, most: 1500 }
const DOTS_MAX = 20

export class Picture {
  #root
  #places = new Map()
  #self
  #drawn

  constructor (root) {
    this.#root = root
  }

  draw ({ self, wan, edges }) {
    const drawn = JSON.stringify({ self, wan, edges })
    if (drawn === this.#drawn) return
    this.#drawn = drawn
    this.#self = self
    this.#places = new Map(edges.map(({ region }, at) => [region, place(at, edges.length)]))
    this.#root.setAttribute('aria-label', inWords(wan, edges))
    this.#root.replaceChildren(
      ...edges.map(edge => spoke(edge, this.#places.get(edge.region), wan)),
      hub(),
      ...edges.map(edge => node(edge, this.#places.get(edge.region), edge.region === self)))
  }

  /** Shows a message's way from its region by the backbone to here. */
  pass (region, delivery) {
    const [from, to] = [this.#places.get(region), this.#places.get(this.#self)]
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    if (!from || !to || still || this.#root.querySelectorAll('.dot').length >= DOTS_MAX) return
    const dot = svg('circle', { class: `dot ${colour(region)}`, r: 5 })
    this.#root.append(dot)
    const steps = [from, CENTRE, to].map(({ x, y }) => ({ transform: `translate(${x}px, ${y}px)` }))
    const length = Math.min(DOT_MS.most, Math.max(DOT_MS.least, delivery))
    dot.animate(steps, { duration: length, easing: 'linear' }).finished.finally(() => dot.remove())
  }
}

/** On an ellipse, the first above. */
function place (at, count) {
  const angle = (at / count) * 2 * Math.PI - Math.PI / 2
  // Clockwise would put the second to the right, where maps have the east.
  return { x: CENTRE.x - RADIUS.x * Math.cos(angle), y: CENTRE.y + RADIUS.y * Math.sin(angle) }
}

function spoke ({ region, rtt_ms: roundTrip, cut }, { x, y }, wan) {
  const middle = { x: (x + CENTRE.x) / 2, y: (y + CENTRE.y) / 2 }
  const label = cut ? 'cut' : wan ? duration(roundTrip) : ''
  return svg('g', { class: `spoke ${colour(region)}${cut ? ' cut' : ''}` },
    svg('line', { x1: x, y1: y, x2: CENTRE.x, y2: CENTRE.y }),
    svg('text', { x: middle.x, y: middle.y + 4 }, label))
}

function hub () {
  return svg('g', { class: 'hub' },
    svg('rect', { x: CENTRE.x - 13, y: CENTRE.y - 13, width: 26, height: 26, rx: 7 }),
    svg('text', { x: CENTRE.x, y: CENTRE.y + 32 }, 'backbone'))
}

function node ({ region, cut }, { x, y }, here) {
  const above = y < CENTRE.y
  return svg('g', { class: `node ${colour(region)}${here ? ' here' : ''}${cut ? ' cut' : ''}` },
    here && svg('circle', { class: 'ring', cx: x, cy: y, r: 13 }),
    svg('circle', { class: 'point', cx: x, cy: y, r: 8 }),
    svg('text', { x, y: above ? y - 18 : y + 30 }, region))
}

function inWords (wan, edges) {
  const each = edges.map(({ region, rtt_ms: roundTrip, cut }) => {
    if (cut) return `${region} is cut off`
    return wan ? `${region} is ${duration(roundTrip)} away` : region
  })
  return `Edges around the backbone: ${each.join(', ')}`
}
