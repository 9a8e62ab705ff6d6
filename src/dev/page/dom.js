// Elements made from data. Text stays text: nothing here takes markup.

const SVG = 'http://www.w3.org/2000/svg'

/** An element with attributes (`class`, `title`, …; those that are undefined or false are left out) and children. */
export function element (tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children)
}

export function svg (tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children)
}

function filled (node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value)
  }
  node.append(...children.filter(child => child !== undefined && child !== false))
  return node
}

export function byId (id) {
  return document.getElementById(id)
}
