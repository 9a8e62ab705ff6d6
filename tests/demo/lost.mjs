// A publish whose answer is lost, sent again: stored and shown once. Arguments: the URLs of two edges' pages.
import { check, connected, DESKTOP, done, message, tab, texts, write } from './common.mjs'

const [near, far] = process.argv.slice(2)
let deaf = false
let socket
// Offsets that the edge named in its answers to publishes, heard or not.
const offsets = []
let offsetArrived = () => {}
const reader = await tab(far, { ...DESKTOP, name: 'Radia' })
const writer = await tab(near, { ...DESKTOP, name: 'Ada' })
await writer.routeWebSocket(/\/connection\/websocket$/, route => {
  socket = route
  const server = route.connectToServer()
  server.onMessage(frame => {
    for (const line of frame.toString().split('\n')) {
      const offset = line && JSON.parse(line).rpc?.data?.offset
      if (offset) offsets.push(offset)
    }
    offsetArrived()
    if (!deaf) route.send(frame)
  })
})
await writer.reload()
await connected(writer)
await write(writer, 'heard')
await message(writer, 'heard').locator('.delivery').waitFor()

deaf = true
await write(writer, 'once')
await message(reader, 'once').waitFor()
await writer.getByText('not confirmed: no answer').waitFor()
await writer.getByRole('button', { name: 'Send again' }).click()
await message(writer, 'once').getByText('sending…').waitFor()
while (offsets.length < 3) await new Promise(resolve => { offsetArrived = resolve })
check(JSON.stringify(offsets) === '[1,2,2]', offsets)

// Its connection ends before an answer came; what it missed tells that the message is stored.
deaf = false
await socket.close({ code: 3001, reason: 'shutdown' })
await message(writer, 'once').getByText('replayed').waitFor()
await write(reader, 'after')
for (const page of [writer, reader]) {
  await message(page, 'after').waitFor()
  check(JSON.stringify(await texts(page)) === '["heard","once","after"]', await texts(page))
}
await done()
