// Numbers and times as people read them.

export function duration (milliseconds) {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  return `${(milliseconds / 1000).toFixed(1)} s`
}

/** The hour, and the day when it isn't today. */
export function clock (milliseconds) {
  const date = new Date(milliseconds)
  const today = date.toDateString() === new Date().toDateString()
  const hour = { hour: '2-digit', minute: '2-digit' }
  return date.toLocaleString(undefined, today ? hour : { weekday: 'short', ...hour })
}

export function count (number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** Offsets from the first to the last. */
export function range (first, last) {
  return first === last ? `offset ${first}` : `offsets ${first}–${last}`
}

/** The middle of some numbers; undefined without any. */
export function median (numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]
}

/** Text of at most so many characters. */
export function cut (text, most) {
  return text.length > most ? text.slice(0, most) + '…' : text
}
