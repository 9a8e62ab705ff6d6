// Goes away and comes back. Arguments: the URLs of two edges' pages.
import { check, connected, DESKTOP, done, lines, message, PHONE, publish, tab, write } from './common.mjs'

const [near, far] = process.argv.slice(2)
const desk = await tab(near, { ...DESKTOP, name: 'Ada' })
const phone = await tab(far, { ...PHONE, name: 'Radia' })
const away = desk.getByRole('switch', { name: 'Go offline' })
const toggle = async () => { await away.focus(); await desk.keyboard.press('Space') }
const notice = text => desk.locator('.notice').getByText(text)

await write(desk, 'before')
await message(phone, 'before').waitFor()

// What was missed is replayed, marked, and in its place.
await toggle()
await desk.locator('#status').getByText('Offline').waitFor()
await phone.locator('.person', { hasText: 'Ada' }).waitFor({ state: 'detached' })
for (const text of ['one', 'two', 'three']) {
  await write(phone, text)
  await message(phone, text).locator('.delivery').waitFor({ state: 'attached' })
}
await toggle()
await notice('3 messages replayed (offsets 2–4)').waitFor()
await message(desk, 'three').waitFor()
const expected = ['before', 'one', 'two', 'three', '3 messages replayed (offsets 2–4)']
check(JSON.stringify(await lines(desk)) === JSON.stringify(expected), await lines(desk))
check(await desk.locator('.replayed').count() === 3, 'what was replayed says so')
check(await phone.locator('.replayed').count() === 0, 'what came at once says nothing')

await toggle()
await desk.locator('#status').getByText('Offline').waitFor()
await toggle()
await notice('Back: nothing was missed').waitFor()

// What is written offline isn't lost: it waits to be sent again.
await toggle()
await write(desk, 'from the train')
await desk.getByText('not confirmed: not connected').waitFor()
await toggle()
await connected(desk)
await desk.getByRole('button', { name: 'Send again' }).click()
await message(desk, 'from the train').locator('.delivery').waitFor()
await message(phone, 'from the train').waitFor()

// More than can be replayed is a gap, and said to be one.
await toggle()
await desk.locator('#status').getByText('Offline').waitFor()
for (let number = 1; number <= 301; number++) await publish(far, { text: `missed ${number}` })
await toggle()
await notice(/^History too short: gap\. The last message here was offset 5; the channel is at 306 now\./).waitFor()
await message(desk, 'missed 301').waitFor()
check(await desk.locator('#messages > :last-child').evaluate(node => node.classList.contains('gap')), 'it is said behind what was there')
check(await message(desk, 'before').count() === 0, 'what comes before a gap is not shown as if it were next to what follows')
await done()
