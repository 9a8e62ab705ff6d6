// The regions in words and numbers, with what cuts and heals them.

import { byId, element } from './dom.js'
import { colour, learn } from './palette.js'
import { Picture } from './picture.js'
import { duration } from './text.js'

export class Regions {
  #mesh
  #latency
  #picture = new Picture(byId('picture'))
  #rows = new Map()
  #strip = byId('strip')
  #failure = byId('wan-failure')

  constructor (mesh, latency) {
    this.#mesh = mesh
    this.#latency = latency
    mesh.on('change', state => this.#show(state))
    latency.on('change', () => this.#measure())
  }

  /** A message has come from a region. */
  pass (region, delivery) {
    this.#picture.pass(region, delivery)
  }

  #show (state) {
    const known = state.edges.map(({ region }) => region)
    if (this.#rows.size === 0) this.#build(state, known)
    this.#picture.draw(state)
    for (const edge of state.edges) this.#rows.get(edge.region)?.show(edge, state)
    this.#measure()
  }

  #build (state, known) {
    learn(known)
    byId('regions').hidden = false
    for (const edge of state.edges) {
      this.#rows.set(edge.region, new Row(edge, edge.region === state.self, cut => this.#cut(edge.region, cut)))
    }
    byId('region-rows').replaceChildren(...[...this.#rows.values()].map(row => row.item))
    this.#strip.replaceChildren(...[...this.#rows.values()].map(row => row.chip))
  }

  async #cut (region, cut) {
    this.#failure.textContent = ''
    try {
      await this.#mesh.cut(region, cut)
    } catch (error) {
      this.#failure.textContent = `${region} couldn't be ${cut ? 'cut' : 'healed'} (${error.message})`
    }
  }

  #measure () {
    const { roundTrip } = this.#latency
    byId('round-trip').textContent = roundTrip === undefined ? 'no answer' : duration(roundTrip)
    for (const [region, row] of this.#rows) row.measure(this.#latency.from(region))
  }
}

class Row {
  #link = element('dd')
  #delivery = element('dd', { class: 'measured' })
  #button = element('button', { type: 'button', class: 'small' })
  #chipText = element('span')
  #cut = false

  constructor ({ region, url }, here, onCut) {
    this.#button.addEventListener('click', () => onCut(!this.#cut))
    this.item = element('li', { class: `region ${colour(region)}`, 'data-region': region },
      element('div', { class: 'heading' }, element('span', { class: 'badge' }, region), where(region, url, here)),
      element('dl', {},
        element('div', {}, element('dt', {}, 'link'), this.#link),
        element('div', {}, element('dt', {}, 'arrives in'), this.#delivery)),
      this.#button)
    this.chip = element('span', { class: `chip ${colour(region)}` }, element('span', { class: 'chip-name' }, region), this.#chipText)
    this.region = region
  }

  show ({ rtt_ms: roundTrip, cut }, { wan }) {
    this.#cut = cut
    this.item.classList.toggle('cut', cut)
    this.chip.classList.toggle('cut', cut)
    this.#link.textContent = cut ? 'cut off' : wan ? duration(roundTrip) : 'direct'
    this.#chipText.textContent = this.#link.textContent
    this.#button.hidden = !wan
    this.#button.textContent = cut ? 'Heal' : 'Cut'
    this.#button.setAttribute('aria-label', `${cut ? 'Heal' : 'Cut'} ${this.region}`)
  }

  measure (delivery) {
    this.#delivery.textContent = delivery === undefined ? '–' : duration(delivery)
  }
}

function where (region, url, here) {
  if (here) return element('span', { class: 'you' }, 'this edge')
  return element('a', { href: url, target: '_blank', rel: 'noopener', 'aria-label': `Open ${region} in a new tab` }, 'open')
}
