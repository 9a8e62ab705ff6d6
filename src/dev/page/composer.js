// The field in which messages are written.

import { byId } from './dom.js'

/** `onSend` gets what was written, `onWrite` is called as it is being written. */
export function compose ({ onSend, onWrite }) {
  const form = byId('composer')
  const field = byId('text')
  const send = () => {
    const text = field.value.trim()
    if (text === '') return
    field.value = ''
    fit(field)
    onSend(text)
  }
  form.addEventListener('submit', event => { event.preventDefault(); send(); field.focus() })
  field.addEventListener('input', () => { fit(field); if (field.value.trim() !== '') onWrite() })
  field.addEventListener('keydown', event => {
    // While an input method composes, Enter is its own.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    send()
  })
}

/** As high as its text, up to what the style allows. */
function fit (field) {
  field.style.height = 'auto'
  field.style.height = `${field.scrollHeight + 2}px`
}
