// Who this page is: a name, kept for the life of its tab, so that two tabs can be two people.

import { byId } from './dom.js'

const KEY = 'trunkline.name'
const NAMES = ['Ada', 'Alan', 'Barbara', 'Claude', 'Dorothy', 'Edsger', 'Frances', 'Grace', 'Hedy', 'Jean', 'Karen', 'Ken',
  'Leslie', 'Mary', 'Niklaus', 'Radia', 'Tim', 'Vint']

export class Settings {
  #dialog = byId('settings')
  #field = byId('name')
  #button = byId('me')

  /** `onChange` is called after the name has become another one. */
  constructor (onChange) {
    this.name = sessionStorage.getItem(KEY) ?? NAMES[Math.floor(Math.random() * NAMES.length)]
    this.#keep(this.name)
    this.#button.addEventListener('click', () => { this.#field.value = this.name; this.#dialog.showModal() })
    byId('settings-cancel').addEventListener('click', () => this.#dialog.close())
    byId('settings-form').addEventListener('submit', event => {
      event.preventDefault()
      this.#dialog.close()
      const name = this.#field.value.trim()
      if (name === '' || name === this.name) return
      this.#keep(name)
      onChange()
    })
  }

  #keep (name) {
    this.name = name
    sessionStorage.setItem(KEY, name)
    this.#button.querySelector('.name').textContent = name
  }
}
