// Puts this edge's address into the examples.

const put = (name, text) => document.querySelectorAll(`.${name}`).forEach(node => { node.textContent = text })
put('ws', `${location.origin.replace(/^http/, 'ws')}/connection/websocket`)
put('http', location.origin)
